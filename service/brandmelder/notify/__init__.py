"""6. An incident becomes a message in a channel."""
