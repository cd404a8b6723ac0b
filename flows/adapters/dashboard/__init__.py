"""`dashboard.html`: one page that loads nothing else, and the contact list next to it."""
