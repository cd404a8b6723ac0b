"""`churn erase FILE`: removes people from everything this installation stores, and from later syncs."""

import sys
from pathlib import Path

from flows.adapters.files.run_lock import lock
from flows.flow.erasure import erase_people, read_list
from flows.orchestration import one_at_a_time
from flows.settings import Settings


def erase(settings: Settings, file: Path) -> None:
    """Erases the people whose customer ids or e-mail addresses a file lists, one per line, and prints what was removed.

    Raises:
        SettingsError: when there is no such file.
        BadInput: when it lists nobody, or an address of several customers.
    """
    names = read_list(str(file))
    with one_at_a_time(), lock(settings.data_dir):
        for line in erase_people(settings, names):
            sys.stdout.write(f"{line}\n")
