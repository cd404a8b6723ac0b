"""Snowflake's refusals in words that name the step to take, and which of them pass by themselves."""

import pytest
from snowflake.connector import errors

from flows.adapters.snowflake.errors import advice, is_broken_connection, to_domain_error
from flows.errors import WarehouseRefused, WarehouseUnreachable


@pytest.mark.parametrize(
    ("number", "message", "remedy"),
    [
        (390144, "JWT token is invalid. [0b7d]", "rsa_public_key"),
        (250001, "Failed to connect to DB: x:443. JWT token is invalid. [0b7d]", "rsa_public_key"),
        (390106, "Specified password has expired. Password must be changed.", "set a new one"),
        (390100, "Incorrect username or password was specified.", "SNOWFLAKE_USER"),
        (2003, "SQL compilation error:\nObject 'SHOP.RAW.X' does not exist or not authorized.", "SHOP.RAW.X.*grant"),
        (3001, "SQL access control error:\nInsufficient privileges to operate on schema 'MARTS'", "MARTS.*privilege"),
        (606, "No active warehouse selected in the current session.", "SNOWFLAKE_WAREHOUSE"),
        (608, "Warehouse 'T' is suspended. Use 'alter warehouse T resume;'", "auto_resume"),
        (90073, "Warehouse 'T' cannot be resumed because resource monitor 'M' exceeded its quota.", "quota or wait"),
        (630, "Statement reached its statement or warehouse timeout of 10 second(s)", "SNOWFLAKE_STATEMENT_TIMEOUT"),
        (2141, "SQL compilation error:\nUnknown user-defined function SHOP.MARTS.PREDICT_CHURN", "terraform apply"),
        (625, "Statement '01a' has locked table 'T' in transaction 17, not yet released.", "abort_transaction"),
        (904, "SQL compilation error: error line 1\ninvalid identifier 'QUANTITY'", "QUANTITY.*source"),
        (1003, "SQL compilation error:\nsyntax error", "syntax error$"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_it_is_about_and_what_to_do(number, message, remedy):
    with pytest.raises(WarehouseRefused, match=rf"(?s)loading raw.x.*{remedy}"), to_domain_error("loading raw.x"):
        raise errors.ProgrammingError(message, errno=number, sqlstate="42000")


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (errors.OperationalError, 250001), (errors.OperationalError, 250003), (errors.OperationalError, 253003),
        (errors.DatabaseError, 580503), (errors.ProgrammingError, 390114),
    ],
)  # fmt: skip
def test_only_a_connection_that_broke_is_worth_another_try(kind, number):
    with pytest.raises(WarehouseUnreachable, match="did not respond while loading"), to_domain_error("loading"):
        raise kind("Failed to execute request", errno=number)


def test_messages_that_come_through_dbt_are_understood_too():
    broken = "Database Error in model x\n  250003 (08001): 250003: Failed to execute request: timed out"
    refused = "Database Error in model x\n  002003 (42S02): SQL compilation error:\n  Object 'X' does not exist or not"
    refused += " authorized."
    assert is_broken_connection(broken)
    assert is_broken_connection("Runtime Error in model x\n  ('Connection broken: IncompleteRead(1 bytes read)')")
    assert not is_broken_connection(refused)
    assert "grant select" in advice(refused)
    assert advice("Compilation Error in model x") is None
