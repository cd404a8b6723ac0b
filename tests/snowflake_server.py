"""A stand-in for Snowflake: fakesnow's server, which speaks to the real connector and has DuckDB inside.

It proves that our SQL is understood and does what is meant there; not how Snowflake itself locks, bills or refuses.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.processes import free_port, wait_for_port

_SERVE = "import sys, uvicorn, fakesnow.server as s; uvicorn.run(s.app, port=int(sys.argv[1]), log_level='error')"


@contextmanager
def snowflake_server() -> Iterator[dict[str, str]]:
    """The settings with which the sink reaches it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_port(port, process)
        yield {
            "SNOWFLAKE_ACCOUNT": "fakesnow", "SNOWFLAKE_USER": "sink", "SNOWFLAKE_ROLE": "scorer",
            "SNOWFLAKE_WAREHOUSE": "load", "SNOWFLAKE_DATABASE": "shop",
            "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(port), "SNOWFLAKE_PROTOCOL": "http",
        }  # fmt: skip
    finally:
        process.kill()
        process.wait()
