"""What changed in a week, as an e-mail and as a message for a channel."""
