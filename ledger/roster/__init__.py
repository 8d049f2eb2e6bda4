"""The roster: the district's units, teams, people, activities and projects.

Relational truth with tables of its own. Settling never waits for it and never refuses for it:
the ledger names codes, and reports join them to what they mean when they are read.
"""
