"""Putting right what went wrong: what one person proposes, another approves, and Kafka carries."""
