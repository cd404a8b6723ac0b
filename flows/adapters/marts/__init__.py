"""Tables of the marts that flows write and read."""
