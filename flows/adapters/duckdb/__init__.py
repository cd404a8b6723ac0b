"""The laptop's warehouse."""
