"""Files for the services that marketing works with: who is in them, and how each service wants it."""

import csv
import hashlib
import io
import tempfile
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.blocks.system import Secret

from flows.adapters.files.importer_files import HASHED, NAMES, CsvFiles
from flows.adapters.hubspot.destination import HubSpotContacts
from flows.errors import SettingsError
from flows.ports.destination import CONTACT_SCHEMA, RESULTS, SendRequest
from flows.settings import DestinationName, HubSpotSettings, Settings, read_settings
from flows.wiring import BY_API, destination
from tests.examples.people import anybody, people

SERVICES = [name for name in NAMES if name not in ("csv", *HASHED)]
CAMPAIGN = "spring"


def sent(files: CsvFiles, who: pa.Table, audience: str | None = CAMPAIGN) -> dict[str, tuple[str, str | None]]:
    """The result of each."""
    answers = list(files.send(SendRequest(audience, who)))
    assert all(table.schema == RESULTS for table in answers)
    rows = pa.concat_tables(answers).to_pylist()
    assert len({row["customer_id"] for row in rows}) == len(rows)
    return {row["customer_id"]: (row["result"], row["detail"]) for row in rows}


def read(file: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter))


def delimiter(name: str) -> str:
    return ";" if name == "brevo" else ","


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_our_own_file_has_every_column_and_everybody(tmp_path):
    ours = CsvFiles(tmp_path, "csv")
    who = people({"customer_id": "c1"}, {"customer_id": "c2", "email": None, "churn_probability": None})
    assert sent(ours, who) == {"c1": ("sent", None), "c2": ("sent", None)}
    file = tmp_path / CAMPAIGN / "csv.csv"
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    first, second = read(file)
    assert list(first) == CONTACT_SCHEMA.names
    assert (first["email"], first["churn_probability"], first["expected_spend"]) == (
        "c1@example.org",
        "0.8123",
        "61.24",
    )
    assert (second["email"], second["churn_probability"]) == ("", "")


@pytest.mark.parametrize(
    ("name", "address", "campaign"),
    [("mailchimp", "Email Address", "Tags"), ("klaviyo", "Email", "last_campaign"), ("brevo", "EMAIL", "CAMPAIGN")],
)
def test_a_service_finds_the_columns_that_it_knows(tmp_path, name, address, campaign):
    service = CsvFiles(tmp_path, name)
    assert sent(service, people({"customer_id": "c1"})) == {"c1": ("sent", None)}
    content = service.file(CAMPAIGN).read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf")
    (row,) = read(service.file(CAMPAIGN), delimiter(name))
    assert next(iter(row)) == address
    assert (row[address], row[campaign]) == ("c1@example.org", CAMPAIGN)
    assert {"slipping", "keep", "210.99", "80.46", "35.13", "-20% on everything"} <= set(row.values())


def test_merge_tags_of_mailchimp_are_no_longer_than_it_allows(tmp_path):
    sent(CsvFiles(tmp_path, "mailchimp"), people({"customer_id": "c1"}))
    (row,) = read(tmp_path / CAMPAIGN / "mailchimp.csv")
    assert all(len(header) <= 10 and header.isupper() for header in row if header not in ("Email Address", "Tags"))


def test_nothing_says_that_somebody_has_subscribed(tmp_path):
    for name in SERVICES:
        sent(CsvFiles(tmp_path, name), people({"customer_id": "c1"}))
        (row,) = read(tmp_path / CAMPAIGN / f"{name}.csv", delimiter(name))
        assert not any("consent" in header.lower() or "subscri" in header.lower() for header in row)


def test_without_a_campaign_no_file_names_one(tmp_path):
    for name in NAMES:
        files = CsvFiles(tmp_path, name)
        sent(files, people({"customer_id": "c1", "offer": None}), audience=None)
        (row,) = read(files.file(None), delimiter(name))
        assert not {"Tags", "CAMPAIGN", "last_campaign"} & set(row)


def test_a_campaign_called_segments_does_not_overwrite_the_segments(tmp_path):
    ours = CsvFiles(tmp_path, "csv")
    assert ours.file("segments") != ours.file(None)


def test_meta_gets_nothing_in_the_clear(tmp_path):
    meta = CsvFiles(tmp_path, "meta")
    who = people(
        {"customer_id": "ann@example.org", "email": "  Ann@Example.ORG "},
        {"customer_id": "C2", "email": "bob@example.org", "country": "gb"},
        {"customer_id": "c3", "email": "c@example.org", "country": "Atlantis"},
    )
    assert {result for result, _ in sent(meta, who).values()} == {"sent"}
    rows = read(meta.file(CAMPAIGN))
    assert list(rows[0]) == ["email", "extern_id", "country"]
    assert rows[0] == {
        "email": hashed("ann@example.org"),
        "extern_id": hashed("ann@example.org"),
        "country": hashed("de"),
    }
    assert (rows[1]["extern_id"], rows[1]["country"], rows[2]["country"]) == (hashed("C2"), hashed("gb"), "")


def test_google_gets_hashed_addresses_and_that_everybody_has_granted_both(tmp_path):
    google = CsvFiles(tmp_path, "google")
    who = people({"customer_id": "c1", "email": "  Ann@Example.ORG "}, {"customer_id": "c2", "email": None})
    assert sent(google, who) == {"c1": ("sent", None), "c2": ("no_address", None)}
    granted = {"ad_user_data": "GRANTED", "ad_personalization": "GRANTED"}
    assert read(google.file(CAMPAIGN)) == [{"Email": hashed("ann@example.org")} | granted]


@pytest.mark.parametrize("name", [*SERVICES, *HASHED])
def test_who_has_no_address_is_in_no_file_that_needs_one(tmp_path, name):
    files = CsvFiles(tmp_path, name)
    who = people(
        {"customer_id": "c1"}, {"customer_id": "c2", "email": None}, {"customer_id": "c3", "email": "  "},
        {"customer_id": "c4", "email": "none"}, {"customer_id": "c5", "email": "a b@example.org"},
    )  # fmt: skip
    no_address = ("no_address", None)
    assert sent(files, who) == {"c1": ("sent", None)} | {f"c{n}": no_address for n in (2, 3, 4, 5)}
    assert len(read(files.file(CAMPAIGN), delimiter(name))) == 1


def test_an_address_that_a_spreadsheet_would_run_is_refused_rather_than_changed(tmp_path):
    who = people({"customer_id": "c1", "email": "=cmd@example.org"}, {"customer_id": "c2"})
    for name in SERVICES:
        answers = sent(CsvFiles(tmp_path, name), who)
        assert (answers["c1"][0], answers["c2"][0]) == ("refused", "sent")
        assert len(read(tmp_path / CAMPAIGN / f"{name}.csv", delimiter(name))) == 1
    for name in HASHED:
        assert sent(CsvFiles(tmp_path, name), who)["c1"] == ("sent", None)
    sent(CsvFiles(tmp_path, "csv"), who)
    assert read(tmp_path / CAMPAIGN / "csv.csv")[0]["email"] == "'=cmd@example.org"


def test_a_rerun_replaces_the_whole_file_and_leaves_no_draft(tmp_path):
    brevo = CsvFiles(tmp_path, "brevo")
    sent(brevo, people({"customer_id": "c1"}, {"customer_id": "c2"}))
    sent(brevo, people({"customer_id": "c2"}))  # c1 has opted out meanwhile
    assert [row["EXT_ID"] for row in read(brevo.file(CAMPAIGN), ";")] == ["c2"]
    assert [file.name for file in brevo.file(CAMPAIGN).parent.iterdir()] == ["brevo.csv"]
    sent(brevo, people())
    assert read(brevo.file(CAMPAIGN), ";") == []


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("csv", ["email", "customer_id"]),
        ("mailchimp", ["Email Address", "CUSTOMER", "Tags"]),
        ("klaviyo", ["Email", "customer_id", "last_campaign"]),
        ("brevo", ["EMAIL", "EXT_ID", "CAMPAIGN"]),
        ("google", ["Email", "ad_user_data", "ad_personalization"]),
        ("meta", ["email", "extern_id", "country"]),
    ],
)
def test_a_control_group_is_listed_with_who_they_are_and_nothing_else(tmp_path, name, headers):
    files = CsvFiles(tmp_path, name)
    sent(files, people({"customer_id": "c1"}))
    before = files.file(CAMPAIGN).read_bytes()
    where = files.suppress(SendRequest(CAMPAIGN, people({"customer_id": "c2"}, {"customer_id": "c3"})))
    assert files.file(CAMPAIGN).read_bytes() == before
    first, second = read(Path(where), delimiter(name))
    assert list(first) == headers
    assert "c2@example.org" in first.values() or hashed("c2@example.org") in first.values()
    assert {"Tags", "CAMPAIGN", "last_campaign"} & set(headers) == {
        header for header, value in second.items() if value == "spring control group"
    }


def test_the_file_is_there_before_anybody_is_reported_as_sent(tmp_path):
    ours = CsvFiles(tmp_path, "csv")
    answers = ours.send(SendRequest(CAMPAIGN, people({"customer_id": "c1"})))
    assert not ours.file(CAMPAIGN).exists()
    next(answers)
    assert ours.file(CAMPAIGN).exists()


@settings(deadline=None, max_examples=60)
@given(who=anybody(), name=st.sampled_from(NAMES), audience=st.sampled_from([CAMPAIGN, None]))
def test_every_customer_has_one_result_and_only_those_sent_are_in_the_file(who, name, audience):
    with tempfile.TemporaryDirectory() as folder:
        files = CsvFiles(Path(folder), name)
        answers = sent(files, who, audience)
        rows = read(files.file(audience), delimiter(name))
    assert set(answers) == set(who.column("customer_id").to_pylist())
    went = {customer_id for customer_id, (result, _) in answers.items() if result == "sent"}
    expected = [row for row in who.to_pylist() if row["customer_id"] in went]
    assert len(rows) == len(expected)
    for row, person in zip(rows, expected, strict=True):
        address = (person["email"] or "").strip()
        if name == "csv":
            assert {header: value.removeprefix("'") for header, value in row.items() if header in TEXTS} == {
                header: (person[header] or "").removeprefix("'") for header in TEXTS
            }
        elif name in HASHED:
            assert next(iter(row.values())) == hashed(address.lower())
            assert all(len(value) in (0, 64) or value == "GRANTED" for value in row.values())
        else:
            assert next(iter(row.values())) == address
            assert (person["offer"] or "") in row.values()


TEXTS = [name for name in CONTACT_SCHEMA.names if CONTACT_SCHEMA.field(name).type == pa.string()]


# --- which destination a name means, and what it needs


def test_every_name_that_a_campaign_may_give_is_a_destination(tmp_path, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACTIVATION_TOKEN", "pat-sesame")
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk-sesame")
    monkeypatch.setenv("BREVO_API_KEY", "xkeysib-sesame")
    monkeypatch.setenv("MAILCHIMP_API_KEY", "sesame-us6")
    monkeypatch.setenv("MAILCHIMP_AUDIENCE", "a1")
    given = Settings(data_dir=tmp_path)
    found = {name: destination(given, name) for name in get_args(DestinationName)}
    assert all(name == known.name for name, known in found.items())
    assert {name for name, known in found.items() if not known.is_full_refresh} == {*BY_API}
    assert found["csv"].file(CAMPAIGN) == tmp_path / "campaigns" / CAMPAIGN / "csv.csv"
    assert "sesame" not in repr([found[name] for name in BY_API])


def test_an_unknown_name_is_answered_with_those_that_there_are(tmp_path):
    with pytest.raises(
        SettingsError,
        match=r"no destination 'mailchip'\. There are: csv, mailchimp, .*, klaviyo_api, brevo_api, mailchimp_api\.",
    ):
        destination(Settings(data_dir=tmp_path), "mailchip")


def test_an_erased_customer_is_in_no_file_for_a_service(tmp_path):
    given = Settings(data_dir=tmp_path)
    assert given.campaigns_folder in given.copies


def test_the_token_that_reads_hubspot_is_not_taken_for_one_that_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-reads")
    with pytest.raises(SettingsError, match=r"HUBSPOT_ACTIVATION_TOKEN is missing.*HUBSPOT_ACTIVATION_BLOCK"):
        destination(Settings(data_dir=tmp_path), "hubspot")


def test_the_token_may_be_in_a_secret_block(prefect_api):
    Secret(value="pat-sesame").save("hubspot", overwrite=True)
    assert HubSpotContacts.read(HubSpotSettings(activation_block="hubspot")).api.token == "pat-sesame"


@pytest.mark.parametrize(
    ("held", "message"), [(None, "ACTIVATION_BLOCK=hubspot-odd: "), ({"a": "hunter2"}, "as a text")]
)
def test_a_block_that_is_not_there_or_holds_something_else_is_named_but_not_what_it_holds(held, message, prefect_api):
    name = "hubspot-odd" if held is None else "hubspot-half"
    if held:
        Secret(value=held).save(name, overwrite=True)
    with pytest.raises(SettingsError, match=message) as refused:
        HubSpotContacts.read(HubSpotSettings(activation_block=name))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://api.hubapi.com", "api.hubapi.com", "https://me:sesame@api.hubapi.com", "https://api.hubapi.com/v3"]
)
def test_the_token_goes_nowhere_but_where_it_is_safe(url, monkeypatch):
    monkeypatch.setenv("HUBSPOT_BASE_URL", url)
    with pytest.raises(SettingsError, match="HUBSPOT_BASE_URL") as refused:
        read_settings(HubSpotSettings)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://api.hubapi.com", "https://api.hubapi.com/", "http://127.0.0.1:8080"])
def test_hubspot_may_be_in_the_cloud_or_on_this_machine(url, monkeypatch):
    monkeypatch.setenv("HUBSPOT_BASE_URL", url)
    assert read_settings(HubSpotSettings).base_url == url
