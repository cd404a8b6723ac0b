"""Files as shop systems write them and spreadsheets damage them, held against what those shops really sold."""

import json
from datetime import UTC, datetime

import pytest

from flows.errors import BadInput
from flows.flow.pipeline import read_history
from flows.settings import REPOSITORY, Settings
from flows.steps.building import build
from flows.wiring import wire

EXPORTS = REPOSITORY.parent / "shared" / "cases" / "exports"
STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
RFM = ("+customer_rfm,path:models/intermediate", "+customer_rfm,path:models/marts")

# the workbook has the rows of that file, GUEST on 1,104 of its orders, and not those that its own entry adds up
SAME_ROWS_AS = {"orders.xlsx": "guest_word.csv"}

TRUTH = json.loads((EXPORTS / "truth.json").read_text()) if EXPORTS.exists() else {}

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(not TRUTH, reason=f"needs {EXPORTS.relative_to(REPOSITORY.parent)}"),
]


def what_a_run_finds(data_dir, orders, read):
    """Net sales, customers, first and last day, as the marts have them; the words of a refusal."""
    settings = Settings(data_dir=data_dir, orders=str(orders))
    try:
        wiring = wire(settings)
        history = read_history(wiring, settings, STARTED_AT)
        build(wiring.dbt, "customers", RFM, history.mappings, history.run_values)
    except BadInput as refused:
        return str(refused)
    [found] = read(
        data_dir,
        """select round(sum(monetary), 2) as net, cast(max(as_of_date) as varchar) as last,
            (select count(distinct customer_id) from intermediate.int_order_lines) as customers,
            (select cast(min(purchased_on) as varchar) from intermediate.int_purchases) as first
        from marts.customer_rfm""",
    ).to_pylist()
    return found


@pytest.mark.parametrize("name", TRUTH or ["none"])
def test_an_export_is_read_as_its_shop_would_or_refused(name, tmp_path, read):
    truth = TRUTH[SAME_ROWS_AS.get(name, name)]
    found = what_a_run_finds(tmp_path, EXPORTS / name / truth.get("pattern", ""), read)
    if isinstance(found, str):
        assert truth.get("refusal") or truth.get("refusal_ok"), found
        return
    assert not truth.get("refusal"), found
    assert any(found["net"] == pytest.approx(net, abs=0.01) for net in truth["net"]), (found, truth.get("of"))
    assert {key: found[key] for key in found.keys() & truth.keys() - {"net"}} == {
        key: truth[key] for key in found.keys() & truth.keys() - {"net"}
    }
    assert truth.get("customers_at_least", 0) <= found["customers"] <= truth.get("customers_at_most", 1_000_000)
