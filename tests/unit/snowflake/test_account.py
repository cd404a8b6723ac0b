"""The account in Snowflake: from variables or a Prefect block, with keys that may be encrypted and are never shown."""

import base64

import pytest

from flows.adapters.snowflake.account import SnowflakeAccount
from flows.errors import SettingsError
from flows.settings import SnowflakeSettings, read_settings
from tests.stand_ins.snowflake_server import der, encrypted, key_pair

NAMES = {
    "SNOWFLAKE_ACCOUNT": "org-shop", "SNOWFLAKE_USER": "service", "SNOWFLAKE_ROLE": "transformer",
    "SNOWFLAKE_WAREHOUSE": "transform", "SNOWFLAKE_DATABASE": "shop",
}  # fmt: skip


def account(monkeypatch, **variables):
    for name, value in (NAMES | variables).items():
        monkeypatch.setenv(name, value)
    return SnowflakeAccount.read(read_settings(SnowflakeSettings))


def test_a_plain_and_an_encrypted_key_from_a_variable_or_a_file_give_the_same_account(monkeypatch, tmp_path):
    plain = account(monkeypatch, SNOWFLAKE_PRIVATE_KEY=key_pair()[0])
    monkeypatch.delenv("SNOWFLAKE_PRIVATE_KEY")
    file = tmp_path / "key.p8"
    file.write_text(encrypted(b"open sesame"))
    locked = account(monkeypatch, SNOWFLAKE_PRIVATE_KEY_FILE=str(file), SNOWFLAKE_PRIVATE_KEY_PASSPHRASE="open sesame")
    assert plain == locked
    assert plain.connection_arguments()["private_key"] == der()


def test_what_is_missing_is_named_and_a_block_is_offered(monkeypatch):
    with pytest.raises(SettingsError, match=r"SNOWFLAKE_ROLE.*SNOWFLAKE_PRIVATE_KEY_FILE.*SNOWFLAKE_BLOCK"):
        account(monkeypatch, SNOWFLAKE_ROLE="")


def test_a_key_that_cannot_be_read_is_refused_without_being_shown(monkeypatch, tmp_path):
    secret = encrypted(b"right")
    with pytest.raises(SettingsError, match="PASSPHRASE must fit") as refused:
        account(monkeypatch, SNOWFLAKE_PRIVATE_KEY=secret, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE="wrong-passphrase")
    assert secret.split("\n")[3] not in str(refused.value)
    assert "wrong-passphrase" not in str(refused.value)
    monkeypatch.delenv("SNOWFLAKE_PRIVATE_KEY")
    with pytest.raises(SettingsError, match="No such file"):
        account(monkeypatch, SNOWFLAKE_PRIVATE_KEY_FILE=str(tmp_path / "none.p8"))


def test_secrets_are_in_no_representation_and_reach_dbt_under_names_that_it_hides(monkeypatch):
    ours = account(monkeypatch, SNOWFLAKE_PRIVATE_KEY=key_pair()[0], SNOWFLAKE_PASSWORD="hunter2")
    as_dbt_wants_it = base64.b64encode(der()).decode()
    assert "hunter2" not in repr(ours)
    assert repr(der())[2:40] not in repr(ours)
    holders = {name for name, value in ours.dbt_environment().items() if value in (as_dbt_wants_it, "hunter2")}
    assert holders == {"DBT_ENV_SECRET_SNOWFLAKE_PRIVATE_KEY", "DBT_ENV_SECRET_SNOWFLAKE_PASSWORD"}


def test_sessions_have_a_tag_a_time_limit_and_the_settings_of_a_block(monkeypatch):
    parameters = account(
        monkeypatch, SNOWFLAKE_PASSWORD="x", SNOWFLAKE_QUERY_TAG="nightly", SNOWFLAKE_STATEMENT_TIMEOUT_SECONDS="60"
    ).connection_arguments()["session_parameters"]
    assert parameters == {
        "QUERY_TAG": "nightly", "STATEMENT_TIMEOUT_IN_SECONDS": 60, "LOCK_TIMEOUT": 300, "TIMEZONE": "UTC",
    }  # fmt: skip
