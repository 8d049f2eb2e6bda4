"""The event contract and everything that writes events to the log."""
