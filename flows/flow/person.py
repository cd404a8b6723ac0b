"""Everything that this installation keeps about a person, for a request of access: what an erasure would remove."""

from collections.abc import Iterator
from pathlib import Path

from flows.adapters.dbt.descriptions import read_descriptions
from flows.adapters.files.run_outputs import customer_files
from flows.adapters.files.store import FileStore
from flows.adapters.privacy.erasure import all_names, erased_before
from flows.adapters.privacy.person_page import PersonExport
from flows.adapters.privacy.personal_export import Part, part_of_file, parts_of_outbox, parts_of_warehouse
from flows.adapters.privacy.personal_rows import normalised
from flows.errors import BadInput
from flows.settings import Settings
from flows.wiring import wire
from functions.clock import now

SEARCHED = (".csv", ".jsonl")
SAME_ROWS = (".parquet", ".json")  # of a job: the rows of its .jsonl again, and how far it is
ONE_PERSON = (
    "Customers who share an address are taken for one person here, as in all figures, unless it has more than five."
)
ELSEWHERE = (
    "Not in here, because it is kept elsewhere: the shop's own files, what HubSpot, mail tools, advertising networks"
    " and Tableau got or have themselves, messages on a queue, logs, and backups."
)
TIME_TRAVEL = (
    "Snowflake keeps earlier and deleted rows for its Time Travel and Fail-safe, and earlier versions of outputs stay"
    " on S3 for a day."
)


def export_person(settings: Settings, name: str) -> PersonExport:
    """What is kept about who has this customer id or e-mail address. To be called by who holds the run lock.

    Raises:
        BadInput: when an address is of several customers, or there has been no run.
    """
    started_at = now()
    wiring = wire(settings)
    if wiring.warehouse.current_shop() is None:
        raise BadInput(f"There is no warehouse yet in {settings.data_dir}: nothing is kept about anybody.")
    warehouses = [wiring.warehouse, *wiring.warehouse.other_shops()]
    names = {normalised(name)}
    for warehouse in warehouses:
        names |= all_names(warehouse, wiring.connections, names)
    descriptions = read_descriptions(wiring.dbt.folder)
    parts: list[Part] = []
    for warehouse in warehouses:
        parts += parts_of_warehouse(warehouse, wiring.connections, names, descriptions)
    files, unsearched = _files(settings)
    parts += _parts_of_files(settings, files, names)
    erasures = {at for warehouse in warehouses for at in erased_before(warehouse, names)}
    return PersonExport(
        names=[normalised(name), *sorted(names - {normalised(name)})],
        written_at=started_at,
        parts=parts,
        notes=[
            ONE_PERSON,
            *(f"They were erased on {at:%Y-%m-%d}; a keyed hash of each name has been kept since." for at in erasures),
            *(f"Not taken apart: {copy}, which shows what tables had at a run." for copy in unsearched),
            ELSEWHERE,
            *([] if settings.is_on_this_machine else [TIME_TRAVEL]),
        ],
    )


def _files(settings: Settings) -> tuple[list[Path], list[str]]:
    """Files of the data folder that have rows which can be told apart, and the others that show customers."""
    files: list[Path] = []
    unsearched: list[str] = []
    for copy in settings.copies:
        inside = [file for file in sorted(copy.rglob("*")) if file.is_file()] if copy.is_dir() else [copy]
        there = [file for file in inside if file.exists() and file.suffix not in SAME_ROWS]
        files += (file for file in there if file.suffix in SEARCHED)
        if any(file.suffix not in SEARCHED for file in there):
            unsearched.append(str(copy))
    return files, unsearched


def _parts_of_files(settings: Settings, files: list[Path], names: set[str]) -> Iterator[Part]:
    for folder in sorted((settings.data_dir / "outbox").glob("*")):
        yield from parts_of_outbox(folder, names)
    for file in files:
        if part := part_of_file(str(file), file.read_bytes(), names):
            yield part
    if settings.outputs:
        store = FileStore(settings.outputs)
        for name in customer_files(store):
            if name.endswith(SEARCHED) and (part := part_of_file(store.link(name), store.read(name), names)):
                yield part
