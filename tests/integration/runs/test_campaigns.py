"""Campaigns on a simulated shop whose customers answer to them: from the file to what it changed."""

import hashlib
import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.files.run_lock import lock
from flows.adapters.marts import campaign_tables
from flows.adapters.marts.campaign_sends import SENDS
from flows.errors import BadInput, SettingsError
from flows.flow.campaign import campaign
from flows.flow.campaign_plan import campaign_plan
from flows.settings import Settings
from tests.running.browser import chromium, headless_chromium, violations
from tests.running.processes import flows, free_port, wait_for_port

pytestmark = pytest.mark.whole_run

SHOP = {"customers": 2_000, "seed": 11, "horizon_days": 60}
LAUNCHED_ON, WINDOW_DAYS = date(2026, 2, 28), 30
AFTER = LAUNCHED_ON + timedelta(days=WINDOW_DAYS)
FILE = f"""
name: spring
audience: {{segments: [Champions, Loyal, Potential loyalists, Promising, Need attention, At risk]}}
offer: {{text: 5 € off, cost_per_contact: 0.1, cost_per_redemption: 5}}
margin: 0.4
budget: 200
holdout: 0.3
window_days: {WINDOW_DAYS}
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory, run_pipeline):
    """The data folder of a run on the day of the launch."""
    folder = tmp_path_factory.mktemp("campaigns") / "data"
    run_pipeline(folder, as_of=LAUNCHED_ON, **SHOP)
    return folder


@pytest.fixture
def shop(before, tmp_path):
    """A copy of it for one test."""
    return Path(shutil.copytree(before, tmp_path / "data"))


def run(data_dir, text=FILE, launch=False, **settings):
    """`churn campaign preview` or `launch`, in this process."""
    file = data_dir.parent / "campaign.yml"
    file.write_text(text, encoding="utf-8")
    return campaign(Settings(data_dir=data_dir, **SHOP, **settings), file, launch)


def ask(data_dir, query):
    return DuckDBWarehouse(data_dir / "warehouse.duckdb", data_dir / "tmp").read(query)


def ids(data_dir, arm):
    found = ask(data_dir, f"select customer_id from marts.campaign_targets where arm = '{arm}' order by 1")
    return found.column(0).to_pylist()


def in_file(data_dir, campaign="spring", name="csv"):
    return pyarrow.csv.read_csv(data_dir / "campaigns" / campaign / f"{name}.csv")


@pytest.fixture(scope="module")
def after(before, tmp_path_factory, run_pipeline):
    """The same shop, launched, and run again when the window has ended."""
    folder = Path(shutil.copytree(before, tmp_path_factory.mktemp("after") / "data"))
    run(folder, launch=True)
    run_pipeline(folder, as_of=AFTER, **SHOP)
    return folder


def test_a_preview_writes_and_sends_nothing(shop):
    found = run(shop)
    assert found.launched is None
    assert found.plan.count("treated") > 100
    assert ask(shop, "select count(*) from marts.campaign_targets").column(0).to_pylist() == [0]
    assert not (shop / "campaigns").exists()


def test_what_is_launched_is_what_was_previewed(shop):
    previewed, launched = run(shop), run(shop, launch=True)
    assert launched.plan.targets.equals(previewed.plan.targets)
    assert ids(shop, "treated") == sorted(in_file(shop)["customer_id"].to_pylist())
    assert launched.sent == {"sent": previewed.plan.count("treated")}


def test_nobody_who_is_in_the_holdout_or_has_opted_out_is_in_the_file(shop):
    run(shop, launch=True)
    sent = set(in_file(shop)["customer_id"].to_pylist())
    assert not sent & set(ids(shop, "holdout"))
    opted_out = ask(shop, "select customer_id from marts.marketing_customers where opted_out")
    assert opted_out.num_rows > 20
    assert not sent & set(opted_out.column(0).to_pylist())


def test_ads_are_shown_to_those_alone_who_consent_to_them(shop):
    launched = run(shop, FILE + "destination: google\n", launch=True)
    whole = ask(shop, "select customer_id, email, consents_to_advertising as consents from marts.marketing_customers")
    consents = {row["customer_id"]: row["consents"] for row in whole.to_pylist()}
    chosen = [*ids(shop, "treated"), *ids(shop, "holdout")]
    assert chosen
    assert {consents[who] for who in chosen} == {"yes"}
    assert launched.plan.excluded["do not consent to advertising"] > 50
    assert launched.plan.excluded["consent to advertising not known"] > 50
    listed = in_file(shop, name="google").to_pylist()
    emails = {
        row["customer_id"]: hashlib.sha256(row["email"].encode()).hexdigest()
        for row in whole.to_pylist()
        if row["email"]
    }
    assert {row["Email"] for row in listed} == {emails[who] for who in ids(shop, "treated")}
    assert {(row["ad_user_data"], row["ad_personalization"]) for row in listed} == {("GRANTED", "GRANTED")}


def test_each_of_the_treated_is_sent_with_the_variant_that_was_drawn_and_its_text(shop):
    contents = "variants:\n  shoes: {text: New shoes}\n  hats: {text: New hats}\n"
    launched = run(shop, FILE + contents, launch=True)
    sent = in_file(shop).to_pylist()
    drawn = ask(shop, "select customer_id, variant from marts.campaign_targets where arm = 'treated' order by 1")
    assert {row["customer_id"]: row["variant"] for row in sent} == dict(zip(*drawn.to_pydict().values(), strict=True))
    assert {(row["variant"], row["offer"]) for row in sent} == {("shoes", "New shoes"), ("hats", "New hats")}
    counts = {name: customers for name, (customers, _) in launched.plan.variants.items()}
    assert abs(counts["shoes"] - counts["hats"]) < 0.2 * len(sent)
    assert sum(counts.values()) == len(sent)


def test_launching_again_changes_nobodys_arm_and_sends_nobody_twice(shop):
    run(shop, launch=True)
    arms, sends = (ask(shop, f"from marts.campaign_{what} order by customer_id") for what in ("targets", "sends"))
    again = run(shop, launch=True)
    assert again.plan is None
    assert ask(shop, "from marts.campaign_targets order by customer_id").equals(arms)
    later = ask(shop, "from marts.campaign_sends order by customer_id")
    assert later.drop_columns("sent_at").equals(sends.drop_columns("sent_at"))


@pytest.mark.parametrize("dies_at", [campaign_tables.TARGETS, campaign_tables.CAMPAIGNS, SENDS])
def test_a_launch_that_dies_at_any_write_is_finished_by_the_next(shop, monkeypatch, dies_at):
    whole = DuckDBWarehouse.merge
    died = []

    def merge(self, relation, rows, keys):
        if relation == dies_at and not died:
            died.append(relation)
            raise KeyboardInterrupt
        whole(self, relation, rows, keys)

    monkeypatch.setattr(DuckDBWarehouse, "merge", merge)
    expected = run(shop).plan.targets
    with pytest.raises((KeyboardInterrupt, Exception)):
        run(shop, launch=True)
    assert died
    if dies_at != SENDS:
        assert not (shop / "campaigns").exists()  # nothing left before it was written down
    found = run(shop, launch=True)
    assert found.launched.treated == len(ids(shop, "treated")) == found.sent["sent"]
    assert ask(shop, "from marts.campaign_targets").num_rows == len(expected)


def test_another_definition_under_a_name_that_was_launched_is_refused(shop):
    run(shop, launch=True)
    with pytest.raises(
        BadInput, match=r"spring was launched on 2026-02-28 with another definition: budget, margin are not"
    ):
        run(shop, FILE.replace("200", "300").replace("margin: 0.4", "margin: 0.5"), launch=True)


def test_who_opts_out_after_the_launch_is_not_sent(shop, monkeypatch):
    expected = run(shop)
    someone = expected.plan.targets.filter(
        np.array([arm == "treated" for arm in expected.plan.targets["arm"].to_pylist()])
    )["customer_id"][0].as_py()
    whole = DuckDBWarehouse.merge

    def merge(self, relation, rows, keys):
        whole(self, relation, rows, keys)
        if relation == campaign_tables.CAMPAIGNS:
            with duckdb.connect(shop / "warehouse.duckdb") as con:
                con.execute("update marts.marketing_customers set opted_out = true where customer_id = ?", [someone])

    monkeypatch.setattr(DuckDBWarehouse, "merge", merge)
    found = run(shop, launch=True)
    assert found.sent["opted_out"] == 1
    assert someone not in in_file(shop)["customer_id"].to_pylist()


def test_customers_of_a_running_campaign_are_left_alone_by_the_next(shop):
    run(shop, launch=True)
    second = run(shop, FILE.replace("name: spring", "name: second"), launch=True)
    taken = set(ids(shop, "treated")) | set(ids(shop, "holdout"))
    assert second.plan.excluded["in another campaign whose window is open"] > 100
    of_second = (
        ask(shop, "select customer_id from marts.campaign_targets where campaign = 'second'").column(0).to_pylist()
    )
    assert of_second
    of_first = (
        ask(shop, "select customer_id from marts.campaign_targets where campaign = 'spring'").column(0).to_pylist()
    )
    assert not set(of_first) & set(of_second)
    assert taken == set(of_first) | set(of_second)


def test_the_control_group_is_in_a_file_of_its_own_to_be_left_out_of_other_messages(shop):
    found = run(shop, FILE.replace("name: spring", "name: spring\ndestination: klaviyo"), launch=True)
    suppressed = in_file(shop, name="klaviyo_control_group")
    assert suppressed.column_names == ["Email", "customer_id", "last_campaign"]
    assert sorted(suppressed["customer_id"].to_pylist()) == ids(shop, "holdout")
    assert found.suppressed_in.endswith("klaviyo_control_group.csv")


def test_targets_are_on_no_other_list_from_the_launch_on(shop, run_pipeline):
    run(shop, launch=True)
    targets = set(ids(shop, "holdout")) | set(ids(shop, "treated"))
    listed = set(pyarrow.csv.read_csv(shop / "customers_to_contact.csv")["customer_id"].to_pylist())
    assert len(listed) > 100
    assert not listed & targets
    again = run_pipeline(shop, as_of=LAUNCHED_ON, retrain=False, **SHOP)
    listed = set(pyarrow.csv.read_csv(shop / "customers_to_contact.csv")["customer_id"].to_pylist())
    assert not listed & targets
    assert not set(again.most_at_stake["customer_id"].to_pylist()) & targets


def test_freezing_what_is_launched_takes_nobody_out_of_it(shop):
    planned = run(shop).plan
    run(shop, launch=True)
    warehouse = DuckDBWarehouse(shop / "warehouse.duckdb", shop / "tmp")
    whole = ask(shop, "from marts.campaign_targets order by customer_id")
    campaign_tables.freeze(warehouse, planned, datetime(2026, 3, 1, tzinfo=UTC))
    assert ask(shop, "from marts.campaign_targets order by customer_id").equals(whole)


def test_customers_of_long_ago_are_warned_of_and_not_launched(shop, monkeypatch):
    monkeypatch.setattr("flows.flow.campaign._is_simulated", lambda _: False)
    assert any("nothing is sent on data of more than 7" in warning.text for warning in run(shop).plan.warnings)
    with pytest.raises(BadInput, match=r"spring is not sent: the last run is as of 2026-02-28, \d+ days ago"):
        run(shop, launch=True)
    with pytest.raises(BadInput, match=r"its window would have ended on 2026-03-30. Bring in newer orders"):
        run(shop, launch=True, stop_sending_after_days=100_000)
    assert ask(shop, "from marts.campaigns").num_rows == 0


def test_the_global_holdout_is_in_no_campaign(shop):
    run(shop, launch=True, global_holdout=0.2)
    never = set(ids(shop, "global_holdout"))
    assert len(never) > 20
    assert not never & set(in_file(shop)["customer_id"].to_pylist())
    forgotten = run(shop, FILE.replace("name: spring", "name: second"), launch=True)  # GLOBAL_HOLDOUT is not set here
    assert not never & set(in_file(shop, "second")["customer_id"].to_pylist())
    assert forgotten.plan.excluded["in the global holdout"] == len(never)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            FILE.replace("margin", "mragin"),
            r"campaign.yml, line 5: mragin is no key of a campaign. Did you mean margin\?",
        ),
        (FILE.replace("budget: 200", "budget: 0.05"), r"a budget of 0.05 pays for nobody"),
        (FILE.replace("0.3", "0"), r"holdout: with 0 nobody can know"),
        (
            FILE.replace("[Champions, Loyal", "[Champion, Loyal"),
            r"there is no segment 'Champion'. Did you mean Champions\?",
        ),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_before_anything_is_written(shop, text, message):
    with pytest.raises(BadInput, match=message):
        run(shop, text, launch=True)
    assert ask(shop, "from marts.campaign_targets").num_rows == 0


def test_without_a_file_or_a_run_the_command_says_what_is_missing(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.yml: name the YAML file of a campaign"):
        campaign(Settings(data_dir=tmp_path), tmp_path / "none.yml")
    with pytest.raises(BadInput, match="`make run` first"):
        run(tmp_path / "data")


def test_the_command_prints_the_preview_and_no_traceback(shop):
    (shop.parent / "campaign.yml").write_text(FILE, encoding="utf-8")
    given = {name.upper(): str(value) for name, value in SHOP.items()}
    with flows("campaign preview", shop, str(shop.parent / "campaign.yml"), **given) as process:
        output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    for words in ("customers in the audience", "in the control group", "smallest effect", "LAUNCH=1"):
        assert words in output


def test_figures_are_withheld_while_the_window_is_open(before, tmp_path, run_pipeline):
    data_dir = Path(shutil.copytree(before, tmp_path / "data"))
    run(data_dir, launch=True)
    run_pipeline(data_dir, retrain=False, as_of=AFTER - timedelta(days=1), **SHOP)
    assert ask(data_dir, "from marts.campaign_results").num_rows == 0
    assert ask(data_dir, "from marts.campaign_outcomes").num_rows == 0


def test_what_a_campaign_changed_is_what_its_customers_did(after):
    """Counted from the order lines, by SQL that has nothing of the marts."""
    lines = f"""select distinct customer_id from read_csv('{after}/simulated_orders.csv') where customer_id is not null
        and quantity > 0 and amount > 0 and ordered_at::date between date '{LAUNCHED_ON}' + 1 and date '{AFTER}'"""
    (row,) = ask(
        after,
        f"""select count_if(arm = 'treated') as treated, count_if(arm = 'holdout') as held_out,
            avg(bought::int) filter (arm = 'treated') as treated_rate,
            avg(bought::int) filter (arm = 'holdout') as held_out_rate
        from (select targets.*, customer_id in ({lines}) as bought from marts.campaign_targets as targets)""",
    ).to_pylist()
    (found,) = ask(after, "from marts.campaign_results where segment = 'all'").to_pylist()
    assert (found["treated"], found["held_out"]) == (row["treated"], row["held_out"])
    # whose only order was sent back within the window has bought nothing
    assert found["treated_rate"] == pytest.approx(row["treated_rate"], abs=0.01)
    assert found["held_out_rate"] == pytest.approx(row["held_out_rate"], abs=0.01)
    assert found["lift_low"] <= found["lift"] <= found["lift_high"]
    assert not found["is_sample_ratio_off"]


def test_customers_answer_to_a_campaign_and_others_do_as_they_would_have(before, after, tmp_path, run_pipeline):
    orders = "select customer_id, order_id, ordered_at, amount from read_csv('{}/simulated_orders.csv')"
    treated = "select customer_id from marts.campaign_targets where arm = 'treated'"
    ours, theirs = orders.format(after), orders.format(before)
    others = f"customer_id is null or customer_id not in ({treated})"
    for one, other in ((ours, theirs), (theirs, ours)):
        changed = ask(after, f"from ({one}) where {others} except all from ({other}) where {others}")
        assert changed.num_rows == 0
    assert ask(after, f"from ({ours}) except all from ({theirs})").num_rows > 5


def test_money_earned_is_margin_less_cost_and_costs_are_counted_from_who_was_contacted(after):
    rows = ask(after, "from marts.campaign_results").to_pylist()
    for row in rows:
        if row["profit"] is not None:
            assert row["profit"] == pytest.approx(row["margin_per_treated"] * row["treated"] - row["cost"])
    (whole,) = (row for row in rows if row["segment"] == "all")
    redeemed = round(whole["treated_rate"] * whole["treated"])
    assert whole["cost"] == pytest.approx(0.1 * whole["contacted"] + 5 * redeemed)
    parts = [row for row in rows if row["segment"] != "all"]
    assert sum(row["cost"] for row in parts) == pytest.approx(whole["cost"])


def test_predictions_are_judged_and_models_trained_without_those_who_were_contacted(after, tmp_path, run_pipeline):
    later = shutil.copytree(after, tmp_path / "later")
    contacted = ask(after, "from intermediate.int_campaign_contacts").to_pylist()
    assert {row["contacted_on"] for row in contacted} == {LAUNCHED_ON + timedelta(days=1)}
    assert sorted(row["customer_id"] for row in contacted) == ids(after, "treated")
    run_pipeline(later, as_of=LAUNCHED_ON + timedelta(days=SHOP["horizon_days"]), **SHOP)
    judged = ask(
        later, f"select customer_id from marts.prediction_outcomes where as_of_date = '{LAUNCHED_ON}'"
    ).column(0).to_pylist()  # fmt: skip
    assert not set(judged) & set(ids(after, "treated"))
    assert set(ids(after, "holdout")) <= set(judged)


def test_after_the_window_nobody_is_contacted_in_its_name(after):
    with pytest.raises(BadInput, match=r"The window of spring ended on 2026-03-30"):
        run(after, launch=True)


def test_the_definition_is_kept_with_the_campaign(after):
    (row,) = ask(after, "from marts.campaigns").to_pylist()
    assert json.loads(row["definition"])["offer"]["text"] == "5 € off"
    assert (row["window_ends_on"], row["ranked_by"]) == (AFTER, "chance")


def test_a_run_writes_down_its_forecasts_and_what_came_of_earlier_ones(after):
    rows = ask(after, "from marts.promises where kind = 'expected_spend' order by stated_on").to_pylist()
    assert [row["stated_on"] for row in rows] == [LAUNCHED_ON, AFTER]
    assert all(row["promised_low"] < row["promised"] < row["promised_high"] for row in rows)
    assert all(row["promised"] == row["uncorrected"] for row in rows)  # nothing was due that could correct them
    assert [row["came"] for row in rows] == [None, None]  # their 60 days have not passed


def test_the_next_three_campaigns_are_planned_and_nothing_is_written(after):
    file = after.parent / "campaign.yml"
    file.write_text(FILE, encoding="utf-8")
    targets = "select count(*) from marts.campaign_targets"
    before = ask(after, targets)
    found = campaign_plan(Settings(data_dir=after, **SHOP), file)
    assert len(found.outlook.steps) == 3
    assert 0 < found.outlook.steps[0].treated <= found.eligible
    assert len(found.outlook.effects) == 1  # of the campaign that has ended
    assert found.outlook.steps[0].launched_on == AFTER
    assert ask(after, targets).equals(before)


def test_a_second_campaign_learns_from_the_first(after):
    found = run(after, FILE.replace("name: spring", "name: second"))
    # it has looked at them, and they are too few
    assert f"{len(ids(after, 'treated')):,} were contacted by chance" in found.plan.why_ranked_so


@pytest.mark.skipif(chromium() is None, reason="chromium is not installed (Debian package chromium)")
def test_a_campaign_goes_by_hand_from_an_empty_form_to_its_result(shop, run_pipeline):
    """In a browser, on `make serve`: typed, seen, saved, approved, launched, measured by a later run, and read."""
    port = free_port()
    with (
        flows("serve", shop, PORT=str(port), HORIZON_DAYS="60") as server,
        headless_chromium() as browser,
    ):
        wait_for_port(port, server)
        context = browser.new_context(locale="fr-FR", permissions=["clipboard-read", "clipboard-write"])
        page, complaints = context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"http://127.0.0.1:{port}/campaigns")
        page.get_by_role("link", name="Nouvelle campagne").click()
        page.get_by_label("Nom", exact=True).fill("printemps")
        for segment in ("Champions", "Fidèles", "Fidèles potentiels", "Prometteurs", "À surveiller", "À risque"):
            page.get_by_role("checkbox", name=segment, exact=True).focus()
            page.keyboard.press("Space")
        page.get_by_label("Ce qui leur est proposé").fill("5 € de remise")
        page.get_by_label("Type d’offre").select_option("amount_off")
        page.get_by_label("Valeur pour le client").fill("5")
        page.get_by_label("Coût par contact").fill("0,1")
        page.get_by_label("Coût par achat avec l’offre").fill("5")
        page.get_by_label("Marge").fill("40")
        page.get_by_label("Budget").fill("200")
        effect = page.locator("#detectable .figure")
        small = effect.inner_text()
        page.get_by_label("Budget").fill("600")  # a larger campaign shows smaller effects
        page.wait_for_function(
            "before => document.querySelector('#detectable .figure')?.textContent !== before", arg=small
        )
        assert _first_number(effect.inner_text()) < _first_number(small)
        assert not re.search(r"\b(the|of|customers|not)\b", page.locator("#preview").inner_text())  # all is in French

        assert violations(page) == []
        page.get_by_text("Autres options").click()
        page.get_by_label("Groupe témoin", exact=True).fill("0")
        page.get_by_label("L’absence de groupe témoin est voulue").check()
        page.get_by_text("on ne saura jamais ce que cette campagne a changé").wait_for()
        assert violations(page) == []
        page.get_by_label("Groupe témoin", exact=True).fill("20")
        page.get_by_label("L’absence de groupe témoin est voulue").uncheck()

        page.get_by_role("button", name="Enregistrer en YAML").click()
        page.get_by_text("Enregistré sous printemps.yml.").wait_for()
        file = shop / "campaign_files" / "printemps.yml"
        with lock(shop):  # the page may be asking for a preview
            previewed = campaign(Settings(data_dir=shop, **SHOP), file)
        assert previewed.campaign.offer.cost_per_contact == 0.1
        page.get_by_role("button", name="Valider").click()
        page.get_by_text("Validée par").wait_for()
        page.locator("#launch input").fill("printemp")
        page.get_by_role("button", name="Lancer").click()
        page.get_by_text("Rien n’a été lancé").wait_for()
        assert violations(page) == []
        with lock(shop):
            assert ids(shop, "treated") == []
        page.locator("#launch input").fill("printemps")
        page.get_by_role("button", name="Lancer").click()
        page.get_by_text("Campagne lancée").wait_for()
        treated = previewed.plan.targets.filter(pc.equal(previewed.plan.targets["arm"], "treated"))["customer_id"]
        with lock(shop):
            assert ids(shop, "treated") == sorted(treated.to_pylist())
        assert sorted(in_file(shop, "printemps")["customer_id"].to_pylist()) == sorted(treated.to_pylist())
        page.get_by_role("link", name="Voir son résultat").click()
        page.get_by_text("La période de mesure court jusqu’au").wait_for()

        with lock(shop):
            run_pipeline(shop, retrain=False, as_of=AFTER, **SHOP)
        page.goto(f"http://127.0.0.1:{port}/campaigns")
        assert page.locator(".state").inner_text() == "terminée"
        page.get_by_role("link", name="printemps", exact=True).click()
        page.get_by_role("button", name="Copier").click()
        page.get_by_text("Copié.").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        page.set_viewport_size({"width": 320, "height": 640})
        for path in ("", "/file/printemps.yml", "/of/printemps", "/new"):
            page.goto(f"http://127.0.0.1:{port}/campaigns{path}")
            assert page.evaluate("document.documentElement.scrollWidth") == 320, path
            assert violations(page) == [], path
        assert copied.startswith("Campagne printemps («\u202f5 € de remise\u202f», du 28\u00a0févr.\u00a02026 au ")
        assert complaints == [
            "Failed to load resource: the server responded with a status of 409 (Conflict)"  # the wrong name
        ]


def _first_number(text):
    return float(re.search(r"[\d,]+", text)[0].replace(",", "."))
