"""What flows write to the marts and read from them."""
