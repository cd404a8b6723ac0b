"""Addresses of servers that get our secrets."""

from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

INPUT_IS_HIDDEN = "input_is_hidden"


@dataclass(frozen=True)
class SecretsGoTo:
    """Makes an annotated str the address of a server that gets our secrets: encrypted, or on this machine. The address
    itself holds none, because it is printed and logged.

    `credentials`: the settings that say who we are instead. `form`: how to write it. `may_have_path`: or only a host.
    """

    credentials: str
    form: str
    may_have_path: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._validate, handler(source))

    def _validate(self, address: str) -> str:
        try:
            parts = urlsplit(address)
        except ValueError:  # such as brackets that do not close
            _refuse(f"write it as {self.form}")
        if parts.username or parts.password:
            _refuse(f"leave out user and password; {self.credentials} say who we are")
        is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
        is_safe = bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))
        has_more = parts.query or parts.fragment or (parts.path.strip("/") and not self.may_have_path)
        if not is_safe or has_more:
            shown = parts._replace(query="", fragment="").geturl()
            _refuse(f"{shown} does not fit; write it as {self.form} (http only to this machine: secrets go there)")
        return address


def _refuse(why: str) -> NoReturn:
    """With a message that does not show the value: it may contain a secret."""
    raise PydanticCustomError(INPUT_IS_HIDDEN, "{why}", {"why": why})
