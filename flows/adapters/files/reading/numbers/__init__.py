"""How columns of numbers are written, and SQL that reads them."""
