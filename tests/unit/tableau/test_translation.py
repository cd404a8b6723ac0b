"""The workbook in French: every text has its French, nothing but texts changes, and Tableau's schemas take it."""

import csv
import re
from xml.etree import ElementTree as ET

import yaml

from flows.adapters.tableau import translation
from flows.adapters.tableau.translation import in_french, texts_of
from flows.adapters.tableau.workbook import WORKBOOK
from flows.settings import REPOSITORY
from tests.workbook import schemas

SEGMENTS = [
    row["segment"]
    for row in csv.DictReader((REPOSITORY / "dbt_project/seeds/rfm_segments.csv").read_text("utf-8").splitlines())
]
ENGLISH = WORKBOOK.read_bytes()
FRENCH = in_french(ENGLISH, SEGMENTS)
TEXTS = yaml.safe_load((REPOSITORY / "flows/adapters/tableau/french.yml").read_text("utf-8"))["texts"]
AS_THEY_ARE = {"marts", "Action (Country)", "Action (Segment)"}  # names that no reader sees


def test_every_text_of_the_workbook_has_its_french_with_the_same_fields():
    assert sorted(texts_of(ENGLISH) - set(TEXTS) - AS_THEY_ARE) == [], "add it to flows/adapters/tableau/french.yml"
    assert sorted(set(TEXTS) - texts_of(ENGLISH)) == [], "no text of the workbook: remove it"
    for english, french in TEXTS.items():
        assert sorted(re.findall(r"\{\d\}", english)) == sorted(re.findall(r"\{\d\}", french)), english


def test_french_is_set_as_french_is():
    assert [text for text in TEXTS.values() if re.search(r"[^\u202f][;:?!»%]|«[^\u202f]|'", text)] == []


def test_nothing_changes_but_texts_and_aliases():
    def without_texts(workbook):
        root = ET.fromstring(workbook)
        for element in root.iter():
            element.attrib.pop("caption", None)
            element.text = None if element.tag == "run" else (element.text or "").strip()
            element.tail = None
            for aliases in element.findall("aliases"):
                if len(aliases):
                    element.remove(aliases)
        return ET.tostring(root)

    assert without_texts(FRENCH) == without_texts(ENGLISH)
    assert b'caption="CA menac\xc3\xa9"' in FRENCH


def test_a_workbook_without_known_texts_is_the_same_bytes(monkeypatch):
    monkeypatch.setattr(translation, "_content", lambda: {"texts": {}, "aliases": {}})
    assert in_french(ENGLISH, ()) == ENGLISH


def test_values_have_french_names_wherever_a_data_source_has_the_field():
    root = ET.fromstring(FRENCH)
    for name, value, french in (("segment", "At risk", "À risque"), ("c_risk_band", "high", "élevé")):
        columns = [
            column for column in root.findall("./datasources/datasource/column") if column.get("name") == f"[{name}]"
        ]
        assert columns
        for column in columns:
            assert {a.get("key"): a.get("value") for a in column.iter("alias")}[f'"{value}"'] == french


def test_it_is_valid_by_tableaus_schemas():
    assert schemas.problems(FRENCH) == []
