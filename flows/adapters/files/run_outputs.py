"""The files of each run, kept under its as-of date and, of the last one, under `latest`."""

import mimetypes
from collections.abc import Iterator, Mapping
from datetime import date

from flows.adapters.files.store import FileStore
from flows.adapters.marts.run_report import Output

LATEST = "latest"
# what shows rows about customers; dbt's files and documentation show none
ABOUT_CUSTOMERS = ("dashboard.html", "customers_to_contact.csv", "marketing.twbx")


def put_outputs(store: FileStore, day: date, files: Mapping[str, bytes], *, is_latest: bool) -> tuple[Output, ...]:
    """Writes the files under the day, replacing those of an earlier run of that day. Returns where each is."""
    for folder in (str(day), *((LATEST,) if is_latest else ())):
        for name, content in files.items():
            store.write(f"{folder}/{name}", content, mimetypes.guess_type(name)[0] or "application/octet-stream")
    return tuple(Output(name, store.link(f"{day}/{name}")) for name in files)


def customer_files(store: FileStore) -> Iterator[str]:
    """What shows rows about customers, of every day."""
    for folder in store.folders():
        for name in ABOUT_CUSTOMERS:
            if store.exists(f"{folder}/{name}"):
                yield f"{folder}/{name}"


def remove_customers(store: FileStore) -> Iterator[str]:
    """Removes what shows rows about customers; yields where it was."""
    for name in customer_files(store):
        store.remove(name)
        yield store.link(name)
