"""A shop that never existed, with the truth about every one of its customers."""
