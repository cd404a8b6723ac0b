"""Campaigns: who to contact for a budget, who forms the control group, and what the campaign changed."""
