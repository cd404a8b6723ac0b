"""Stored models, their reports, and the packages that Lambda gets."""
