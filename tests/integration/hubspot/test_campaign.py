"""A whole campaign to HubSpot: planned and frozen here, sent by the real SDK to a stand-in, interrupted and resumed."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.errors import HubSpotRefused, SettingsError
from flows.flow.activation import activation
from flows.flow.campaign import campaign
from flows.settings import Settings
from tests.stand_ins.hubspot import MISSING_SCOPES, OPENING, TOKEN
from tests.stand_ins.hubspot_writing import WritableHubSpot

pytestmark = pytest.mark.whole_run

SHOP = {"customers": 1_500, "seed": 12, "horizon_days": 60}
FILE = """
name: spring
offer: {text: 5 € off, cost_per_contact: 0.1, cost_per_redemption: 5}
margin: 0.4
budget: 300
holdout: 0.4
destination: hubspot
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory, run_pipeline):
    folder = tmp_path_factory.mktemp("hubspot_campaign") / "data"
    run_pipeline(folder, as_of=date(2026, 2, 28), **SHOP)
    return folder


class Shop:
    """A shop after a run, whose customers are contacts in HubSpot."""

    def __init__(self, folder: Path, hubspot: WritableHubSpot):
        self.settings, self.file = Settings(data_dir=folder, **SHOP), folder.parent / "campaign.yml"
        self.hubspot = hubspot
        self.customers = self.ask("select customer_id, email from marts.marketing_customers where email is not null")
        self.contacts = {email: hubspot.contacts.add({"email": email}) for email in self.customers["email"].to_pylist()}

    def ask(self, query):
        return DuckDBWarehouse(self.settings.warehouse_file, self.settings.scratch).read(query)

    def preview(self):
        return campaign(self.settings, self.file)

    def launch(self):
        return campaign(self.settings, self.file, launches=True)

    def arm(self, name):
        """Record ids of an arm."""
        rows = self.ask(
            f"""select email from marts.campaign_targets inner join marts.marketing_customers using (customer_id)
            where arm = '{name}'"""
        )
        return {self.contacts[email] for email in rows["email"].to_pylist()}

    def updated(self):
        """Record ids that got any segment."""
        return {i for i, record in self.hubspot.contacts.alive().items() if "rfm_segment" in record.properties}

    def listed(self):
        return self.hubspot.list_called("spring").members


@pytest.fixture
def shop(before, tmp_path, monkeypatch):
    hubspot = WritableHubSpot()
    folder = Path(shutil.copytree(before, tmp_path / "data"))
    (tmp_path / "campaign.yml").write_text(FILE, encoding="utf-8")
    with hubspot.serving() as url:
        monkeypatch.setenv("HUBSPOT_BASE_URL", url)
        monkeypatch.setenv("HUBSPOT_ACTIVATION_TOKEN", TOKEN)
        yield Shop(folder, hubspot)


def test_the_list_has_the_treated_and_nobody_else_is_changed(shop):
    found = shop.launch()
    assert shop.listed() == shop.updated() == shop.arm("treated")
    assert not shop.updated() & shop.arm("holdout")
    assert shop.hubspot.list_called("spring control group").members == shop.arm("holdout")
    assert found.suppressed_in == 'the static list "spring control group" of HubSpot'
    assert found.sent == {"sent": len(shop.listed())}
    assert len(shop.listed()) > 200


def test_what_was_interrupted_is_gone_on_with_and_ends_as_if_it_had_not_been(shop):
    adds = []

    def fail_at_the_second_batch(request):
        of_treated = shop.hubspot.list_called("spring")
        if of_treated and request.path.endswith(f"/{of_treated.list_id}/memberships/add"):
            adds.append(request)
            return MISSING_SCOPES if len(adds) == 2 else None
        return None

    shop.hubspot.intervene = fail_at_the_second_batch
    with pytest.raises(HubSpotRefused):
        shop.launch()
    recorded = shop.ask("select result, count(*) as n from marts.campaign_sends group by 1").to_pylist()
    assert recorded == [{"result": "sent", "n": 100}]
    shop.hubspot.intervene = lambda request: None
    request_count = len(shop.hubspot.requests)

    found = shop.launch()

    assert shop.listed() == shop.updated() == shop.arm("treated")
    assert found.sent == {"sent": len(shop.listed())}
    again = [
        i for r in shop.hubspot.requests[request_count:] if r.path.endswith("/batch/update") for i in r.body["inputs"]
    ]
    assert len(again) == len(shop.listed()) - 100  # who was sent is not sent again


def test_contacts_who_are_gone_or_opted_out_in_hubspot_are_left_alone_and_reported(shop):
    treated = shop.preview().plan.targets
    ids = [row["customer_id"] for row in treated.to_pylist() if row["arm"] == "treated"][:2]
    gone, out = (
        shop.contacts[shop.customers["email"][shop.customers["customer_id"].to_pylist().index(i)].as_py()] for i in ids
    )
    shop.hubspot.contacts.archive([gone], OPENING)
    shop.hubspot.contacts.update(out, {"hs_email_optout": "true"}, OPENING)
    found = shop.launch()
    assert (found.sent["not_found"], found.sent["opted_out"]) == (1, 1)
    assert not shop.listed() & {gone, out}


def test_a_list_of_somebody_else_stops_the_campaign_before_anything_is_sent(shop):
    stranger = shop.hubspot.contacts.add({"email": "stranger@example.org"})
    shop.hubspot.add_list("spring", {stranger})
    with pytest.raises(HubSpotRefused, match="spring"):
        shop.launch()
    assert shop.updated() == set()
    assert shop.ask("from marts.campaigns").num_rows == 0


def test_without_a_token_it_can_be_previewed_and_not_sent(shop, monkeypatch):
    monkeypatch.delenv("HUBSPOT_ACTIVATION_TOKEN")
    assert shop.preview().plan.count("treated") > 200
    with pytest.raises(SettingsError, match="HUBSPOT_ACTIVATION_TOKEN is missing"):
        shop.launch()
    assert shop.ask("from marts.campaigns").num_rows == 0


def test_segments_go_to_everybody_but_the_campaigns_targets_and_again_only_where_they_changed(shop):
    shop.launch()
    to_hubspot = shop.settings.model_copy(update={"destination": "hubspot"})
    activation(to_hubspot)
    may = shop.ask("select email from marts.marketing_customers where may_be_contacted and email is not null")
    others = {shop.contacts[email] for email in may["email"].to_pylist()}
    assert len(others) > 100
    assert not others & (shop.arm("holdout") | shop.arm("treated"))  # whom the campaign has
    assert shop.updated() == others | shop.arm("treated")
    assert shop.listed() == shop.arm("treated")
    request_count = len(shop.hubspot.requests)
    activation(to_hubspot)
    assert not [r for r in shop.hubspot.requests[request_count:] if r.path.endswith("/batch/update")]
    with DuckDBWarehouse(shop.settings.warehouse_file, shop.settings.scratch).connect() as con:
        con.execute(
            """update marts.marketing_customers set segment = 'Lost' where customer_id =
            (select min(customer_id) from marts.segment_activations where result = 'sent')"""
        )
    request_count = len(shop.hubspot.requests)
    activation(to_hubspot)
    (update,) = [r for r in shop.hubspot.requests[request_count:] if r.path.endswith("/batch/update")]
    assert len(update.body["inputs"]) == 1
