"""Erases people from everything this installation stores, and from later syncs."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from flows.adapters.files.outbox import FileOutbox
from flows.adapters.files.run_outputs import remove_customers
from flows.adapters.files.store import FileStore
from flows.adapters.privacy.erasure import all_names, erase_noted, note
from flows.adapters.privacy.personal_rows import normalised
from flows.errors import BadInput, SettingsError
from flows.settings import Settings
from flows.wiring import wire
from functions.clock import now

HEADERS = ("customer_id", "email", "e-mail", "id")


def erase_people(settings: Settings, names: Iterable[str]) -> Iterator[str]:
    """Erases the people with these customer ids or e-mail addresses; yields what was removed. To be called by who holds
    the run lock.

    Raises:
        BadInput: when an address is of several customers.
    """
    started_at = now()
    wiring = wire(settings)
    warehouses = [wiring.warehouse, *wiring.warehouse.other_shops()]
    names = {normalised(name) for name in names}
    for warehouse in warehouses:
        names |= all_names(warehouse, wiring.connections, names)
    if settings.outputs:  # first: the next run finishes an erasure that was interrupted, but looks at no past date
        for kept in remove_customers(FileStore(settings.outputs)):
            yield f"{kept} was removed, with the rows of everybody else"
    for folder in sorted((settings.data_dir / "outbox").glob("*")):
        if answers := FileOutbox(folder).erase(names):
            yield f"{answers:>9,} predictions that wait in {folder}"
    for warehouse in warehouses:
        note(warehouse, names)
    for warehouse in warehouses:
        for erased in erase_noted(warehouse, wiring.connections, started_at):
            yield f"{erased.rows:>9,} rows of {erased.relation} in {warehouse.place}"
        yield warehouse.purge_deleted()
    for copy in settings.copies:
        if copy.exists():
            shutil.rmtree(copy) if copy.is_dir() else copy.unlink()
            yield f"{copy} was removed: the next run or campaign writes it again"
    yield "hashes stay in raw.erasures, so that a later sync does not bring them back; files that still contain them,"
    yield "HubSpot and copies elsewhere are not erased"


def read_names(text: str, place: str) -> list[str]:
    """The ids and addresses in a text, one per line; a header line is skipped. `place`: where it is from, for errors,
    which quote none of it.

    Raises:
        BadInput: when it lists nobody, or has several columns.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    names = [line.strip().strip('"') for line in lines if line.strip()]
    if names and names[0].lower() in HEADERS:
        names = names[1:]
    if not names:
        raise BadInput(f"{place} lists nobody.")
    for number, line in enumerate(lines, start=1):
        if any(separator in line for separator in (",", ";", "\t")):
            raise BadInput(f"{place} line {number} has several columns; write one id or address a line.")
    return names


def read_list(place: str) -> list[str]:
    """The ids and addresses in a file here or at `s3://bucket/key`, as `read_names`.

    Raises:
        SettingsError: when there is no such file.
        BadInput: when it lists nobody, or has several columns.
    """
    folder, _, name = place.rpartition("/") if "://" in place else (str(Path(place).parent), "", Path(place).name)
    try:
        content = FileStore(folder).read(name)
    except OSError:
        what = "name one with a customer id or e-mail address in each line"
        raise SettingsError(f"There is no file {place}: {what}.") from None
    return read_names(content.decode(), place)
