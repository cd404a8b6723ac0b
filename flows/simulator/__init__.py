"""A simulated shop, with the true parameters of every customer."""
