"""What the rows of a file are to its orders: lines, totals, changes, sales or none."""
