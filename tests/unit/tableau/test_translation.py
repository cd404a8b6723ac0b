"""The workbook in French: nothing of it is English, nothing but what readers see changes, Tableau's schemas take it."""

import csv
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import yaml

from flows.adapters.dashboard.phrases import Phrasebook, labels, phrases, typeset
from flows.adapters.tableau import sentences
from flows.adapters.tableau.formulas import french_formula
from flows.adapters.tableau.sentences import replacements
from flows.adapters.tableau.translation import aliases_by_field, in_french, texts_of, words
from flows.adapters.tableau.workbook import WORKBOOK
from flows.settings import REPOSITORY
from functions.churn_api.contract import CAUSE_NAMES, FEATURE_NAMES
from functions.churn_api.reasons import describe_reasons
from functions.predicted import REASONS
from tests.workbook import references, schemas, shop
from tests.workbook.document import Workbook

SEGMENTS = [
    row["segment"]
    for row in csv.DictReader((REPOSITORY / "dbt_project/seeds/rfm_segments.csv").read_text("utf-8").splitlines())
]
DEFINED = {name: f"silent for {n} to {n + 30} days, 2 or more orders" for n, name in enumerate(SEGMENTS, 10)}
ENGLISH = WORKBOOK.read_bytes()
FRENCH = in_french(ENGLISH, DEFINED)
WRITTEN = yaml.safe_load((REPOSITORY / "flows/adapters/tableau/french.yml").read_text("utf-8"))
THE_SAME = {"Horizon", "Segment", "Segments", "Verdict", "Champions", "France", "Portugal", "Canada", "Luxembourg"}
SAME_WORDS = {  # of both languages, and names of measures
    "action", "auc", "brier", "budget", "calibration", "contact", "crm", "date", "due", "horizon", "mail", "maximum",
    "minimum", "page", "point", "psi", "score", "scores", "segment", "segments", "utc", "verdict", "version",
}  # fmt: skip
NO_READER_SEES = {
    "marts",  # the connection
    "Action (Country)", "Action (Segment)",  # groups that actions filter by
}  # fmt: skip
NAMED_BY_THE_SHOP_OR_THE_MODEL = {  # values that no dictionary has
    "campaign", "customer_id", "email", "model_version", "currency",
    "name",  # of products and categories; where it is a segment's, c_segment shows it
}  # fmt: skip
# by the data source's column: it is hidden, and what shows it is French
SHOWN_BY_A_CALCULATION = {"evidence", "measure", "queue", "reason_1", "reason_2", "reason_3", "why", "previous_segment"}


def test_every_text_of_the_workbook_has_its_french_with_the_same_fields():
    assert sorted(texts_of(ENGLISH) - set(words()) - NO_READER_SEES) == [], (
        "add it to flows/adapters/tableau/french.yml"
    )
    for english in texts_of(ENGLISH) & set(words()):
        assert sorted(re.findall(r"\{\d\}", english)) == sorted(re.findall(r"\{\d\}", words()[english])), english


def test_no_text_is_left_in_english():
    """Captions, titles, tooltips, names of sheets, texts of calculations, aliases: what is not changed is the same word
    in both languages, or no reader sees it."""
    workbook = Workbook(FRENCH)
    left = texts_of(FRENCH) & texts_of(ENGLISH)
    left |= (set(workbook.sheets) | set(workbook.dashboards)) & set(Workbook(ENGLISH).root.xpath("//@name"))
    for source in workbook.sources.values():
        for name, column in source.columns.items():
            aliases = {alias.get("key").strip('"'): alias.get("value") for alias in column.iter("alias")}
            left |= {value for value in aliases if aliases[value] == value}
            said = {text for text in _said(source.formula(name) or "") if text in _said_in_english()}
            left |= said - set(aliases)
    assert sorted(left - THE_SAME - NO_READER_SEES) == []


def test_no_french_text_has_a_word_of_its_english():
    """Such as the name of a queue in brackets."""
    for english in texts_of(ENGLISH) & set(words()) | set(WRITTEN["texts"]):
        both = [
            set(re.findall(r"[a-zà-ÿœ]{3,}", re.sub(r"\{\d+\}", "", text).lower()))
            for text in (english, words()[english])
        ]
        assert both[0] & both[1] <= SAME_WORDS, english


def test_no_value_is_left_in_english():
    """Every text of the marts that a worksheet shows is named in French, or is the shop's own name."""
    for source in Workbook(FRENCH).sources.values():
        for name, column in source.columns.items():
            is_text = column.get("datatype") == "string" and name in source.remote
            if is_text and name not in NAMED_BY_THE_SHOP_OR_THE_MODEL and column.find("aliases") is None:
                assert name in SHOWN_BY_A_CALCULATION, f"{source.name}: {name}"
                assert column.get("hidden") == "true", name


def test_the_workbook_has_no_words_of_its_own_where_the_page_has_one():
    on_the_page = {}
    for both in labels().values():
        on_the_page.setdefault(both["en"], set()).add(typeset(both["fr"]))
    repeated = {english for english, french in WRITTEN["texts"].items() if on_the_page.get(english) == {french}}
    differs = {english for english in WRITTEN["texts"] if len(on_the_page.get(english, ())) == 1} - repeated
    assert (sorted(repeated), sorted(differs)) == ([], []), "the page has it: remove it from french.yml"
    assert not set(WRITTEN["texts"]) & set(phrases())


def test_what_is_written_in_french_is_in_the_workbook():
    sheets = set(Workbook(ENGLISH).sheets) | set(Workbook(ENGLISH).dashboards)
    assert set(WRITTEN["sheets"]) == sheets
    assert len(set(WRITTEN["sheets"].values())) == len(sheets)
    values = {value for values in (*WRITTEN["aliases"].values(), *WRITTEN["parameters"].values()) for value in values}
    assert sorted(set(WRITTEN["texts"]) - texts_of(ENGLISH) - values - _said_in_english()) == [], "remove it"
    names = aliases_by_field(DEFINED)["feature"]
    assert [name for name in FEATURE_NAMES if names[name] == name] == [], "add it to `features` of french.yml"


def test_french_is_set_as_french_is():
    texts = [*WRITTEN["texts"].values(), *WRITTEN["sheets"].values(), *WRITTEN["features"].values()]
    assert [text for text in texts if re.search(r"[^\u202f][;:?!»%]|«[^\u202f]|'", text)] == []


def test_nothing_changes_but_what_readers_see():
    def without_texts(workbook):
        root = ET.fromstring(workbook)
        for element in root.iter():
            for name in ("caption", "default-format", "locale", "alias", "formula"):
                element.attrib.pop(name, None)
            if element.tag in ("worksheet", "dashboard", "window", "viewpoint", "zone", "source", "param", "link"):
                element.attrib.clear()
            element.text = None if element.tag == "run" else (element.text or "").strip()
            element.tail = None
            for aliases in element.findall("aliases"):
                if len(aliases):
                    element.remove(aliases)
        return ET.tostring(root)

    assert without_texts(FRENCH) == without_texts(ENGLISH)
    english, french = Workbook(ENGLISH), Workbook(FRENCH)
    for name, source in english.sources.items():
        for column in source.columns:
            formulas = (source.formula(column), french.sources[name].formula(column))
            fields = [set(re.findall(r"\[\w+\]", formula or "")) for formula in formulas]
            assert fields[0] == fields[1], column


def test_everything_that_it_names_is_there_and_it_is_valid_by_tableaus_schemas():
    assert references.problems(FRENCH, shop.tableau_types()) == []
    assert schemas.problems(FRENCH) == []


@pytest.mark.parametrize(
    ("field", "value", "french"),
    [("segment", "At risk", "À risque"), ("c_risk_band", "high", "élevé"), ("c_queue", "win back", "Reconquérir"),
     ("c_country", "Germany", "Allemagne"), ("c_country", "EIRE", "Irlande (EIRE)"), ("c_channel", "email", "e-mail"),
     ("meaning", "Bought seldom, long ago", "Achats rares et anciens"),
     ("recommended_action", "Low-cost contact only: a seasonal mailing",
      "Contact peu coûteux seulement\u202f: un envoi saisonnier"),
     ("definition", DEFINED["Loyal"], "dernier achat il y a 11 à 41 jours, au moins 2 commandes")],
)  # fmt: skip
def test_values_have_french_names_wherever_a_data_source_has_the_field(field, value, french):
    columns = ET.fromstring(FRENCH).findall(f"./datasources/datasource/column[@name='[{field}]']")
    assert columns
    for column in columns:
        assert {a.get("key"): a.get("value") for a in column.iter("alias")}[f'"{value}"'] == french


def test_no_two_values_of_a_field_have_one_name():
    """Tableau refuses that."""
    for field, names in aliases_by_field(DEFINED).items():
        assert len(set(names.values())) == len(names), field


def test_the_queue_that_is_chosen_has_its_french_name_and_keeps_its_value():
    queue = Workbook(FRENCH).parameters["p_queue"]
    assert (queue.get("value"), queue.get("alias")) == ('"keep"', "Retenir")
    assert [(m.get("value"), m.get("alias")) for m in queue.iter("member")] == [
        ('"keep"', "Retenir"), ('"win back"', "Reconquérir"), ('"thank"', "Remercier"),
    ]  # fmt: skip


def test_numbers_and_days_are_written_as_in_france():
    workbook = Workbook(FRENCH)
    assert workbook.root.get("locale") == "fr_FR"
    formats = {column.get("default-format") or "" for column in workbook.root.iter("column")}
    assert {of for of in formats if of.startswith("*")} == {
        "*dd/MM/yyyy", '*dd/MM/yyyy H" h "mm', '*"T"q yyyy', '*+0" %";-0" %";0" %"',
    }  # fmt: skip


def test_a_text_that_is_compared_is_a_value_of_the_marts_and_stays():
    written = 'IF [a] = "new" THEN "new" ELSE STR([paid_on]) + STR([orders]) END'
    assert french_formula(written, {"new": "nouveau"}.get, {}) == (
        'IF [a] = "new" THEN "nouveau" ELSE (RIGHT("0" + STR(DAY([paid_on])), 2) + "/" +'
        ' RIGHT("0" + STR(MONTH([paid_on])), 2) + "/" + STR(YEAR([paid_on]))) + STR([orders]) END'
    )


def test_every_reason_is_said_as_on_the_page():
    rng = np.random.default_rng(11)
    features = np.abs(rng.normal(2, 3, size=(2_000, len(FEATURE_NAMES))))
    features[1_000:] *= 1_000
    causes = np.argsort(rng.random((len(features), len(CAUSE_NAMES))))[:, :REASONS]
    found = {
        text for of_rank in describe_reasons(features, rng.normal(size=features.shape), causes) for text in of_rank
    }
    assert len(found) > 1_000
    _assert_as_on_the_page(found, ["reasons"])


def test_why_a_customer_is_in_a_queue_is_said_as_on_the_page():
    _assert_as_on_the_page(
        {
            "slipping: last order 43 days ago, usually every 20 days; 1,120 EUR less is expected than if they stay",
            "gone: only order 1,300 days ago; 1.12 EUR more could be won if they came back",
            "active: last order today, usually every day; 45 is expected in 365 days",
            "segment Can't lose: last order 1 day ago, usually every 3 days; 1,234,567 JPY spent so far",
            "segment Lost: only order today; 9 EUR spent so far",
        },
        ["queue_reasons", "reasons"],
    )


def test_a_phrase_that_calculations_cannot_say_in_french_is_refused(monkeypatch):
    monkeypatch.setattr(sentences, "phrases", lambda *groups: {"{} orders": "avec {} commandes"})
    with pytest.raises(ValueError, match=r"'\{\} orders' has words where English has none"):
        replacements(["reasons"], [])


def _assert_as_on_the_page(texts, groups):
    book, steps = Phrasebook(phrases()), replacements(groups, SEGMENTS)
    for text in texts:
        french = text
        for old, new in steps:
            french = french.replace(old, new)
        assert french == book.translated(text).replace("\u00a0", " ")
        assert french != text


def _said(formula: str) -> set[str]:
    """The texts that a formula may give: those with letters that are neither compared nor replaced."""
    found = re.findall(r'((?:=|<>|WHEN)\s*)?"([^"]*)"', re.sub(r', "[^"]*", "[^"]*"\)', "", formula))
    return {text for compared, text in found if not compared and re.search(r"[A-Za-z]{2}", text)}


def _said_in_english() -> set[str]:
    root = ET.fromstring(ENGLISH)
    parameters = root.findall(".//column[@param-domain-type]/calculation")
    formulas = {calculation.get("formula", "") for calculation in {*root.iter("calculation")} - {*parameters}}
    return {text for formula in formulas for text in _said(formula)}
