"""Brevo's API: what we write to it."""
