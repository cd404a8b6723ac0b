import pytest

from flows.errors import BadInput
from flows.settings import REPOSITORY
from flows.sources.connections import read_connections

FILE = REPOSITORY / "airbyte" / "connections.yml"


def test_the_connections_that_come_with_the_project_are_valid():
    connections = read_connections(FILE)
    assert {"orders_csv", "simulated_shop", "online_retail"} <= set(connections.connections)


def test_an_unknown_source_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match=r"SOURCE=my_shop is not in .*online_retail"):
        read_connections(FILE).connection("my_shop")


@pytest.mark.parametrize(
    ("was", "is_now", "message"),
    [
        ("order_id: InvoiceNo", "order_nr: InvoiceNo", "columns.order_nr"),
        ("decimal: point", "decimal: dot", "decimal.*'point' or 'comma'"),
        ("duplicates: reject", "duplicates: maybe", "duplicates"),
        ("sku: StockCode", "channel: StockCode", "looks at sku, which `columns` does not map"),
        ("connector: csv", "connector: fax", "connector"),
        ("connections:", "connections: [", "not valid YAML"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(tmp_path, was, is_now, message):
    file = tmp_path / "connections.yml"
    file.write_text(FILE.read_text().replace(was, is_now))
    with pytest.raises(BadInput, match=message):
        read_connections(file)
