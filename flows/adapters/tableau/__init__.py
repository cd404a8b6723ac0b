"""The workbook, its extract, and Tableau's server."""
