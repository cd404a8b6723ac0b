"""What a digest says in both languages, and how it is sent: to a real SMTP server, Slack and Teams."""

import json
import re
import string
from datetime import UTC, date, datetime
from email import policy

import pytest
import yaml

from flows.adapters.dashboard import phrases
from flows.adapters.digest import wording
from flows.adapters.digest.contents import Digest, Stage
from flows.adapters.digest.forms import as_email, as_page, as_slack, as_teams, as_text
from flows.adapters.digest.picture import picture
from flows.adapters.digest.wording import letter
from flows.adapters.marts.told import untold
from flows.errors import DigestRefused, DigestUnreachable, SettingsError
from flows.flow import digest as flow
from flows.settings import Settings
from tests.running.http_server import answering
from tests.stand_ins.alert_receivers import answer
from tests.stand_ins.smtp_receiver import receiving, trusted

LINK = "https://example.com/page?day=latest&of=shop"
OUTCOME = {"held_out": 50, "lift": 0.05, "lift_low": 0.01, "lift_high": 0.09}
DIGEST = Digest(
    as_of=date(2026, 3, 30), since=date(2026, 3, 23), horizon_days=60, currency="EUR",
    changes={"slipped": 1234, "came_back": 3, "left": 2, "new": 5, "expected_loss": 20000.0,
             "expected_loss_then": 16000.0, "expected_loss_of_slipped": 900.0},
    stages=[Stage("active", 10, 12, 3000.0, 4000.0), Stage("slipping", 5, 9, 13000.0, 16000.0)],
    campaigns=[
        {"campaign": "more", "profit": 90.0, "profit_low": 40.0, "profit_high": 140.0, **OUTCOME},
        {"campaign": "unclear", "profit_low": None, **OUTCOME, "lift_low": -0.02},
        {"campaign": "fewer", "profit_low": None, **OUTCOME, "lift": -0.05, "lift_low": -0.09, "lift_high": -0.01},
        {"campaign": "alone", "held_out": 0, "lift_low": None, "profit_low": None},
        {"campaign": "<b>[few](x)</b>", "held_out": 5, "lift_low": None, "profit_low": None},
    ],
    promises=[
        {"kind": kind, "subject": "more", "stated_on": date(2026, 1, 1), "promised": 1200.0, "came": 1000.0}
        for kind in ("campaign_profit", "expected_spend", "expected_loss")
    ],
    newest_order=date(2026, 3, 29), lines=2000, rejected=43, warnings=["a"],
)  # fmt: skip


def english(digest=DIGEST, link=LINK):
    return letter(digest, "en", link, "€")


def test_every_text_is_there_in_both_languages_with_the_same_figures():
    for name, text in yaml.safe_load(wording._TEXTS.read_text(encoding="utf-8")).items():
        assert set(text) == {"en", "fr"}, name
        fields = [sorted(field for _, field, *_ in string.Formatter().parse(of) if field) for of in text.values()]
        assert fields[0] == fields[1], name


def test_french_is_set_as_french_is():
    """Narrow no-break spaces before ; : ? ! » %, after « and between thousands; typographic apostrophes."""
    text = as_text(letter(DIGEST, "fr", None, "€"))
    assert re.findall(r".{0,20}(?:(?<![\u202f\n])[;:?!»%€]|«(?!\u202f)|\d \d{3}\b|').{0,20}", text) == []


def test_it_says_who_slipped_what_is_at_stake_what_came_and_what_cannot_be_known():
    text = as_text(english())
    for line in (
        "What changed until 2026-03-30: 1,234 customers slipped, €20,000 at stake",
        "The expected loss of all customers is €20,000; it was €16,000 (+25%)",
        "Profit of more: €1,200 promised, €1,000 came",
        "more brought more buyers: +5.0 per 100 customers (95 % between +1.0 and +9.0)",
        "Its profit: €90 (95 % between €40 and €140)",
        "unclear: no effect can be told from chance",
        "fewer put buyers off",
        "alone had no control group: whether it helped cannot be known",
        "43 of 2,000 rows of orders were rejected (2.1%)",
        "beyond their limits: 1",
        f"Open the page – {LINK}",
    ):
        assert line in text
    french = as_text(letter(DIGEST, "fr", None, "€"))
    assert "1 234 décrochages, 20 000 € de CA menacé" in french.replace("\u202f", " ")
    assert "+5,0 pour 100 clients" in french
    assert "http" not in french


def test_nothing_to_report_is_said_too():
    quiet = Digest(
        **{**vars(DIGEST), "campaigns": [], "promises": [], "warnings": [], "lines": 0, "newest_order": None}
    )
    text = as_text(english(quiet))
    assert "No promise has come due since." in text
    assert "No campaign has ended since." in text
    assert "nothing beyond its limits" in text


def test_names_are_never_read_as_html_links_or_slacks_signs():
    image = picture(DIGEST, "en")
    assert image.startswith(b"\x89PNG")
    assert "<b>[few]" not in as_page(english(), image)
    assert "<b>" not in json.dumps(as_slack(english()))
    assert "\\\\[few\\\\](x)" in json.dumps(as_teams(english()))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_e_mail_has_text_html_and_picture_and_every_line_fits(language):
    message = as_email(letter(DIGEST, language, LINK, "€"), picture(DIGEST, language), "runs@example.com", ["a@x.de"])
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    html, image = list(message.walk())[3:]
    assert f"cid:{image['Content-ID'][1:-1]}" in html.get_content()
    assert max(map(len, message.as_bytes(policy=policy.SMTP).split(b"\r\n"))) <= 998


@pytest.fixture
def given(monkeypatch, tmp_path):
    """given(**settings): the digest's settings, for a warehouse whose digest is DIGEST; returns those of a run."""
    monkeypatch.setattr(flow, "read_digest", lambda _: DIGEST)

    def settings(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"DIGEST_{name.upper()}", str(value))
        return Settings(data_dir=tmp_path, page_link=LINK)

    return settings


def by_smtp(port, **more):
    return {"to": "a@x.de, b@x.de", "from": "runs@example.com", "smtp_host": "127.0.0.1", "smtp_port": port,
            "smtp_security": "none", **more}  # fmt: skip


LOGIN = {"smtp_user": "runs", "smtp_password": "secret"}


@pytest.fixture
def trusting(monkeypatch, tmp_path):
    """This machine trusts the tests' authority."""
    monkeypatch.setenv("SSL_CERT_FILE", trusted(tmp_path))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_receives_it_for_all_recipients_after_the_login(given, trusting, security):
    with receiving(security, login=("runs", "secret")) as received:
        settings = given(**by_smtp(received.port, smtp_security=security, language="fr", **LOGIN))
        assert flow.send_digest(settings) == ["e-mail"]
    ((sender, recipients, message),) = received.messages
    assert (sender, recipients) == ("runs@example.com", ["a@x.de", "b@x.de"])
    assert message["Subject"].startswith("Ce qui a changé au 30/03/2026")
    assert message.get_body(("plain",)).get_content().splitlines()[0] == message["Subject"]
    assert any(part.get_content_type() == "image/png" for part in message.walk())


def test_a_server_on_this_machine_may_be_without_encryption_and_login(given):
    with receiving() as received:
        assert flow.send_digest(given(**by_smtp(received.port))) == ["e-mail"]
    assert [recipients for _, recipients, _ in received.messages] == [["a@x.de", "b@x.de"]]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_neither_password_nor_e_mail(given, security):
    with receiving(security, login=("runs", "secret")) as received, pytest.raises(DigestRefused) as problem:
        flow.send_digest(given(**by_smtp(received.port, smtp_security=security, **LOGIN)))
    assert "its certificate is not to be trusted: " in str(problem.value)
    assert received.messages == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_is_another_than_its_certificate_says_gets_nothing(given, trusting, security):
    with receiving(security, named="smtp.example.org") as received, pytest.raises(DigestRefused) as problem:
        flow.send_digest(given(**by_smtp(received.port, smtp_security=security)))
    assert "DIGEST_SMTP_HOST has to be the name that is in it" in str(problem.value)
    assert received.messages == []


@pytest.mark.parametrize(("offered", "wanted"), [("none", "tls"), ("none", "starttls"), ("starttls", "none")])
def test_a_server_of_another_security_is_refused_with_the_setting(given, trusting, offered, wanted):
    with receiving(offered) as received, pytest.raises(DigestRefused, match="DIGEST_SMTP_SECURITY"):
        flow.send_digest(given(**by_smtp(received.port, smtp_security=wanted)))
    assert received.messages == []


def test_a_wrong_password_is_refused_without_being_quoted(given, trusting):
    with receiving("starttls", login=("runs", "another")) as received, pytest.raises(DigestRefused) as problem:
        flow.send_digest(given(**by_smtp(received.port, smtp_security="starttls", **LOGIN)))
    assert "answered 535" in str(problem.value)
    assert "secret" not in str(problem.value)
    assert received.messages == []


@pytest.mark.parametrize(
    ("answers", "error", "says"),
    [
        ({"DATA": "451 try later"}, DigestUnreachable, "answered 451 try later"),
        ({"DATA": "552 too large"}, DigestRefused, "answered 552 too large"),
        ({"RCPT b@x.de": "550 unknown"}, DigestRefused, "refuses 1 of the recipients of DIGEST_TO; the others have it"),
        ({"MAIL": "530 log in"}, DigestRefused, "answered 530 log in"),
    ],
)
def test_what_the_server_answers_is_quoted_without_an_address(given, answers, error, says):
    with receiving(answers=answers) as received, pytest.raises(error) as problem:
        flow.send_digest(given(**by_smtp(received.port)))
    assert says in str(problem.value)
    assert "@" not in str(problem.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "Nobody is to get the digest"),
        ({"to": "a@x.de", "smtp_host": "smtp.example.com"}, "DIGEST_TO needs DIGEST_FROM too"),
        (by_smtp(25, smtp_host="smtp.example.com", smtp_user="u"), "would show the password"),
    ],
)
def test_half_of_the_settings_are_refused(given, values, says):
    with pytest.raises(SettingsError, match=says):
        flow.send_digest(given(**values))


@pytest.mark.parametrize("receiver", ["slack", "teams"])
def test_slack_and_teams_take_it_in_their_form(given, receiver):
    arrived = []

    def take(headers, body):
        arrived.append(json.loads(body))
        return answer(receiver, headers, body)

    with answering(take) as url:
        assert flow.send_digest(given(**{f"{receiver}_url": url})) == [receiver.capitalize()]
    text = json.dumps(arrived, ensure_ascii=False)
    assert "1,234 customers slipped" in text
    assert "alone had no control group" in text
    assert LINK in text.replace("&amp;", "&")


def test_a_webhook_that_refuses_is_named_without_its_address(given):
    with answering(lambda headers, body: (404, b"no_team")) as url, pytest.raises(DigestRefused) as problem:
        flow.send_digest(given(slack_url=url))
    assert "Slack refused the digest with 404: no_team" in str(problem.value)
    assert url not in str(problem.value)


def test_each_receiver_gets_one_in_a_week_and_one_that_fails_is_an_alert_and_tried_again(given, monkeypatch, caplog):
    answers = [(500, b""), (200, b"ok")]
    monkeypatch.setattr(flow, "now", lambda: datetime(2026, 3, 30, 5, tzinfo=UTC))
    with receiving() as received, answering(lambda headers, body: answers.pop(0)) as url:
        settings = given(**by_smtp(received.port, slack_url=url, weekday="monday"))
        flow.send_weekly_digest(settings)
        assert "Slack answered 500" in caplog.text
        flow.send_weekly_digest(settings)
        flow.send_weekly_digest(settings)
        assert (len(received.messages), answers) == (1, [])
        monkeypatch.setattr(flow, "now", lambda: datetime(2026, 4, 7, 5, tzinfo=UTC))  # a Tuesday
        flow.send_weekly_digest(settings)
        assert len(received.messages) == 1
    assert untold(flow.wire(settings).warehouse, ["digest 2026-W14 e-mail", "digest 2026-W15 e-mail"]) == [
        "digest 2026-W15 e-mail"
    ]


def test_the_words_are_those_of_the_page():
    page = {name: texts["fr"].lower() for name, texts in phrases._texts()["labels"].items() if "fr" in texts}
    french = as_text(letter(DIGEST, "fr", None, "€")).lower()
    for name in ("expected_loss", "expected_spend", "lifecycle_slipping", "lifecycle_active"):
        assert page[name] in french, name
