import pytest

from flows.errors import SettingsError
from flows.settings import read_settings


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("AS_OF", "2011-13-45", "write it as YYYY-MM-DD"),
        ("HORIZON_DAYS", "soon", "HORIZON_DAYS=soon"),
        ("HORIZON_DAYS", "3", "greater than or equal to 7"),
        ("CUSTOMERS", "-1", "CUSTOMERS=-1"),
        ("WAREHOUSE", "oracle", "WAREHOUSE=oracle"),
    ],
)
def test_a_setting_that_does_not_fit_is_named_with_what_would(monkeypatch, variable, value, says):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=says):
        read_settings()


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(SettingsError, match="leave out ORDERS="):
        read_settings(source="simulated_shop", orders="mine.csv")


def test_blank_make_variables_count_as_unset(monkeypatch):
    for variable in ("ORDERS", "SOURCE", "AS_OF", "HORIZON_DAYS", "CUSTOMERS", "SEED"):
        monkeypatch.setenv(variable, "")
    settings = read_settings()
    assert settings.orders is None
    assert settings.horizon_days is None
    assert settings.sources == ("simulated_shop",)


def test_orders_without_a_source_are_read_by_their_headers(monkeypatch):
    monkeypatch.setenv("ORDERS", "mine.csv")
    assert read_settings().sources == ("orders_csv",)


def test_two_simulated_shops_are_two_shops():
    assert read_settings(customers=10).shop != read_settings(customers=11).shop
    assert read_settings(seed=1).shop != read_settings(seed=2).shop
