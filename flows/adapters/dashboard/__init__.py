"""`dashboard.html`, a self-contained page, and the list of who to contact as CSV."""
