"""Tables of text out of the files that a user names, whatever their kind."""
