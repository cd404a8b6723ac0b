"""The page for campaigns by hand: the form and its YAML, and what is refused. The flows behind it are a stand-in."""

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from math import inf
from typing import get_args

import pytest
import yaml
from starlette.testclient import TestClient

from flows.adapters.campaign_page import rendering
from flows.adapters.campaign_page.campaign_files import CampaignFiles
from flows.adapters.campaign_page.desk import Launch, LaunchedCampaign, Overview, Preview, Refusal
from flows.adapters.campaign_page.form import BY_KEY, FIELDS, Unfit, check, to_document, to_form
from flows.adapters.campaign_page.guard import MAX_SESSIONS, Guard
from flows.adapters.campaign_page.language import Language, Unreadable, labels, preferred
from flows.adapters.campaign_page.mount import WithCampaignPage
from flows.adapters.campaign_page.routes import MAX_BODY_BYTES, campaign_page
from flows.adapters.campaign_page.yaml_text import as_yaml, comments, rewritten
from flows.campaigns.definition import Campaign
from flows.campaigns.warnings import PlanWarning
from flows.settings import REPOSITORY
from functions.churn_api.access import Access, ApiKeys

EN, FR = Language("en"), Language("fr")
KEY, OTHER_KEY = "k" * 32, "o" * 32
AS_OF = date(2026, 2, 28)
FILES = sorted((REPOSITORY / "docs" / "campaigns").glob("*.yml"))
RESULT = {
    "treated": 1_400, "contacted": 1_391, "held_out": 600,
    "treated_rate": 0.31, "held_out_rate": 0.27, "currency": "EUR", "cost": 840.0,
    "is_sample_ratio_off": False, "additional_buyers": 56.0, "additional_buyers_low": 20.0,
    "additional_buyers_high": 92.0, "incremental_revenue": 5_000.0, "incremental_revenue_low": 1_000.0,
    "incremental_revenue_high": 9_000.0, "profit": 1_160.4, "profit_low": 160.0, "profit_high": 2_160.0,
}  # fmt: skip
SPRING = """# for the spring
name: spring   # never used again
offer: {text: 5 € off, kind: amount_off, value: 5}
margin: 0.4
budget: 200
"""


def launched(name="winter", *, is_over=True, result=RESULT):
    ends = date(2026, 2, 10) if is_over else date(2026, 3, 20)
    return LaunchedCampaign(name, "Gift <b>", date(2026, 1, 11), ends, 1_400, 600, is_over, result)


class Desk:
    """Answers as the flows would; `refusal`: what a Refusal is made of, instead of any answer."""

    def __init__(self):
        self.refusal, self.warnings, self.asked = None, (), []
        self.campaigns = launched(), launched("running", is_over=False)

    def overview(self):
        self._ask("overview")
        choices = {"segments": ("Loyal", "At risk"), "countries": ("France",), "channels": (), "languages": ()}
        return Overview("shop", AS_OF, "EUR", choices, self.campaigns)

    def preview(self, text, name):
        self._ask("preview", yaml.safe_load(text))
        return Preview(
            name, AS_OF, date(2026, 3, 30), 30, "EUR", 200.0, 900, {"opted out": 12}, 600, 288,
            (("Loyal", 400, 200), ("At risk", 200, 88)), False, "No campaign with a holdout has ended yet.", 180.0,
            700.0, 9_000.0, None, 0.2, 0.093, inf, 0.068, False, 1_941, self.warnings,
        )  # fmt: skip

    def launch(self, file, digest):
        self._ask("launch", file.name, digest)
        return Launch(600, 288, date(2026, 3, 30), {"sent": 600}, 0, file, "control.csv")

    def _ask(self, *what):
        if self.refusal:
            raise Refusal(*self.refusal)
        self.asked.append(what)


class Page:
    """The page as a browser sees it: cookies stay, and a POST has the token of the page that was loaded last."""

    def __init__(self, folder, keys=None, base_path=""):
        self.desk, self.folder, self.base_path = Desk(), folder, base_path
        access = Access(ApiKeys(lambda: json.dumps(keys)) if keys else None)
        self.built = []
        app = WithCampaignPage(self._api, lambda: self._build(access), base_path)
        self.client = TestClient(app, base_url="http://127.0.0.1:8000")
        self.token = ""

    def _build(self, access):
        self.built.append(True)
        clock = lambda: datetime(2026, 3, 1, 9, tzinfo=UTC)  # noqa: E731
        return campaign_page(self.folder, self.desk, access, clock, self.base_path)

    async def _api(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 218, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def get(self, path="", **headers):
        answer = self.client.get(f"{self.base_path}/campaigns{path}", headers=headers)
        if found := re.search(r'name="csrf" content="(\w*)"', answer.text):
            self.token = found[1]
        return answer

    def post(self, path, content=None, **headers):
        given = {"origin": "http://127.0.0.1:8000", "x-csrf-token": self.token} | headers
        sent = {name: value for name, value in given.items() if value}
        return self.client.post(f"{self.base_path}/campaigns/{path}", json=content or {}, headers=sent)


@pytest.fixture
def page(tmp_path):
    page = Page(tmp_path / "files")
    page.get()
    return page


def typed(**changed):
    """What somebody types into an empty form, and the texts of the other fields."""
    plain = {field.key: [] if field.kind == "chips" else "" for field in FIELDS} | {
        "name": "spring", "offer.text": "5 € off", "margin": "40", "budget": "200", "holdout": "20",
        "window_days": "30", "destination": "csv", "explore": "5", "contact_cap.contacts": "1",
        "contact_cap.days": "30", "audience.consent": "not_opted_out",
    }  # fmt: skip
    return plain | changed


def saved(page, text=SPRING, name="spring.yml"):
    page.folder.mkdir(exist_ok=True)
    (page.folder / name).write_text(text, encoding="utf-8")
    return CampaignFiles(page.folder, None).read(name)


# the form and its YAML


@pytest.mark.parametrize("say", [EN, FR], ids=["en", "fr"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_that_is_read_into_the_form_and_saved_is_the_same_file(file, say):
    text = file.read_text(encoding="utf-8")
    document = to_document(to_form(yaml.safe_load(text), say), yaml.safe_load(text), say)
    assert rewritten(text, document) == (text, ())


def test_what_is_typed_becomes_a_small_file_that_says_only_what_is_no_default():
    values = typed(**{"audience.segments": ["Loyal"], "offer.kind": "amount_off", "offer.value": "5"})
    document = to_document(values, {}, EN)
    assert as_yaml(document) == (
        "name: spring\naudience:\n  segments: [Loyal]\noffer:\n  text: 5 € off\n  kind: amount_off\n  value: 5.0\n"
        "margin: 0.4\nbudget: 200.0\n"
    )
    assert check(document, EN).audience.segments == ("Loyal",)


def test_what_was_bought_is_written_where_it_is_given_and_gone_where_it_is_not():
    document = to_document(typed(**{"audience.bought.category": "coffee", "audience.bought.due": "yes"}), {}, EN)
    assert document["audience"] == {"bought": {"category": "coffee", "due": True}}
    assert "audience" not in to_document(typed(), document, EN)


def test_a_changed_value_leaves_the_comments_around_it():
    document = yaml.safe_load(SPRING) | {"budget": 350.0, "holdout": 0.3}
    document["offer"] = document["offer"] | {"value": 4.0}
    text, lost = rewritten(SPRING, document)
    assert lost == ()
    assert yaml.safe_load(text) == document
    assert comments(text) == ["# for the spring", "# never used again"]
    assert text.startswith("# for the spring\nname: spring   # never used again\n")


def test_a_comment_that_cannot_stay_is_named():
    text = "name: spring\nbudget: 1  # of the whole year\nwindow_days: 9  # short\n"
    assert rewritten(text, {"name": "spring", "budget": 2})[1] == ("# short",)
    assert rewritten("a: &x {b: 1}  # one\nc: *x\n", {"a": {"b": 2}})[1] == ("# one",)


def test_a_hash_in_a_text_is_no_comment():
    assert comments('name: "a # b"\noffer: a#b  # c\n') == ["# c"]


def test_keys_that_the_form_does_not_show_stay_and_are_named(page):
    variants = "variants:\n  a: {text: One}\n  b: {text: Two}\n"
    file = saved(page, SPRING + variants)
    assert "variants" in page.get("/file/spring.yml").text
    values = to_form(yaml.safe_load(file.text), EN) | {"budget": "300"}
    page.post("save", {"file": "spring.yml", "digest": file.digest, "values": values})
    after = (page.folder / "spring.yml").read_text(encoding="utf-8")
    assert after == (SPRING + variants).replace("budget: 200", "budget: 300.0")


@pytest.mark.parametrize(
    ("say", "text", "value"),
    [(EN, "0.5", 0.5), (EN, "1,234.5", 1234.5), (EN, "€ 1,000", 1000), (FR, "0,5", 0.5), (FR, "1 234,5 €", 1234.5),
     (FR, "2.5", 2.5)],
)  # fmt: skip
def test_numbers_are_read_as_they_are_typed_in_each_language(say, text, value):
    assert say.number(text) == value


@pytest.mark.parametrize(("say", "text"), [(EN, "0,35"), (EN, "ten"), (FR, "1,2,3"), (EN, "1e9"), (EN, "")])
def test_what_is_no_number_or_could_be_two_is_refused(say, text):
    with pytest.raises(Unreadable):
        say.number(text)


@pytest.mark.parametrize(
    ("changed", "key", "message"),
    [
        ({"name": "Été"}, "name", "3 to 60"),
        ({"name": ""}, "name", "needed"),
        ({"margin": "140"}, "margin", "At most 100."),
        ({"holdout": "0"}, "holdout", "nobody can know"),
        ({"holdout": "95"}, "holdout", "At most 90."),
        ({"budget": "lots"}, "budget", "Write a number."),
        ({"window_days": "2.5"}, "window_days", "does not fit"),
        ({"offer.kind": "amount_off"}, "offer.value", "how much"),
        ({"offer.kind": "message", "offer.value": "3"}, "offer.value", "a message has none"),
        ({"offer.kind": "percent_off", "offer.value": "0.15"}, "offer.value", "from 1 to 100"),
        ({"audience.bought.due": "yes"}, "audience.bought.category", "either a category or a product"),
        ({"offer.cost_per_contact": "-1"}, "offer.cost_per_contact", "At least 0."),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(changed, key, message):
    with pytest.raises(Unfit) as refused:
        check(to_document(typed(**changed), {}, EN), EN)
    assert message in refused.value.problems[key]


def test_a_campaign_without_a_control_group_is_possible_when_it_is_meant():
    assert check(to_document(typed(holdout="0", i_know="yes"), {}, EN), EN).holdout == 0


def test_saving_asks_before_comments_are_lost(page):
    text = SPRING + "window_days: 14  # before Easter\n"
    file = saved(page, text)
    values = to_form(yaml.safe_load(text), EN) | {"window_days": ""}
    request = {"file": "spring.yml", "digest": file.digest, "values": values}
    assert page.post("save", request).json() == {"lost": ["# before Easter"]}
    assert (page.folder / "spring.yml").read_text(encoding="utf-8") == text
    page.post("save", request | {"may_lose_comments": True})
    assert (page.folder / "spring.yml").read_text(encoding="utf-8") == SPRING


def test_a_file_that_somebody_else_changed_or_made_is_not_overwritten(page):
    file = saved(page)
    values = to_form(yaml.safe_load(SPRING), EN)
    saved(page, SPRING + "holdout: 0.5\n")
    answer = page.post("save", {"file": "spring.yml", "digest": file.digest, "values": values})
    assert (answer.status_code, "changed meanwhile" in answer.json()["problem"]) == (409, True)
    answer = page.post("save", {"values": typed()})
    assert (answer.status_code, "another name" in answer.json()["problem"]) == (409, True)


# what the page shows


def test_the_calendar_has_what_is_running_planned_and_past(page):
    saved(page)
    saved(page, "name: [", "broken.yml")
    shown = page.get().text
    assert [shown.count(f'class="state {name}"') for name in ("running", "over", "draft", "unreadable")] == [1] * 4
    assert "profit €1,160 (€160 to €2,160)" in shown
    assert "withheld until 20\u00a0Mar\u00a02026" in shown


def test_a_result_has_a_paragraph_to_copy_in_both_languages(page):
    assert "56 additional buyers (20 to 92)" in page.get("/of/winter").text
    french = page.get("/of/winter", **{"accept-language": "fr-FR,fr;q=0.9,en;q=0.8"}).text
    assert "56 acheteurs supplémentaires (de 20 à 92)" in french
    assert "(«\u202fGift &lt;b&gt;\u202f», du 11\u00a0janv.\u00a02026 au 10\u00a0févr.\u00a02026)" in french
    assert "31,0\u202f% du groupe ciblé ont acheté" in french


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({}, "It paid"),
        ({"profit_low": -900.0, "profit_high": -1.0}, "It lost money"),
        ({"profit_low": -1.0}, "whether it paid is open"),
        ({"profit_low": None, "profit_high": None, "additional_buyers_low": -9.0, "additional_buyers_high": -1.0},
         "Fewer customers bought"),
        ({"profit_low": -1.0, "additional_buyers_low": 0.0}, "Chance alone"),
        ({"is_sample_ratio_off": True}, "not to be trusted"),
    ],
)  # fmt: skip
def test_a_verdict_is_what_the_intervals_leave_no_doubt_of(page, figures, verdict):
    page.desk.campaigns = (launched(result=RESULT | figures),)
    assert verdict in page.get("/of/winter").text


def test_figures_of_an_open_window_are_withheld(page):
    shown = page.get("/of/running").text
    assert "Figures are withheld" in shown
    assert "paragraph" not in shown
    assert page.get("/of/nobody").status_code == 404


def test_the_preview_has_the_detectable_effect_and_writes_nothing(page):
    html = page.post("preview", {"values": typed()}).json()["html"]
    assert "9.3 per 100" in html
    assert "1,941 customers" in html
    assert not page.folder.exists()


def test_without_a_run_the_page_says_what_to_run(page):
    page.desk.refusal = ("There are no customers to choose from yet: `make run` first.",)
    assert "`make run` first" in page.get("/new").text
    assert "lancez d’abord `make run`" in page.get("", **{"accept-language": "fr"}).text


# approve and launch


def request_of(file, **more):
    return {"file": file.path.name, "digest": file.digest, **more}


def test_only_what_was_approved_is_launched_and_only_by_its_typed_name(page):
    file = saved(page)
    refused = page.post("launch", request_of(file, typed="spring"))
    assert (refused.status_code, "not been approved" in refused.json()["problem"]) == (409, True)
    assert page.post("approve", request_of(file)).json() == {"goto": "/campaigns/file/spring.yml"}
    assert "Approved by" in page.get("/file/spring.yml").text
    refused = page.post("launch", request_of(file, typed="Spring"))
    assert (refused.status_code, "not the campaign" in refused.json()["problem"]) == (409, True)
    assert not [what for what in page.desk.asked if what[0] == "launch"]
    done = page.post("launch", request_of(file, typed=" spring ")).json()
    assert "600 to contact, 288 in the control group" in done["html"]
    assert page.desk.asked[-1] == ("launch", "spring.yml", file.digest)


def test_a_change_takes_an_approval_back(page):
    file = saved(page)
    page.post("approve", request_of(file))
    changed = saved(page, SPRING.replace("200", "900"))
    for digest in (file.digest, changed.digest):
        refused = page.post("launch", {"file": "spring.yml", "digest": digest, "typed": "spring"})
        assert refused.status_code == 409
    assert page.post("approve", request_of(file)).status_code == 409
    saved(page)
    assert CampaignFiles(page.folder, None).read("spring.yml").approval  # it is of a content


# who may do what


@pytest.mark.parametrize(
    "headers",
    [{"x-csrf-token": None}, {"x-csrf-token": "0" * 64}, {"origin": None}, {"origin": "http://evil.example"},
     {"origin": "null"}, {"origin": "http://127.0.0.1:8001"}, {"sec-fetch-site": "cross-site"},
     {"sec-fetch-site": "same-site"}],
    ids=str,
)  # fmt: skip
def test_a_request_that_another_site_may_have_sent_changes_nothing(page, headers):
    assert page.post("save", {"values": typed()}, **headers).status_code == 403
    assert not page.folder.exists()


def test_the_token_of_another_session_is_refused(page):
    mine = page.token
    page.client.cookies.clear()
    page.get()
    assert page.token != mine
    assert page.post("save", {"values": typed()}, **{"x-csrf-token": mine}).status_code == 403


def test_a_page_of_another_name_that_points_here_is_refused(page):
    answer = page.client.get("/campaigns", headers={"host": "evil.example:8000"})
    assert (answer.status_code, "127.0.0.1 and localhost" in answer.text) == (403, True)
    twice = page.client.get("/campaigns", headers=[("host", "127.0.0.1:8000"), ("host", "evil.example")])
    assert twice.status_code == 403


def test_a_body_that_is_large_or_no_json_is_refused(page):
    headers = {"origin": "http://127.0.0.1:8000", "x-csrf-token": page.token}

    def send(body, kind):
        given = headers | {"content-type": kind}
        return page.client.post("/campaigns/save", content=body, headers=given).status_code

    assert send(b"a=b", "application/x-www-form-urlencoded") == 415
    assert send(b"[" * 60_000, "application/json") == 400
    assert send(b" " * (MAX_BODY_BYTES + 1), "application/json") == 413
    assert send(b'{"values": 3}', "application/json") == 400


@pytest.mark.parametrize("name", ["..%2Fspring.yml", "%2Fetc%2Fpasswd", ".hidden.yml", "spring.yml.approved", "no.yml"])
def test_nothing_outside_the_folder_is_read(page, name):
    file = saved(page)
    (page.folder.parent / "spring.yml").write_text(SPRING)
    page.post("approve", request_of(file))
    assert page.get(f"/file/{name}").status_code == 404


def test_a_server_with_keys_wants_one_and_keeps_it_from_the_page(tmp_path):
    page = Page(tmp_path / "files", {"crm": KEY, "shop": OTHER_KEY})
    answer = page.get()
    assert (answer.status_code, 'id="sign-in"' in answer.text) == (401, True)
    assert page.post("save", {"values": typed()}).status_code == 401
    assert page.post("sign-in", {"key": "x" * 32}).status_code == 401
    assert page.post("sign-in", {"key": KEY}, origin="http://evil.example").status_code == 403
    before = page.client.cookies["campaign_page"]
    answer = page.post("sign-in", {"key": KEY})
    assert answer.status_code == 200
    assert "HttpOnly; SameSite=Lax" in answer.headers["set-cookie"]
    assert page.client.cookies["campaign_page"] != before
    shown = page.get()
    assert (shown.status_code, KEY in shown.text + str(page.client.cookies)) == (200, False)
    file = saved(page)
    page.post("approve", request_of(file))
    assert json.loads((page.folder / "spring.yml.approved").read_text())["approved_by"] == "crm"
    page.post("sign-out")
    assert page.get().status_code == 401


def test_a_key_that_is_revoked_ends_its_sessions(tmp_path):
    keys = {"crm": KEY}
    now = [0.0]
    guard = Guard(Access(ApiKeys(lambda: json.dumps(keys), clock=lambda: now[0])), clock=lambda: now[0])
    session = guard.open(KEY)
    assert guard.caller({"path": "/campaigns"}, {}, session) == "crm"
    keys["crm"], now[0] = OTHER_KEY, 400.0
    with pytest.raises(Exception, match="key_needed"):
        guard.caller({"path": "/campaigns"}, {}, session)
    assert guard.session({"cookie": f"campaign_page={session.id}"}) is session
    now[0] = 13 * 3_600.0
    assert guard.session({"cookie": f"campaign_page={session.id}"}) is None


def test_sessions_are_bounded():
    guard = Guard(Access(None))
    first = guard.open()
    for _ in range(MAX_SESSIONS):
        guard.open()
    assert guard.session({"cookie": f"campaign_page={first.id}"}) is None


def test_the_page_is_under_the_base_path_too(tmp_path):
    page = Page(tmp_path / "files", base_path="/churn")
    assert 'href="/churn/campaigns/page.css"' in page.get().text
    assert page.post("save", {"values": typed()}).json() == {"goto": "/churn/campaigns/file/spring.yml"}


def test_everything_else_is_the_apis_and_builds_no_page(tmp_path):
    page = Page(tmp_path / "files")
    for path in ("/predict", "/campaignsx", "/", "/docs"):
        assert page.client.get(path).status_code == 218
    assert page.built == []
    page.get()
    page.get("/new")
    assert page.built == [True]


def test_serving_predictions_loads_nothing_of_the_page():
    heavy = ["jinja2", "flows.flow.campaign", "flows.adapters.campaign_page.routes", "sklearn"]
    code = f"import flows.commands.serve, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# words


def test_every_text_is_in_both_languages_and_french_is_set_as_french_is():
    for key, text in labels().items():
        assert set(text) == {"en", "fr"}, key
        assert re.findall(r"{\w+}", text["en"]).sort() == re.findall(r"{\w+}", text["fr"]).sort()
        assert not re.search(r"[^\u202f\d][;:?!»%]|«[^\u202f]|'", re.sub(r"https?:", "", text["fr"]) or "x"), key


def keys_of(model, under=""):
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if hasattr(kind, "model_fields")]
        yield from keys_of(kinds[0], f"{under}{name}.") if kinds else [under + name]


def test_every_key_of_a_campaign_is_a_field_and_every_field_has_its_words():
    assert {*keys_of(Campaign)} - {*BY_KEY} == {"variants"}  # kept as the file has them
    placed = [key for part in (rendering.WHO, rendering.WHAT, rendering.HOW_MUCH, rendering.MORE) for key in part]
    assert sorted([*placed, "name"]) == sorted(BY_KEY)
    for field in FIELDS:
        for say in (EN, FR):
            assert say(field.key)
    options = rendering._options(FR, None)
    assert ("amount_off", "remise en montant") in options["offer.kind"]
    assert set(options) == {key for key, field in BY_KEY.items() if field.kind in ("chips", "choice")}


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("opted out", "désabonnés"),
        ("At risk", "À risque"),
        ("spring: a budget of 1.00 pays for nobody: contacting the customer who comes first is expected to cost 2.50.",
         "spring\u202f: un budget de 1,00 ne suffit pour personne\u202f: contacter le premier client coûterait 2,50."),
        ("Everybody gets shoes: choosing for each customer does not clearly add to it, +0.10 of profit per customer on"
         " 1,200 past targets (90 % interval -0.20 to +0.40). No campaign with a holdout has ended yet.",
         "Tous reçoivent shoes\u202f: choisir pour chaque client n’ajoute rien de net, +0,10 de gain par client sur"
         " 1\u202f200 clients de campagnes passées (intervalle à 90\u202f% de -0,20 à +0,40). Aucune campagne avec"
         " groupe témoin n’est encore terminée."),
        ("line 3: audience.countries: there is no country 'Frnce'. Did you mean France? There are: France, Spain.",
         "Il n’y a pas de pays «\u202fFrnce\u202f». Vouliez-vous dire France\u202f? Il y a\u202f: France, Spain."),
        ("/a/b.yml, line 3: audience.channels: no channel is known of any customer.", "Aucun client n’a de canal."),
        ("line 2: audience.languages: no language is known of any customer: contacts need a column for it, such as"
         " `language` or `locale`.", "La langue d’aucun client n’est connue\u202f: les contacts ont besoin d’une"
         " colonne telle que `language` ou `locale`."),
        ("audience.bought.product: nobody bought 'tea'. There are: a, b and 1,203 more.",
         "Personne n’a acheté 'tea'. Il y a\u202f: a, b et 1\u202f203 de plus."),
        ("The window of spring ended on 2026-03-30: customers contacted now would be measured as if it were in time."
         " Write a new campaign.", "La période de mesure de spring s’est terminée le 2026-03-30\u202f: des clients"
         " contactés maintenant seraient comptés comme s’ils l’avaient été à temps. Créez une nouvelle campagne."),
        ("something new", "something new"),
    ],
)  # fmt: skip
def test_what_the_flows_say_is_said_in_french(english, french):
    assert FR.translated(english) == french


def test_a_preview_shows_its_warnings_and_a_launch_that_would_lose_names_the_box(page):
    page.desk.warnings = (PlanWarning("may_lose", "this may lose up to 50", {"loss": 50.0}),)
    shown = page.post("preview", {"values": typed()}, **{"accept-language": "fr"}).json()["html"]
    assert "Une perte allant jusqu’à 50\u00a0€" in shown
    file = saved(page)
    page.post("approve", {"file": "spring.yml", "digest": file.digest})
    page.desk.refusal = (
        "write this line into its file: to_learn: true",
        PlanWarning("expected_to_lose", "", {"loss": 9.0}),
    )
    wanted = {"file": "spring.yml", "digest": file.digest, "typed": "spring"}
    for language, box in (("en", "“Launch even if it is expected to lose”"), ("fr", "Lancer même si une perte")):
        problem = page.post("launch", wanted, **{"accept-language": language}).json()["problem"]
        assert box in problem
        assert "to_learn" not in problem


@pytest.mark.parametrize(
    ("header", "code"),
    [("fr", "fr"), ("de, fr;q=0.5, en;q=0.4", "fr"), ("en-GB,en;q=0.9,fr;q=0.8", "en"), ("", "en"), ("de", "en")],
)
def test_the_language_is_that_of_the_browser(header, code):
    assert preferred(header) == code
