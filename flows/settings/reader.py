"""Reads settings, and says which of them are not what they are by default."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from flows.errors import SettingsError
from flows.settings.addresses import INPUT_IS_HIDDEN

Kind = TypeVar("Kind", bound=BaseSettings)


def read_settings(kind: type[Kind], **given: Any) -> Kind:
    """One system's settings: as given, else from the environment, else the defaults.

    Raises:
        SettingsError: naming each variable, what it holds, and what would fit.
    """
    try:
        return kind(**given)
    except ValidationError as error:
        problems = "\n  ".join(_describe(kind, problem) for problem in error.errors())
        raise SettingsError(f"These settings do not fit:\n  {problems}") from None


def variable(kind: type[BaseSettings], field: str) -> str:
    """The environment variable, and make's, that sets a field."""
    alias = kind.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{kind.model_config.get('env_prefix', '')}{field}".upper()


def variables(*kinds: type[BaseSettings]) -> Iterator[str]:
    """All that set a field."""
    return (variable(kind, field) for kind in kinds for field in kind.model_fields)


def changed(settings: BaseSettings) -> list[str]:
    """NAME=value of what is not as by default; a secret is named without its value."""
    kind = type(settings)
    return [
        variable(kind, name) + ("=(secret)" if isinstance(value, SecretStr) else f"={_as_written(value)}")
        for name, field in kind.model_fields.items()
        if (value := getattr(settings, name)) != _default(field)
    ]


def _default(field: FieldInfo) -> Any:
    default = field.get_default()
    return default.resolve() if isinstance(default, Path) else default


def _as_written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(int(value)) if isinstance(value, bool) else str(value)


def _describe(kind: type[BaseSettings], problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:  # of several settings together
        return message
    location = str(problem["loc"][0])
    name = variable(kind, location) if location in kind.model_fields else location.upper()
    if problem["type"] == INPUT_IS_HIDDEN:
        return f"{name}: {message}"
    hint = " (write it as YYYY-MM-DD)" if problem["type"].startswith("date_") else ""
    return f"{name}={problem['input']!s}: {message[:1].lower()}{message[1:]}{hint}"
