"""What a run reads, from what the user named."""

import pytest

from flows.errors import BadInput, SettingsError
from flows.settings import CONNECTIONS, Settings
from flows.sources.connections import read_connections
from flows.sources.selection import sources_of

LISTED = read_connections(CONNECTIONS)


def of(**settings):
    return sources_of(Settings(**settings), LISTED)


@pytest.mark.parametrize(
    ("given", "orders", "contacts", "synced"),
    [
        ({}, ("simulated_shop",), ("simulated_shop",), ()),
        ({"orders": "o.csv"}, ("orders_csv",), (), ()),
        ({"orders": "o.csv", "contacts": "c.csv"}, ("orders_csv",), ("contacts_csv",), ()),
        ({"orders": "o.csv", "contacts": "hubspot"}, ("orders_csv",), ("hubspot",), ("hubspot",)),
        ({"source": "hubspot"}, ("hubspot",), ("hubspot",), ("hubspot",)),
        ({"source": "orders_csv,hubspot", "orders": "o.csv"}, ("orders_csv", "hubspot"), ("hubspot",), ("hubspot",)),
        ({"source": "hubspot", "contacts": "c.csv"}, ("hubspot",), ("hubspot", "contacts_csv"), ("hubspot",)),
        # elsewhere, Airbyte brings what no file does
        ({"source": "online_retail", "warehouse": "snowflake"}, ("online_retail",), (), ("online_retail",)),
        ({"source": "online_retail", "warehouse": "snowflake", "orders": "o.csv"}, ("online_retail",), (), ()),
    ],
)
def test_orders_and_contacts_come_from_what_was_named(given, orders, contacts, synced):
    found = of(**given)
    assert (found.orders, found.contacts, found.synced) == (orders, contacts, synced)


@pytest.mark.parametrize(
    ("given", "files", "connections"),
    [
        ({}, None, ("simulated_shop",)),
        ({"products": "p.csv"}, ("products_csv", "p.csv"), ("simulated_shop", "products_csv")),
        (
            {"orders": "o.csv", "products": "products_csv", "warehouse": "snowflake"},
            ("products_csv", None),
            ("orders_csv", "products_csv"),
        ),
    ],
)
def test_a_table_of_products_comes_from_a_file_or_elsewhere_from_what_airbyte_brings(given, files, connections):
    found = of(**given)
    assert found.files.get("products") == files
    assert found.all == connections
    assert found.synced == (("products_csv",) if files == ("products_csv", None) else ())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"source": "nowhere"}, "SOURCE=nowhere is not in airbyte/connections.yml"),
        ({"source": "online_retail"}, "SOURCE=online_retail needs ORDERS= too"),
        ({"source": "contacts_csv"}, "brings no order lines"),
        ({"source": "hubspot", "orders": "o.csv"}, "SOURCE=orders_csv,hubspot; for contacts only, CONTACTS=hubspot"),
        ({"source": "orders_csv,online_retail", "orders": "o.csv"}, "are both files"),
        ({"orders": "o.csv", "contacts": "online_retail"}, "CONTACTS=online_retail brings no contacts"),
        ({"orders": "o.csv", "contacts": "contacts_csv"}, "say CONTACTS=<the file>"),
        ({"orders": "o.csv", "products": "hubspot"}, "PRODUCTS=hubspot brings no products"),
        ({"orders": "o.csv", "products": "products_csv"}, "say PRODUCTS=<the file>"),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_to_write(given, message):
    with pytest.raises(BadInput, match=message):
        of(**given)


def test_sources_of_one_shop_are_one_warehouse_in_whatever_order_they_are_named():
    assert (
        Settings(source="hubspot,orders_csv", orders="o").shop == Settings(source="orders_csv,hubspot", orders="o").shop
    )


def test_a_connections_secrets_come_from_the_environment_and_a_missing_one_is_named():
    hubspot = LISTED.connection("hubspot")
    filled = hubspot.filled_config({"HUBSPOT_ACCESS_TOKEN": "pat"})
    assert filled["credentials"] == {"access_token": "pat"}
    assert filled["base_url"] == "https://api.hubapi.com"
    with pytest.raises(SettingsError, match=r"needs HUBSPOT_ACCESS_TOKEN"):
        hubspot.filled_config({})
