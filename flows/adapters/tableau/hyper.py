"""hyperd, Tableau's engine, for the duration of a block. It is not built for every machine, so it is imported late."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tableauhyperapi import Connection


def hyper_is_built_for_this_machine() -> bool:
    return find_spec("tableauhyperapi") is not None


@contextmanager
def new_database(file: Path, alias: str) -> Iterator[tuple["Connection", Path]]:
    """A connection to a new, empty database in `file`, named by its alias; and a temporary folder for hyperd's log."""
    from tableauhyperapi import Connection, HyperProcess, Telemetry

    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with (
        TemporaryDirectory() as folder,
        HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_dir": folder}) as hyper,
        Connection(hyper.endpoint) as con,
    ):
        con.catalog.create_database(file)
        con.catalog.attach_database(file, alias)
        yield con, Path(folder)
