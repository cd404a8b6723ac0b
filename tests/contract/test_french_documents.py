"""What the French documents say of commands, options and keys is what the English ones say, set as French is."""

import re

import pytest
import yaml

from flows.adapters.dashboard.phrases import in_french
from flows.campaigns.definition import read_campaign
from flows.settings import REPOSITORY
from tests.contract.test_places import campaign_keys, destinations, require

FRENCH = REPOSITORY / "docs" / "fr"
PAIRS = {"README.md": "README.md", "campagnes.md": "docs/campaigns.md"}
SEGMENTS = ("Champions", "Loyal", "Potential loyalists", "Promising", "New customers", "Need attention", "At risk")


def french(name):
    return (FRENCH / name).read_text(encoding="utf-8")


def blocks(text, kind):
    return re.findall(rf"```{kind}\n(.*?)```", text, re.S)


def commands(text):
    lines = (line.split("#")[0].strip() for block in blocks(text, "sh") for line in block.splitlines())
    return [line for line in lines if line]


def prose(text):
    """Without code, links and addresses."""
    return re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|<http[^>]*>", "x", text, flags=re.S)


def test_every_french_document_has_its_english_one_and_they_lead_to_each_other():
    assert {path.name for path in FRENCH.glob("*.md")} == {*PAIRS}
    for name, english in PAIRS.items():
        assert f"]({'../' * 2 if english == 'README.md' else '../'}{english.removeprefix('docs/')})" in french(name)
        there = (REPOSITORY / english).read_text(encoding="utf-8")
        assert f"]({'docs/' if english == 'README.md' else ''}fr/{name})" in there


@pytest.mark.parametrize(("name", "english"), PAIRS.items())
def test_a_command_in_french_is_one_that_the_english_document_has(name, english):
    known = commands((REPOSITORY / english).read_text(encoding="utf-8"))
    assert commands(french(name))
    assert [command for command in commands(french(name)) if command not in known] == []


@pytest.mark.parametrize("name", PAIRS)
def test_an_option_in_french_is_one_that_make_takes(name):
    options = re.search(r"^OPTIONS := (.*?)\n\n", (REPOSITORY / "Makefile").read_text(), re.M | re.S)[1]
    listed = set(re.findall(r"[A-Z][A-Z_]+", options))
    for prefix, names in re.findall(r"addprefix (\w+),([^)]*)", options):
        listed |= {prefix + one for one in re.findall(r"\w+", names)}
    used = set(re.findall(r"\b([A-Z][A-Z_]{3,})\b=?", " ".join(re.findall(r"`[^`]*`", french(name)))))
    known_by_connections = (REPOSITORY / "airbyte" / "connections.yml").read_text(encoding="utf-8")
    assert {option for option in used - listed if option not in known_by_connections} <= {"POST", "YYYY"}


def test_the_campaign_of_the_guide_is_one_with_the_segments_as_the_page_names_them():
    (example,) = blocks(french("campagnes.md"), "yaml")
    segments = read_campaign(example, "campagnes.md", SEGMENTS, translated=in_french(SEGMENTS)).audience.segments
    assert set(segments) == {*SEGMENTS}
    english = (REPOSITORY / "docs" / "campaigns" / "learn.yml").read_text(encoding="utf-8")
    ours, theirs = yaml.safe_load(example), yaml.safe_load(english)
    assert {key: ours[key] for key in ("margin", "budget", "holdout", "window_days", "destination")} == {
        key: theirs[key] for key in ("margin", "budget", "holdout", "window_days", "destination")
    }


def test_the_guide_has_every_key_and_every_destination():
    text = french("campagnes.md")
    table = text.split("\n| clé |")[1].split("\n\n")[0]
    require("the table of keys in docs/fr/campagnes.md", campaign_keys(set(re.findall(r"`([\w.]+)", table))))
    rows = re.findall(r"^\| (`.*?) \|", text.split("\n## Où vont les clients\n")[1], re.M)
    require("the destinations of docs/fr/campagnes.md", destinations() - set(re.findall(r"`(\w+)`", " ".join(rows))))


@pytest.mark.parametrize("name", PAIRS)
def test_figures_of_the_example_are_those_of_the_english_guide(name):
    english = (REPOSITORY / PAIRS[name]).read_text(encoding="utf-8")
    figures = re.findall(r"\d{1,3}(?:\u202f\d{3})+", french(name))
    assert [figure for figure in figures if figure.replace("\u202f", ",") not in english] == []


@pytest.mark.parametrize("name", PAIRS)
def test_french_is_set_as_french_is(name):
    """Narrow no-break spaces before ; : ? ! » % €, after « and between thousands; typographic apostrophes."""
    text = prose(french(name)).replace("|---|", "")
    wrong = re.findall(r".{0,20}(?:(?<![\u202f\n|:-])[;:?!»%€]|«(?!\u202f)|\d \d{3}\b|').{0,20}", text)
    assert wrong == []
