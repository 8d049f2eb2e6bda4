"""How fast the product is, beside its peers on the same Kafka. Not shipped; it never edits code.

Figures come from the product's own commands, watched from outside.
"""
