"""Whatever the marts say of people: nobody who has opted out or is in a holdout reaches a destination, nobody who is
not known to consent to ads one that shows them, and the treated reach that of their campaign alone."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import duckdb
import jinja2
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flows.flow.activation
import flows.flow.campaign
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.campaign_sends import read_control_group
from flows.adapters.marts.campaign_tables import Launched
from flows.campaigns.assignment import in_global_holdout
from flows.errors import BadInput
from flows.ports.destination import results
from flows.settings import Settings
from tests.examples.candidates import campaign
from tests.running.dbt import DBT_PROJECT

TODAY = date(2026, 3, 31)
COLUMNS = (
    "email varchar, segment varchar, risk_band varchar, lifecycle varchar, queue varchar,"
    " churn_probability double, expected_spend double, clv double, expected_loss double, win_back_value double,"
    " reason_1 varchar, recommended_action varchar, country varchar, currency varchar, scored_at timestamp"
)
TABLES = f"""
create schema marts;
create schema intermediate;
create table intermediate.int_customer_identities (given_customer_id varchar, customer_id varchar);
create table marts.marketing_customers (customer_id varchar, as_of_date date, may_be_contacted boolean,
    opted_out boolean, consents_to_advertising varchar, {COLUMNS});
create table marts.churn_predictions (source varchar, scored_at timestamp, horizon_days integer);
create table marts.campaigns (campaign varchar, launched_on date, window_ends_on date);
create table marts.campaign_targets (
    campaign varchar, customer_id varchar, arm varchar, position integer, segment varchar, risk_band varchar,
    variant varchar);
create table marts.campaign_sends (
    campaign varchar, customer_id varchar, destination varchar, result varchar, detail varchar,
    contacted_on date, sent_at timestamp);
create table marts.segment_activations (
    customer_id varchar, destination varchar, fingerprint varchar, result varchar, detail varchar, sent_at timestamp);
"""
FILLED = {
    "intermediate.int_customer_identities": ("given_customer_id", "customer_id"),
    "marts.marketing_customers": (
        "customer_id",
        "as_of_date",
        "may_be_contacted",
        "opted_out",
        "consents_to_advertising",
    ),
    "marts.campaigns": ("campaign", "launched_on", "window_ends_on"),
    "marts.campaign_targets": ("campaign", "customer_id", "arm", "position", "segment", "risk_band", "variant"),
    "marts.campaign_sends": ("campaign", "customer_id", "destination", "result"),
    "marts.segment_activations": (),  # by what is sent
}
# the project's own definition
RESERVED = jinja2.Template((DBT_PROJECT / "models/intermediate/int_reserved_customers.sql").read_text()).render(
    config=lambda **_: "",
    as_of_date=lambda: f"date '{TODAY}'",
    ref=lambda name: f"{'intermediate' if name.startswith('int_') else 'marts'}.{name}",
)


@dataclass
class Recording:
    """A destination that records who it received, and accepts everyone."""

    is_full_refresh: bool = False
    name: str = "hubspot"
    handed: list[str] = field(default_factory=list)

    def send(self, request):
        self.handed += request.people["customer_id"].to_pylist()
        for start in range(0, len(request.people), 2):
            yield results(request.people["customer_id"].slice(start, 2), "sent")


PEOPLE = st.lists(
    st.tuples(
        st.booleans(),  # may be contacted
        st.sampled_from(["treated", "holdout", "global_holdout", None]),  # in the campaign that is sent
        st.sampled_from(["treated", "holdout", None]),  # in another one
        st.booleans(),  # was sent before
        st.sampled_from([None, "renamed", "with a holdout member"]),  # what happened to their id since the launch
        st.sampled_from(["yes", "no", "unknown"]),  # to advertising
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def warehouse():
    """In memory, and one for all examples: to make and to open files takes longer than all else that is done here."""
    with duckdb.connect() as con, pytest.MonkeyPatch.context() as patch:
        con.execute(TABLES)
        con.execute(f"create view intermediate.int_reserved_customers as {RESERVED}")
        patch.setattr(DuckDBWarehouse, "connect", lambda _: con.cursor())
        in_memory = DuckDBWarehouse(Path("nowhere"), Path("nowhere"))
        patch.setattr(flows.flow.activation, "wire", lambda _: SimpleNamespace(warehouse=in_memory))
        yield in_memory


def fill(warehouse: DuckDBWarehouse, people, other_ends: date) -> None:
    """From now on these people are in the warehouse, and nobody else."""
    rows = {name: [] for name in FILLED}
    rows["marts.campaigns"] += [("spring", TODAY, date(2026, 4, 30)), ("other", TODAY, other_ends)]
    for number, (may, arm, other, was_sent, merged, consents) in enumerate(people):
        who = f"C{number}"
        rows["marts.marketing_customers"].append((who, TODAY, may, not may, consents))
        then = f"old {who}" if merged == "renamed" else who
        if merged:
            rows["intermediate.int_customer_identities"].append((f"old {who}", who))
        if merged == "with a holdout member":
            rows["marts.campaign_targets"].append(("spring", f"old {who}", "holdout", 1, "Lost", "low", None))
        for name, of in (("spring", arm), ("other", other)):
            if of:
                rows["marts.campaign_targets"].append((name, then, of, 1, "Lost", "high", None))
        if was_sent and arm == "treated":
            rows["marts.campaign_sends"].append(("spring", then, "hubspot", "sent"))
    with warehouse.connect() as con:
        for name, columns in FILLED.items():
            con.execute(f"delete from {name}")
            of_name = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows[name]])
            if len(of_name):
                con.register("drawn", of_name)
                con.execute(f"insert into {name} by name from drawn")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, rewrites=st.booleans(), name=st.sampled_from(["hubspot", "google", "meta"]))
def test_a_campaign_is_sent_to_its_treated_who_may_be_contacted_and_to_nobody_else(warehouse, people, rewrites, name):
    to = Recording(rewrites, name)
    fill(warehouse, people, TODAY)
    spring = campaign(destination=name)
    launched = Launched("spring", date(2026, 3, 31), date(2026, 4, 30), 1, 1)
    flows.flow.campaign.send_treated.fn(warehouse, to, spring, launched)
    treated = {
        f"C{n}": (may and merged != "with a holdout member" and (name == "hubspot" or consents == "yes"), was_sent)
        for n, (may, arm, _, was_sent, merged, consents) in enumerate(people)
        if arm == "treated"
    }
    wanted = [who for who, (may, was_sent) in treated.items() if may and (rewrites or not was_sent)]
    assert sorted(to.handed) == sorted(wanted)
    sends = warehouse.read("select customer_id, result from marts.campaign_sends").to_pylist()
    results_of = {row["customer_id"].removeprefix("old "): row["result"] for row in sends}
    assert results_of == {who: "sent" if may or was_sent else "opted_out" for who, (may, was_sent) in treated.items()}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, other_runs=st.booleans(), share=st.sampled_from([0.0, 0.4]))
def test_segments_go_to_nobody_who_is_in_a_campaign_or_opted_out(monkeypatch, warehouse, people, other_runs, share):
    to = Recording()
    monkeypatch.setattr(flows.flow.activation, "destination", lambda *_: to)
    fill(warehouse, people, date(2026, 4, 1) if other_runs else TODAY)
    given_settings = Settings(destination="hubspot", global_holdout=share)
    flows.flow.activation.activate_segments.fn(given_settings)
    never = in_global_holdout([f"C{n}" for n in range(len(people))], share)
    wanted = [
        f"C{n}"
        for n, (may, arm, other, _, merged, _) in enumerate(people)
        if may and arm is None and merged != "with a holdout member" and not never[n]
        and not (other_runs and other)
    ]  # fmt: skip
    assert sorted(to.handed) == sorted(wanted)
    flows.flow.activation.activate_segments.fn(given_settings)
    assert sorted(to.handed) == sorted(wanted)  # who has not changed is not handed over again


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, name=st.sampled_from(["google", "meta"]))
def test_segments_go_to_who_shows_ads_of_those_alone_who_consent_to_them(monkeypatch, warehouse, people, name):
    to = Recording(name=name)
    monkeypatch.setattr(flows.flow.activation, "destination", lambda *_: to)
    fill(warehouse, people, TODAY)
    wanted = {
        f"C{n}": consents
        for n, (may, arm, _, _, merged, consents) in enumerate(people)
        if may and arm is None and merged != "with a holdout member"
    }
    if "yes" in wanted.values():
        flows.flow.activation.activate_segments.fn(Settings(destination=name))
    else:
        with pytest.raises(BadInput, match="nobody is known to consent to advertising"):
            flows.flow.activation.activate_segments.fn(Settings(destination=name))
    assert sorted(to.handed) == sorted(who for who, consents in wanted.items() if consents == "yes")


def test_the_control_group_of_a_campaign_of_ads_is_listed_without_those_who_refuse_them_now(warehouse):
    held_out = [(True, "holdout", None, False, None, consents) for consents in ("yes", "no", "unknown")]
    fill(warehouse, held_out, TODAY)
    assert read_control_group(warehouse, "spring", "meta")["customer_id"].to_pylist() == ["C0"]
    assert read_control_group(warehouse, "spring", "hubspot")["customer_id"].to_pylist() == ["C0", "C1", "C2"]
