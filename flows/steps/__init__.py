"""Tasks that several flows share."""
