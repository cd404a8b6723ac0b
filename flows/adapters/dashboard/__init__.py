"""`dashboard.html`: one page that needs nothing but itself, and the list of whom to contact beside it."""
