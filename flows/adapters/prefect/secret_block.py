"""Secrets in Prefect's blocks."""

from typing import Any, cast

from flows.errors import SettingsError


def read_secret_text(variable: str, name: str, what: str) -> str:
    """The one secret that a block holds, as `read_secret_block` reads it. `what` it is: a key, a token.

    Raises:
        SettingsError: also where the block holds something else.
    """
    held = read_secret_block(variable, name)
    if not isinstance(held, str) or not held:
        raise SettingsError(f"{variable}={name}: the block must hold the {what}, as a text.")
    return held


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
