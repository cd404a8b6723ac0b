"""Flows: order and retries, a table of contents each."""
