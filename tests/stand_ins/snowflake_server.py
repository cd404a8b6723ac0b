"""The stand-in for Snowflake (`snowflake.py`) as a process of its own, and the settings to reach it."""

import atexit
import gc
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector import SnowflakeConnection

from tests.running.processes import free_port, wait_for_port


@cache
def key_pair() -> tuple[str, str]:
    """A private key and its public one, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def encrypted(passphrase: bytes) -> str:
    """The private key in PEM, encrypted."""
    return _private_bytes(serialization.Encoding.PEM, serialization.BestAvailableEncryption(passphrase)).decode()


def der() -> bytes:
    """The private key as the connector wants it."""
    return _private_bytes(serialization.Encoding.DER, serialization.NoEncryption())


def _private_bytes(encoding: serialization.Encoding, scheme: serialization.KeySerializationEncryption) -> bytes:
    key = serialization.load_pem_private_key(key_pair()[0].encode(), None)
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, scheme)


@dataclass(frozen=True)
class SnowflakeServer:
    port: int

    @property
    def private_key(self) -> str:
        return key_pair()[0]

    @property
    def settings(self) -> dict[str, str]:
        """The variables with which flows and sink reach it, but for the key."""
        return {
            "SNOWFLAKE_ACCOUNT": "fakesnow", "SNOWFLAKE_USER": "service", "SNOWFLAKE_ROLE": "transformer",
            "SNOWFLAKE_WAREHOUSE": "transform", "SNOWFLAKE_DATABASE": "shop",
            "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(self.port), "SNOWFLAKE_PROTOCOL": "http",
        }  # fmt: skip

    @property
    def flow_settings(self) -> dict[str, str]:
        """All variables of a run in this warehouse."""
        return self.settings | {"WAREHOUSE": "snowflake", "SNOWFLAKE_PRIVATE_KEY": self.private_key}

    def steer(self, **control: Any) -> dict[str, Any]:
        """Sets fields of the stand-in's `Control`; returns what has happened so far."""
        url = f"http://127.0.0.1:{self.port}/stand_in"
        body = json.dumps(control).encode() if control else None
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as response:
            return json.load(response)

    def wait_for_hanging(self) -> None:
        """Returns once a statement hangs, as a fault wanted it."""
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stand_in?hanging", timeout=400).close()


@contextmanager
def snowflake_server() -> Iterator[SnowflakeServer]:
    """An account with an empty database, `shop`, to which the user `service` has every right."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stand_ins.snowflake", str(port), "shop"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # fakesnow logs every statement that it has to read twice
    )
    try:
        wait_for_port(port, process)
        server = SnowflakeServer(port)
        server.steer(keys={"SERVICE": key_pair()[1]})
        yield server
    finally:
        process.kill()
        process.wait()
        _forget_connections()


def _forget_connections() -> None:
    """Those of this process that are still open would be closed at its end, and say each that their server is gone."""
    for connection in gc.get_objects():
        if issubclass(type(connection), SnowflakeConnection):  # isinstance would ask proxies of things that are gone
            atexit.unregister(connection._close_at_exit)
