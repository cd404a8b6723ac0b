"""`churn erase FILE`: removes people from everything this installation stores, and from later syncs."""

import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from flows.adapters.files.outbox import FileOutbox
from flows.adapters.files.run_lock import lock
from flows.adapters.privacy.erasure import all_names, erase_noted, normalised, note
from flows.errors import BadInput, SettingsError
from flows.orchestration import one_at_a_time
from flows.settings import Settings
from flows.wiring import wire
from functions.clock import now


def erase(settings: Settings, file: Path) -> None:
    """Erases the people whose customer ids or e-mail addresses a file lists, one per line, and prints what was removed.

    Raises:
        SettingsError: when there is no such file.
        BadInput: when it lists nobody, or an address of several customers.
    """
    names = read_names(file)
    with one_at_a_time(), lock(settings.data_dir):
        for line in _erase(settings, names):
            sys.stdout.write(f"{line}\n")


def read_names(file: Path) -> list[str]:
    """The ids and addresses in a file, one per line; a header line is skipped.

    Raises:
        SettingsError: when there is no such file.
        BadInput: when it lists nobody, or has several columns.
    """
    if not file.is_file():
        raise SettingsError(f"There is no file {file}: name one with a customer id or e-mail address in each line.")
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    names = [line.strip().strip('"') for line in lines if line.strip()]
    if names and names[0].lower() in ("customer_id", "email", "e-mail", "id"):
        names = names[1:]
    if not names:
        raise BadInput(f"{file} lists nobody.")
    for number, line in enumerate(lines, start=1):
        if any(separator in line for separator in (",", ";", "\t")):
            raise BadInput(f"{file} line {number}: {line!r} has several columns; write one id or address a line.")
    return names


def _erase(settings: Settings, given: Iterable[str]) -> Iterator[str]:
    started_at = now()
    wiring = wire(settings)
    warehouses = [wiring.warehouse, *wiring.warehouse.other_shops()]
    names = {normalised(name) for name in given}
    for warehouse in warehouses:
        names |= all_names(warehouse, wiring.connections, names)
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
