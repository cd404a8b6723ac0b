"""`churn digest`: what changed in a week, as files; and sent, where that is asked for."""

import sys

from flows.flow.digest import send_digest, write_digest
from flows.settings import Settings


def digest(settings: Settings, send: bool) -> None:
    """Writes the digest of the last run, and names the files.

    Raises:
        BadInput: when there is no earlier run to compare with.
        SettingsError: when it is to be sent and nobody is to get it.
    """
    for file in write_digest(settings):
        sys.stdout.write(f"{file}\n")
    if send:
        sys.stdout.write(f"sent: {', '.join(send_digest(settings))}\n")
