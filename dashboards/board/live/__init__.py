"""Figures that move: what the ledger says now, in memory, for all pages at once."""
