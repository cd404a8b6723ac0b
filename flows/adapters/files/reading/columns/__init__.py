"""Which of our columns a column of a file is: by its header, and by what it holds."""
