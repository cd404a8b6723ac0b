"""What a file of contacts says of consent: never read the wrong way round, and never passed over."""

from itertools import combinations
from pathlib import Path

import pytest
import yaml

from flows.adapters.files.reading.landing import map_contacts
from flows.errors import BadInput
from flows.settings import REPOSITORY
from flows.sources.connections import Contacts, read_connections
from flows.sources.words import plain

RECOGNISED = read_connections(REPOSITORY / "airbyte" / "connections.yml").recognised_headers
FILE = Path("contacts.csv")


def mapped(header, **columns):
    return map_contacts(header.split(","), Contacts(columns=columns), RECOGNISED, FILE, "my_shop")


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("Accepts Email Marketing", "opted_in"), ("Newsletter", "opted_in"), ("subscribed", "opted_in"),
        ("Unsubscribed", "opted_out"), ("email_opt_out", "opted_out"), ("Do Not Email", "opted_out"),
        ("Email Marketing Consent", "opted_in"),
        ("Opted out of email: Marketing Information", "opted_out_of_marketing"),
        ("Legal basis for processing contact's data", "legal_basis"), ("hs_legal_basis", "legal_basis"),
        ("ad_user_data", "ad_user_data"), ("Ad Personalization", "ad_personalization"),
        ("Advertising consent", "consents_to_advertising"),
    ],
)  # fmt: skip
def test_a_known_header_is_read_as_what_yes_means(header, meaning):
    assert mapped(f"email,{header}") == {"email": "email", meaning: header}


def test_no_header_is_known_as_two_of_them():
    for ours, others in combinations(RECOGNISED.contacts.values(), 2):
        assert not {*map(plain, ours)} & {*map(plain, others)}


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"opted_out": "Accepts Marketing"}, "opted_in: 'Accepts Marketing'"),
        ({"opted_in": "unsubscribed"}, "opted_out: 'unsubscribed'"),
        ({"consents_to_advertising": "unsubscribed"}, "opted_out: 'unsubscribed'"),
        ({"opted_out": "ad_user_data"}, "ad_user_data: 'ad_user_data'"),
    ],
)
def test_a_column_that_is_mapped_as_its_opposite_is_refused(columns, line):
    with pytest.raises(BadInput, match=f"would turn everybody's answer round(?s:.*){line}"):
        mapped("email,Accepts Marketing,unsubscribed,ad_user_data", email="email", **columns)


def test_a_column_that_may_be_about_consent_is_asked_about_with_columns_to_write():
    with pytest.raises(BadInput, match="may say who wants e-mails") as refused:
        mapped("Mail,E-Mail,Werbung: 'ja'")
    entry = str(refused.value).split("\n\n")[1]
    columns = yaml.safe_load(entry)["contacts"]["columns"]
    assert columns == {"email": "E-Mail", "opted_in": "Werbung: 'ja'"}
    assert mapped("Mail,E-Mail,Werbung: 'ja'", **columns) == columns


def test_declared_columns_without_one_of_consent_are_taken_at_their_word():
    assert mapped("E-Mail,Newsletter text", email="E-Mail") == {"email": "E-Mail"}
