"""Chaos: the product under load while its world is broken in every way we know, by a seed.

`python -m tests.chaos` makes a plan from a seed, strikes while a load is published, heals
everything, and holds the ledger against an oracle that works from the log's bytes and the rules
alone. It knows the product by the `hours` command, Kafka and SQL; it imports none of the code it
judges. Invariant: a seed gives the same plan and the same events.
"""
