"""docs/benchmarks.md is written by `make bench`, section by section."""

import re

from tests.benchmarks import page as pages
from tests.benchmarks.measured import Figure


def test_the_page_is_what_the_benchmarks_write():
    written = pages.PAGE.read_text(encoding="utf-8")
    sections = pages.sections(written)
    assert pages.compose(sections, list(sections)) == written
    for name, text in sections.items():
        assert re.search(r"^Measured (on|before) \d{4}-\d\d-\d\d,? at (commit \w+|an earlier commit)", text, re.M), name


def test_a_section_has_date_commit_and_machine():
    text = pages.section("What  is\nmeasured.", [Figure("speed", "2 s", "1 s", "≤ 3 s", True)])
    about, when, _, *table = text.splitlines()
    assert about == "What is measured."
    assert re.fullmatch(
        r"Measured on \d{4}-\d\d-\d\d at commit \w+(-dirty)?, \d+ cores, \w+, \w+, Python [\d.]+\.", when
    )
    assert table[-1] == "| speed | 2 s | 1 s | ≤ 3 s | ok |"


def test_a_benchmark_replaces_its_section_alone_and_keeps_the_order():
    page = pages.compose({"scale": "old", "ingest": "kept"}, ["ingest", "scale"])
    again = pages.compose({**pages.sections(page), "scale": "new"}, ["ingest", "scale"])
    assert pages.sections(again) == {"ingest": "kept", "scale": "new"}
    assert again.index("## ingest") < again.index("## scale")
