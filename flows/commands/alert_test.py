"""`churn alert-test`: sends one alert, so that it is known to arrive before one is needed."""

import sys

from flows.errors import SettingsError
from flows.orchestration import has_prefect_server


def alert_test() -> None:
    """Sends a test alert to the block `alerts`.

    Raises:
        SettingsError: when there is no Prefect server or no block, or the receiver refuses.
    """
    if not has_prefect_server():
        raise SettingsError("make alert-test needs PREFECT_API_URL: alerts are sent by Prefect.")
    from flows.adapters.prefect.alerts import send

    send(
        "rfm-churn: a test alert",
        "Somebody ran `make alert-test`. Runs that fail, are late or fall silent report here.",
    )
    sys.stdout.write("sent a test alert; look whether it arrived\n")
