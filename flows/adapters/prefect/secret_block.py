"""Secrets in Prefect's blocks."""

from typing import Any, cast

from pydantic import SecretStr

from flows.errors import SettingsError


def read_secret(variable: str, given: SecretStr | None, of_block: str, block: str | None, what: str) -> str:
    """The secret of a block, or the one that is given. `variable` and `of_block`: the environment variables of the
    secret and of the block's name. `what` the secret is, and what it may do.

    Raises:
        SettingsError: naming what is missing, or why the block cannot be used; never the secret.
    """
    if block:
        held = read_secret_block(of_block, block)
        if not isinstance(held, str) or not held:
            raise SettingsError(f"{of_block}={block}: the block must hold {what}, as a text.")
        return held
    if given is None:
        raise SettingsError(
            f"{variable} is missing: {what}; or {of_block}, the name of a Prefect Secret block that holds it."
        )
    return given.get_secret_value()


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
