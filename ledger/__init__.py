"""What an hour is: settling, entries, the Merkle tree, tables, store and queries."""
