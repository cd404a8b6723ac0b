"""`churn person PERSON FILE`: everything that is kept about a person, for their request of access."""

import os
import sys
from pathlib import Path

from flows.adapters.files.run_lock import lock
from flows.adapters.privacy.person_page import as_json, as_page
from flows.errors import SettingsError
from flows.flow.person import export_person
from flows.orchestration import one_at_a_time
from flows.settings import Settings


def person(settings: Settings, name: str, file: Path) -> None:
    """Writes what is kept about who has a customer id or e-mail address: JSON where the file ends so, else a page.

    Raises:
        SettingsError: when the file is there already, or would be in the data folder.
        BadInput: when an address is of several customers, or there has been no run.
    """
    _refuse_unfit(settings, file)
    with one_at_a_time(), lock(settings.data_dir):
        export = export_person(settings, name)
    for part in export.parts:
        sys.stdout.write(f"{len(part.rows):>9,} rows of {part.place}\n")
    for note in export.notes:
        sys.stdout.write(f"{note}\n")
    if not export.parts:
        sys.stdout.write("Nothing else is kept about them: no file was written.\n")
        return
    content = as_json(export) if file.suffix == ".json" else as_page(export)
    # to be read by who asked for it alone
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(content)
    sys.stdout.write(
        f"{file} has it all. Before you hand it out, see whether its {len(export.names)} ids and addresses are all"
        " of who asks. Delete it then: no erasure finds it.\n"
    )


def _refuse_unfit(settings: Settings, file: Path) -> None:
    if file.exists():
        raise SettingsError(f"{file} is there already: name another file.")
    if not file.resolve().parent.is_dir():
        raise SettingsError(f"There is no folder {file.parent} to write {file.name} to.")
    if file.resolve().is_relative_to(settings.data_dir):
        raise SettingsError(
            f"{file} would be in {settings.data_dir}, where no erasure finds it: name a file elsewhere."
        )
