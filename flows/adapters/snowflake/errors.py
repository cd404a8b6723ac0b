"""Turns Snowflake's errors into ours, with the remedy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from snowflake.connector import errors
from snowflake.connector.vendored.requests.exceptions import RequestException

from flows.errors import PipelineError, WarehouseRefused, WarehouseUnreachable

# errno → what to do about it
_STEPS = {
    390100: "The user name or password is not right: check SNOWFLAKE_USER, or use a key pair.",
    390101: "The user is disabled: `alter user … set disabled = false`.",
    390106: "The password has expired: set a new one, or better use a key pair, which does not expire by itself.",
    390102: "The user is locked after failed logins: wait, or have `alter user … set mins_to_unlock = 0` run.",
    390144: "The key is not the one that the user has: `alter user … set rsa_public_key = '…'` with the public half"
    " of this key, and check SNOWFLAKE_ACCOUNT and SNOWFLAKE_USER.",
    390189: "The role does not exist or the user may not take it: `grant role … to user …`.",
    2003: "It does not exist, or the role may not see it: run `terraform apply`, or `grant usage` on its database and"
    " schema and `grant select` on it to the role.",
    2043: "It does not exist, or the role may not see it: run `terraform apply`, or grant the role usage on it.",
    2140: "The external function is missing, or the role may not use it: run `terraform apply`, or"
    " `grant usage on function marts.predict_churn(variant) to role …`.",
    2141: "The external function is there with other arguments: it takes one, a variant.",
    3001: "The role lacks a privilege on it: run `terraform apply`, or grant what the message names to the role.",
    606: "No virtual warehouse is running for us: check SNOWFLAKE_WAREHOUSE, `grant usage on warehouse … to role …`,"
    " and `alter warehouse … set auto_resume = true`.",
    608: "The virtual warehouse is suspended: `alter warehouse … set auto_resume = true`, or resume it.",
    630: "The statement took too long: a larger virtual warehouse, or a larger SNOWFLAKE_STATEMENT_TIMEOUT_SECONDS"
    " (dbt's statements: STATEMENT_TIMEOUT_IN_SECONDS of the user or the warehouse).",
    604: "The statement was cancelled: the query history shows by whom.",
    625: "A run that was killed may have left its transaction open: `show transactions in account`, and"
    " `select system$abort_transaction(…)` with its id.",
    90073: "The resource monitor has stopped the virtual warehouse for this period: raise its quota or wait.",
    100351: "The API that scores did not answer as expected: see its log, and `GET /health`.",
    904: "A column is missing that existed before: see what has changed in the source.",
}
# raised by the connector without a complete response after its own retries
_BROKEN_CONNECTION = {
    250001, 250002, 250003, 250005, 251011, 251012, 252010, 252013, 253002, 253003, 253009,
    580408, 580429, 580500, 580502, 580503, 580504,  # twice 290000, and HTTP's own number
}  # fmt: skip
_SESSION_GONE = {390111, 390112, 390114, 390195}


@contextmanager
def to_domain_error(doing: str) -> Iterator[None]:
    """Turns the connector's errors within the block into ours. `doing` is what fails: "loading raw.shop".

    Raises:
        WarehouseUnreachable: for what may succeed in a moment.
        WarehouseRefused: for everything else, with Snowflake's message and the remedy.
    """
    try:
        yield
    except errors.Error as problem:
        raise explained(doing, problem.errno, problem.raw_msg or str(problem)) from problem
    except RequestException as problem:  # the connector's own retries do not cover a broken response
        raise WarehouseUnreachable(f"Snowflake's response broke off while {doing}: {problem}") from problem


def explained(doing: str, number: int | None, message: str) -> PipelineError:
    """Our error for one of Snowflake's."""
    step = _step(number, message)
    text = " ".join(message.split())
    if step is None and (number in _BROKEN_CONNECTION or number in _SESSION_GONE):
        return WarehouseUnreachable(f"Snowflake did not respond while {doing}: {text}")
    return WarehouseRefused(f"Snowflake refused {doing}: {text}" + (f"\n{step}" if step else ""))


_NUMBER = re.compile(r"\b(\d{6})(?: \([0-9A-Z]{5}\))?: ")  # as in "002003 (42S02): SQL compilation error"
_TELLING = {  # where the number is the connector's own, or is lost on the way through dbt
    "JWT token is invalid": 390144,
    "temporarily locked": 390102,
    "Incorrect username or password": 390100,
    "password has expired": 390106,
    "User access disabled": 390101,
    "is not granted to this user": 390189,
    "Unknown function": 2140,
    "Unknown user-defined function": 2140,
    "does not exist or not authorized": 2003,
    "Insufficient privileges": 3001,
    "No active warehouse": 606,
    "alter warehouse": 608,
    "exceeded its quota": 90073,
    "has locked": 625,
    "SQL execution canceled": 604,
    "statement or warehouse timeout": 630,
    "for external function": 100351,
    "invalid identifier": 904,
}


def _step(number: int | None, message: str) -> str | None:
    for words, known in _TELLING.items():
        if words.lower() in message.lower():
            return _STEPS[known]
    found = _NUMBER.search(message)
    return _STEPS.get(int(found[1]) if found else number or 0)


def advice(message: str) -> str | None:
    """The remedy for a message of Snowflake in dbt's output; None when there is none."""
    return _step(None, message)


def is_broken_connection(message: str) -> bool:
    """Whether a message in dbt's output means that Snowflake did not respond."""
    found = _NUMBER.search(message)
    number = int(found[1]) if found else None
    broke_off = "Connection broken" in message or number in _BROKEN_CONNECTION | _SESSION_GONE
    return broke_off and _step(None, message) is None
