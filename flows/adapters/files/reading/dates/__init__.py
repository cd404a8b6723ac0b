"""How columns of moments are written, and SQL that reads them."""
