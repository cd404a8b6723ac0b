"""Tableau, as part of a flow or by `make publish`: the last run's workbook and customers, for those who work with them.

It publishes the files that the run has written, so it shows the same personal data as they do.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.adapters.tableau.extract import SCHEMA
from flows.adapters.tableau.hyper import hyper_is_built_for_this_machine
from flows.adapters.tableau.workbook import WORKBOOK as SOURCE_OF_WORKBOOK
from flows.errors import BadInput, SettingsError
from flows.orchestration import flow, keep_table, run_id, task
from flows.settings import Settings
from flows.wiring import tableau

if TYPE_CHECKING:
    from flows.adapters.tableau.server import Publication, TableauServer

log = logging.getLogger(__name__)

WORKBOOK = "Segments and churn risk"
ABOUT_WORKBOOK = "Who the customers are, who is about to leave, and who to contact."
CUSTOMERS = "Marketing customers"
ABOUT_CUSTOMERS = "A row for each customer: segment, churn risk, value at stake, recommended action."
CUSTOMERS_TABLE = "MARKETING_CUSTOMERS"


@flow(name="publishing")
def tableau_publication(settings: Settings) -> None:
    """Publishes the files of the last run.

    Raises:
        SettingsError: when TABLEAU_URL is not set.
    """
    if tableau() is None:
        raise SettingsError(
            "TABLEAU_URL is not set: nothing is published without it. docs/production.md explains what it needs."
        )
    publish_to_tableau(settings)


def publish_to_tableau(settings: Settings) -> list["Publication"]:
    """Publishes the run's customers and workbook, where Tableau is configured. To be called at the end of a flow.

    Raises:
        TableauRefused, TableauUnreachable, PublishFailed: saying what to do; the run's tables and files are there.
    """
    server = tableau()
    if server is None:
        return []
    check_files(settings)
    try:
        published = [publish_customers(settings, server), publish_workbook(settings, server)]
    finally:
        server.api.sign_out()
    record(published)
    return published


def check_files(settings: Settings) -> None:
    if settings.is_on_this_machine and not hyper_is_built_for_this_machine():
        raise BadInput(
            "Nothing can be published from this machine: Tableau does not build hyperd, which writes its extracts, for"
            " it. Run where the processor is x86-64, or on macOS; or without TABLEAU_URL."
        )
    needed = [settings.workbook_file] + ([settings.extract_file] if settings.is_on_this_machine else [])
    if missing := [str(file) for file in needed if not file.is_file()]:
        raise BadInput(f"{' and '.join(missing)}: there is nothing to publish yet. `make run` writes it.")


@task
def publish_customers(settings: Settings, server: "TableauServer") -> "Publication":
    """From the extract, or connected to where the workbook is."""
    from flows.adapters.tableau.files import write_source, write_table

    if settings.is_on_this_machine:
        file = settings.scratch / "marketing_customers.hyper"
        table = write_table(settings.extract_file, SCHEMA, CUSTOMERS_TABLE, file)
        log.info("publishing %s customers to Tableau", f"{table.rows:,}")
        try:
            return server.publish_table(CUSTOMERS, ABOUT_CUSTOMERS, table, run_id())
        finally:
            file.unlink()  # it holds customers
    file = settings.scratch / "marketing_customers.tds"
    write_source(settings.workbook_file, CUSTOMERS_TABLE, file)
    log.info("publishing the customers' data source to Tableau")
    return server.publish_source(CUSTOMERS, ABOUT_CUSTOMERS, file)


@task
def publish_workbook(settings: Settings, server: "TableauServer") -> "Publication":
    log.info("publishing %s to Tableau", settings.workbook_file.name)
    return server.publish_workbook(WORKBOOK, ABOUT_WORKBOOK, settings.workbook_file)


@task
def record(published: Sequence["Publication"]) -> None:
    for one in published:
        log.info("%s %s: %s, %s", one.kind, one.name, one.how, one.url)
    keep_table(
        "tableau",
        [vars(one) | {"updated_at": str(one.updated_at or "")} for one in published],
        "What this run has published to Tableau",
    )


def validate_workbook(file: Path | None = None) -> int:
    """Prints Tableau's findings on the project's workbook, or another file, and returns 1 if Tableau cannot open it.

    Raises:
        SettingsError: when TABLEAU_URL is not set.
        TableauRefused: when the server is too old to validate workbooks.
    """
    server = tableau()
    if server is None:
        raise SettingsError(
            "TABLEAU_URL is not set: only Tableau itself can check whether it opens a workbook. docs/production.md says"
            " what it needs; Tableau Cloud's developer sites are free."
        )
    from flows.adapters.tableau.validation import validate_workbook as ask

    workbook = file or SOURCE_OF_WORKBOOK
    try:
        findings = ask(server.api, workbook)
    finally:
        server.api.sign_out()
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    errors = sum(finding.is_error for finding in findings)
    sys.stdout.write(f"{workbook.name}: {errors} errors, {len(findings) - errors} warnings\n")
    return 1 if errors else 0
