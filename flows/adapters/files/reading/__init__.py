"""Order lines from CSV files: find out what a file means, land it as text, say what was found."""
