"""A campaign on Snowflake's stand-in is the campaign of the laptop: the same arms, the same results, no other SQL."""

import json
import re
from contextlib import contextmanager
from datetime import date, timedelta
from hashlib import sha256

import httpx
import pytest

from flows.adapters.agents.figures import Figures
from flows.adapters.agents.texts import Shown
from flows.adapters.agents.tools import tools
from flows.adapters.dbt.descriptions import read_descriptions
from flows.flow.activation import activation
from flows.flow.campaign import campaign, preview
from flows.wiring import wire
from tests.running.both_engines import differences, run_on_both
from tests.running.processes import flows, free_port, wait_for_port
from tests.stand_ins.snowflake_server import snowflake_server
from tests.stand_ins.snowflake_sql import problems

pytestmark = [pytest.mark.whole_run, pytest.mark.release]

OURS = ("campaign", "segment_activations", "marketing_customers", "promises")
SHOP = {"customers": 700, "seed": 11, "horizon_days": 60}
LAUNCHED_ON, WINDOW_DAYS = date(2026, 2, 28), 30
FILE = f"""
name: spring
offer: {{text: 5 € off, cost_per_contact: 0.1, cost_per_redemption: 5}}
margin: 0.4
budget: 100
holdout: 0.4
window_days: {WINDOW_DAYS}
destination: mailchimp
"""
# what somebody types into the page for campaigns
TYPED = {
    "name": "by_hand", "audience.segments": ["Champions", "Loyal", "Promising"], "offer.text": "5 € off",
    "offer.kind": "amount_off", "offer.value": "5", "offer.cost_per_contact": "0.1", "offer.cost_per_redemption": "5",
    "margin": "40", "budget": "60", "holdout": "40", "window_days": str(WINDOW_DAYS), "destination": "csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory, run_pipeline):
    """A campaign, launched and measured in both warehouses: their settings, and the statements that Snowflake got."""
    folder = tmp_path_factory.mktemp("both")
    (folder / "campaign.yml").write_text(FILE, encoding="utf-8")
    with snowflake_server() as server, pytest.MonkeyPatch.context() as environment:
        laptop, cloud = run_on_both(run_pipeline, folder, server, environment, as_of=LAUNCHED_ON, **SHOP)
        for settings in (laptop, cloud):
            campaign(settings, folder / "campaign.yml", launches=True)
        again = campaign(cloud, folder / "campaign.yml", launches=True)
        by_hand = _by_hand(cloud, server)
        campaign(laptop, cloud.campaign_files_folder / "by_hand.yml", launches=True)
        statements = server.steer()["statements"]
        after = LAUNCHED_ON + timedelta(days=WINDOW_DAYS)
        laptop, cloud = run_on_both(run_pipeline, folder, server, environment, as_of=after, **SHOP)
        found = differences(laptop, cloud)
        statements += server.steer()["statements"]
        with _page(cloud, server) as page:
            by_hand["result"] = page.get("/campaigns/of/by_hand").text
        statements += server.steer()["statements"]
        activation(cloud.model_copy(update={"destination": "klaviyo"}))
        activations = wire(cloud).warehouse.read(
            "select result, count(*) as n from marts.segment_activations group by 1"
        )
        answers = [list(_answers(settings)) for settings in (laptop, cloud)]
        statements += server.steer()["statements"]
        yield laptop, cloud, again, found, by_hand, activations, answers, statements


@contextmanager
def _page(cloud, server):
    """A client of the page for campaigns of `make serve`, with the token of its session."""
    port = free_port()
    given = server.flow_settings | {"PORT": str(port), "MODELS": cloud.models, "HORIZON_DAYS": "60"}
    address = f"http://127.0.0.1:{port}"
    with flows("serve", cloud.data_dir, **given) as process, httpx.Client(base_url=address, timeout=300) as client:
        wait_for_port(port, process)
        token = re.search(r'name="csrf" content="(\w+)"', client.get("/campaigns/new").text)[1]
        client.headers.update({"origin": address, "x-csrf-token": token})
        yield client


def _by_hand(cloud, server):
    """A campaign through the page: what it answered to each step."""
    with _page(cloud, server) as page:
        found = {"form": page.get("/campaigns/new").text}

        def send(step, **content):
            answer = page.post(f"/campaigns/{step}", json=content)
            found[step] = answer.json()
            assert answer.status_code == 200, found[step]

        send("preview", values=TYPED)
        send("save", values=TYPED)
        file = {"file": "by_hand.yml", "digest": sha256(
            (cloud.campaign_files_folder / "by_hand.yml").read_bytes()).hexdigest()}  # fmt: skip
        send("approve", **file)
        send("launch", **file, typed="by_hand")
        found["open"] = page.get("/campaigns/of/by_hand").text
    return found


def _answers(settings):
    """Every answer that agents can get."""
    wiring = wire(settings)
    figures = Figures(wiring.warehouse, wiring.own_card, read_descriptions(wiring.dbt.folder), Shown(pii=False))
    asked = {
        "segments": {"by": "lifecycle"}, "customers": {}, "customer": {"customer_id": "C000007"}, "forecast": {},
        "campaigns": {}, "did_it_help": {"campaign": "spring"}, "changes": {"since": str(LAUNCHED_ON)},
        "preview_campaign": {"definition": FILE.replace("spring", "summer")},
    }  # fmt: skip
    for tool in tools(figures, lambda definition: preview(wiring, definition, 0.0, 7)):
        answer = tool.call(asked[tool.name])
        assert not answer.isError, answer.content[0].text
        yield tool.name, answer.structuredContent


def test_arms_sends_and_results_are_the_same_in_both_warehouses(both):
    laptop, cloud, _, found, *_ = both
    assert found == []
    for settings in (laptop, cloud):
        (treated,) = wire(settings).warehouse.row("select count(*) from marts.campaign_sends where result = 'sent'")
        assert treated > 50
        (results,) = wire(settings).warehouse.row(
            "select count(*) from marts.campaign_results where campaign = 'spring'"
        )
        assert results > 2


def test_launching_again_on_snowflake_sends_nobody_twice(both):
    _, cloud, again, *_ = both
    assert again.plan is None
    twice = "select count(*) - count(distinct customer_id) from marts.campaign_sends"
    assert wire(cloud).warehouse.row(twice) == (0,)


def test_a_campaign_goes_by_hand_from_the_form_to_its_result_on_snowflake(both):
    """Its arms, sends and results are those of the laptop too, which launches the file that the page has saved."""
    _, cloud, _, found, by_hand, *_ = both
    assert found == []
    assert 'value="Champions"' in by_hand["form"]  # the choices come from Snowflake
    [(treated, held_out)] = re.findall(r"<b>(\d+)</b> to contact · <b>(\d+)</b>", by_hand["preview"]["html"])
    assert (int(treated), int(held_out)) == wire(cloud).warehouse.row(
        """select count(case when arm = 'treated' then 1 end), count(case when arm = 'holdout' then 1 end)
        from marts.campaign_targets where campaign = 'by_hand'"""
    )
    assert f"{treated} sent" in by_hand["launch"]["html"]
    assert "Figures are withheld until a run of that day" in by_hand["open"]
    assert "Campaign by_hand (“5 € off”" in by_hand["result"]


def test_segments_are_activated_from_snowflake(both):
    *_, activations, _, _ = both
    assert dict(zip(*activations.to_pydict().values(), strict=True))["sent"] > 100


def test_agents_get_the_same_answers_from_both_warehouses(both):
    laptop, cloud = both[-2]
    for (tool, ours), (_, theirs) in zip(laptop, cloud, strict=True):
        assert _without_last_digits(ours) == _without_last_digits(theirs), tool


def _without_last_digits(answer):
    return json.loads(json.dumps(answer), parse_float=lambda number: f"{float(number):.6g}")


def test_every_statement_of_a_campaign_is_snowflakes_own_sql(both):
    statements = [statement for statement in both[-1] if any(name in statement for name in OURS)]
    assert len(statements) > 30
    assert [f"{problem}\n{statement}" for statement in statements for problem in problems(statement)] == []
