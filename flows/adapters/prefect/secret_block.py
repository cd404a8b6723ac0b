"""Secrets in Prefect's blocks."""

from typing import Any, cast

from flows.errors import SettingsError


def read_secret_block(variable: str, name: str) -> Any:
    """The value of the Secret block with this name. `variable`: the environment variable that names the block.

    Raises:
        SettingsError: when there is no such block, or it cannot be read.
    """
    from prefect.blocks.system import Secret  # takes half a second, so it is imported only where a block is used

    try:
        return cast(Secret[Any], Secret.load(name)).get()
    except ValueError as problem:
        raise SettingsError(f"{variable}={name}: {problem}") from None
