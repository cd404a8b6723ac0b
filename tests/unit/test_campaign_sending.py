"""Whatever the marts say of people: nobody who has opted out or is held out is handed to a destination."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import jinja2
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flows.activating
import flows.campaigning
from flows.adapters.campaign_tables import Launched
from flows.adapters.destinations.destination import results
from flows.adapters.duckdb_warehouse import DuckDBWarehouse
from flows.campaigns.assignment import in_global_holdout
from flows.settings import Settings
from tests.dbt import DBT_PROJECT
from tests.unit.campaigns import campaign

TODAY = date(2026, 3, 31)
COLUMNS = (
    "email varchar, segment varchar, risk_band varchar, churn_probability double, expected_spend double,"
    " reason_1 varchar, recommended_action varchar, country varchar, currency varchar, scored_at timestamp"
)
TABLES = f"""
create schema marts;
create schema intermediate;
create table intermediate.int_customer_identities (given_customer_id varchar, customer_id varchar);
create table marts.marketing_customers (customer_id varchar, as_of_date date, may_be_contacted boolean, {COLUMNS});
create table marts.churn_predictions (source varchar, scored_at timestamp, horizon_days integer);
create table marts.campaigns (campaign varchar, launched_on date, window_ends_on date);
create table marts.campaign_targets (
    campaign varchar, customer_id varchar, arm varchar, position integer, segment varchar, risk_band varchar);
create table marts.campaign_sends (
    campaign varchar, customer_id varchar, destination varchar, result varchar, detail varchar,
    contacted_on date, sent_at timestamp);
create table marts.segment_activations (
    customer_id varchar, destination varchar, fingerprint varchar, result varchar, detail varchar, sent_at timestamp);
"""
# the project's own definition
HELD_OUT = jinja2.Template((DBT_PROJECT / "models/intermediate/int_held_out.sql").read_text()).render(
    config=lambda **_: "",
    as_of_date=lambda: f"date '{TODAY}'",
    ref=lambda name: f"{'intermediate' if name.startswith('int_') else 'marts'}.{name}",
)


@dataclass
class Recording:
    """A destination that remembers whom it was handed, and takes everybody."""

    rewrites_everybody: bool = False
    name: str = "hubspot"
    handed: list[str] = field(default_factory=list)

    def send(self, outgoing):
        self.handed += outgoing.people["customer_id"].to_pylist()
        for start in range(0, len(outgoing.people), 2):
            yield results(outgoing.people["customer_id"].slice(start, 2), "sent")


PEOPLE = st.lists(
    st.tuples(
        st.booleans(),  # may be contacted
        st.sampled_from(["treated", "holdout", "global_holdout", None]),  # in the campaign that is sent
        st.sampled_from(["treated", "holdout", None]),  # in another one
        st.booleans(),  # was sent before
        st.sampled_from([None, "renamed", "with a held-out"]),  # what has become of his id since the launch
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("sending")


def shop(place: Path, people, other_ends: date) -> Settings:
    """A warehouse in which these people are."""
    given_settings = Settings(data_dir=place)
    given_settings.warehouse_file.unlink(missing_ok=True)
    warehouse = DuckDBWarehouse(given_settings.warehouse_file, given_settings.scratch)
    with warehouse.connect() as con:
        con.execute(TABLES)
        con.execute(f"create view intermediate.int_held_out as {HELD_OUT}")
        con.execute(
            "insert into marts.campaigns values ('spring', $1, date '2026-04-30'), ('other', $1, $2)",
            [TODAY, other_ends],
        )
        for number, (may, arm, other, was_sent, merged) in enumerate(people):
            who = f"C{number}"
            con.execute(
                "insert into marts.marketing_customers (customer_id, as_of_date, may_be_contacted) values (?, ?, ?)",
                [who, TODAY, may],
            )
            then = f"old {who}" if merged == "renamed" else who
            if merged:
                con.execute("insert into intermediate.int_customer_identities values (?, ?)", [f"old {who}", who])
            if merged == "with a held-out":
                con.execute(
                    "insert into marts.campaign_targets values ('spring', ?, 'holdout', 1, 'Lost', 'low')",
                    [f"old {who}"],
                )
            for name, of in (("spring", arm), ("other", other)):
                if of:
                    con.execute(
                        "insert into marts.campaign_targets values (?, ?, ?, 1, 'Lost', 'high')", [name, then, of]
                    )
            if was_sent and arm == "treated":
                con.execute(
                    "insert into marts.campaign_sends values ('spring', ?, 'hubspot', 'sent', null, null, null)", [then]
                )
    return given_settings


def ask(given_settings: Settings, query: str) -> pa.Table:
    return DuckDBWarehouse(given_settings.warehouse_file, given_settings.scratch).read(query)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, rewrites=st.booleans())
def test_a_campaign_is_sent_to_its_treated_who_may_be_contacted_and_to_nobody_else(
    monkeypatch, place, people, rewrites
):
    to = Recording(rewrites)
    monkeypatch.setattr(flows.campaigning, "destination", lambda *_: to)
    given_settings = shop(place, people, TODAY)
    spring = campaign(destination="hubspot")
    launched = Launched("spring", date(2026, 3, 31), date(2026, 4, 30), 1, 1)
    flows.campaigning.send_treated.fn(given_settings, spring, launched)
    treated = {
        f"C{n}": (may and merged != "with a held-out", was_sent)
        for n, (may, arm, _, was_sent, merged) in enumerate(people)
        if arm == "treated"
    }
    wanted = [who for who, (may, was_sent) in treated.items() if may and (rewrites or not was_sent)]
    assert sorted(to.handed) == sorted(wanted)
    sends = ask(given_settings, "select customer_id, result from marts.campaign_sends").to_pylist()
    told = {row["customer_id"].removeprefix("old "): row["result"] for row in sends}
    assert told == {who: "sent" if may or was_sent else "opted_out" for who, (may, was_sent) in treated.items()}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, other_runs=st.booleans(), share=st.sampled_from([0.0, 0.4]))
def test_segments_go_to_nobody_who_is_held_out_or_has_opted_out(monkeypatch, place, people, other_runs, share):
    to = Recording()
    monkeypatch.setattr(flows.activating, "destination", lambda *_: to)
    given_settings = shop(place, people, date(2026, 4, 1) if other_runs else TODAY).model_copy(
        update={"destination": "hubspot", "global_holdout": share}
    )
    flows.activating.activate_segments.fn(given_settings)
    never = in_global_holdout([f"C{n}" for n in range(len(people))], share)
    wanted = [
        f"C{n}"
        for n, (may, arm, other, _, merged) in enumerate(people)
        if may and arm in ("treated", None) and merged != "with a held-out" and not never[n]
        and not (other_runs and other == "holdout")
    ]  # fmt: skip
    assert sorted(to.handed) == sorted(wanted)
    flows.activating.activate_segments.fn(given_settings)
    assert sorted(to.handed) == sorted(wanted)  # who has not changed is not handed over again
