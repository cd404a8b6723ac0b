"""Secrets that Prefect keeps."""

from typing import Any, cast

from flows.errors import SettingsError


def read_secret_block(variable: str, name: str) -> Any:
    """What the Secret block of this name holds. `variable`: the one of the environment that names it.

    Raises:
        SettingsError: when there is no such block, or it cannot be read.
    """
    from prefect.blocks.system import Secret  # half a second, which only who has a block pays

    try:
        return cast(Secret[Any], Secret.load(name)).get()
    except ValueError as problem:
        raise SettingsError(f"{variable}={name}: {problem}") from None
