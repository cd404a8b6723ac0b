"""Settings: read once, refused with what would fit, and shown when they are not the defaults."""

import pytest

from flows.errors import SettingsError
from flows.settings import (
    AirbyteSettings,
    HubSpotSettings,
    Settings,
    SnowflakeSettings,
    TableauSettings,
    changed,
    read_settings,
)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AS_OF", "2011-13-45", "write it as YYYY-MM-DD"),
        ("HORIZON_DAYS", "soon", "HORIZON_DAYS=soon"),
        ("HORIZON_DAYS", "3", "greater than or equal to 7"),
        ("CUSTOMERS", "-1", "CUSTOMERS=-1"),
        ("WAREHOUSE", "oracle", "WAREHOUSE=oracle"),
        ("CRM_LINK", "http://crm", r"CRM_LINK=http://crm: write it as https://…, with \{customer_id\}"),
    ],
)
def test_a_setting_that_does_not_fit_is_named_with_what_would(monkeypatch, variable, value, message):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=message):
        read_settings(Settings)


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(SettingsError, match="leave out ORDERS="):
        read_settings(Settings, source="simulated_shop", orders="mine.csv")


def test_blank_make_variables_count_as_unset(monkeypatch):
    for variable in ("ORDERS", "SOURCE", "AS_OF", "HORIZON_DAYS", "CUSTOMERS", "SEED"):
        monkeypatch.setenv(variable, "")
    settings = read_settings(Settings)
    assert settings.orders is None
    assert settings.horizon_days is None
    assert settings.sources == ("simulated_shop",)


def test_orders_without_a_source_are_read_by_their_headers(monkeypatch):
    monkeypatch.setenv("ORDERS", "mine.csv")
    assert read_settings(Settings).sources == ("orders_csv",)


def test_two_simulated_shops_are_two_shops():
    assert read_settings(Settings, customers=10).shop != read_settings(Settings, customers=11).shop
    assert read_settings(Settings, seed=1).shop != read_settings(Settings, seed=2).shop


ADDRESSES = [
    (AirbyteSettings, "AIRBYTE_URL", "/v1"),
    (TableauSettings, "TABLEAU_URL", ""),
    (HubSpotSettings, "HUBSPOT_BASE_URL", ""),
]


@pytest.mark.parametrize(("kind", "variable", "path"), ADDRESSES)
def test_secrets_go_to_an_encrypted_address_or_to_this_machine(monkeypatch, kind, variable, path):
    for address in (f"https://example.com{path}", f"http://127.0.0.1:8000{path}", f"http://localhost{path}"):
        monkeypatch.setenv(variable, address)
        assert f"{variable}={address}" in changed(read_settings(kind))
    for address in (f"http://example.com{path}", "example.com", f"ftp://example.com{path}", "https://", "https://["):
        monkeypatch.setenv(variable, address)
        with pytest.raises(SettingsError, match=f"{variable}: .*write it as https://"):
            read_settings(kind)


@pytest.mark.parametrize(("kind", "variable", "path"), ADDRESSES)
@pytest.mark.parametrize(
    "address", ["https://me:hunter2@example.com", "https://example.com?key=hunter2", "https://hunter2@["]
)
def test_a_secret_in_an_address_is_refused_without_showing_it(monkeypatch, kind, variable, path, address):
    monkeypatch.setenv(variable, address)
    with pytest.raises(SettingsError, match=variable) as refused:
        read_settings(kind)
    assert "hunter2" not in str(refused.value)


def test_what_differs_from_the_defaults_is_shown_as_it_can_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("ORDERS", "mine.csv")
    monkeypatch.setenv("SHOW_PII", "true")
    monkeypatch.setenv("AS_OF", "2026-01-31")
    monkeypatch.setenv("CUSTOMERS", "5000")  # as by default
    monkeypatch.setenv("DATA_DIR", "data")  # as by default
    assert changed(read_settings(Settings, horizon_days=90)) == [
        "ORDERS=mine.csv",
        "AS_OF=2026-01-31",
        "HORIZON_DAYS=90",
        "SHOW_PII=1",
    ]


def test_a_secret_is_never_shown(monkeypatch):
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "hunter2")
    monkeypatch.setenv("SNOWFLAKE_SCHEMA", "bronze")
    assert changed(read_settings(SnowflakeSettings)) == ["SNOWFLAKE_PASSWORD=(secret)", "SNOWFLAKE_SCHEMA=bronze"]
    monkeypatch.setenv("AIRBYTE_CONNECTIONS", "shop, till")
    assert changed(read_settings(AirbyteSettings)) == ["AIRBYTE_CONNECTIONS=shop,till"]


def test_a_variable_with_a_name_of_its_own_is_named_by_it(monkeypatch):
    monkeypatch.setenv("SNOWFLAKE_SCORING", "guess")
    monkeypatch.setenv("SNOWFLAKE_PORT", "door")
    with pytest.raises(SettingsError, match=r"(?s)SNOWFLAKE_SCORING=guess.*SNOWFLAKE_PORT=door"):
        read_settings(SnowflakeSettings)
