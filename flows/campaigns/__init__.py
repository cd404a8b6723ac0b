"""Campaigns: whom to contact for a budget, whom to leave alone so that it can be measured, and what it changed."""
