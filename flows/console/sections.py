"""Output of a command: titled lines and small tables."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

# title, lines, columns of the table, its rows
Section = tuple[str, Iterable[str], Sequence[str], Sequence[Sequence[str]]]

REASON = "strongest reason"  # a column whose text may be long


def print_sections(sections: Iterable[Section], console: Console) -> None:
    """Prints each section; in a table, the first column and REASON are text, and the others are figures."""
    for title, lines, columns, rows in sections:
        console.print(f"\n[bold]{title}[/bold]")
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
        if rows:
            table = Table(box=None, padding=(0, 1), header_style="dim")
            for position, column in enumerate(columns):
                is_text = position == 0 or column == REASON
                table.add_column(column, justify="left" if is_text else "right", no_wrap=column != REASON)
            for row in rows:
                table.add_row(*row)
            console.print(table)
