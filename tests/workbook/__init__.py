"""Checks of a Tableau workbook without Tableau: its schema, its references, and its worksheets run as queries."""
