"""`churn docs`: dbt's own pages."""

import sys

from flows.adapters.files.run_lock import lock
from flows.settings import Settings
from flows.wiring import wire


def document(settings: Settings) -> None:
    """Writes pages of all models, columns, tests and exposures, as of the last run.

    Raises:
        BadInput: before any run.
        DbtFailed: with dbt's message.
    """
    with lock(settings.data_dir):
        wire(settings).dbt.document(settings.docs_file)
    sys.stdout.write(f"wrote {settings.docs_file}\n")
