"""dbt's exposures say which marts the page and the workbook read."""

import re

import pytest
import yaml

from flows.adapters.marts import global_holdout, monitoring, promises
from flows.adapters.tableau.extract import MARTS
from flows.settings import REPOSITORY

# which the page names by these constants
BY_CONSTANT = {
    relation.removeprefix("marts.")
    for relation in (monitoring.RELATION, monitoring.RELIABILITY, promises.RELATION, global_holdout.RELATION)
}


def declared(name):
    models = yaml.safe_load((REPOSITORY / "dbt_project/models/marts/_marts__models.yml").read_text())
    (exposure,) = [exposure for exposure in models["exposures"] if exposure["name"] == name]
    assert exposure["owner"]["email"]
    return {re.findall(r"'(\w+)'\)", reference)[0] for reference in exposure["depends_on"]}


def read_by_the_page():
    code = "".join(file.read_text() for file in (REPOSITORY / "flows/adapters/dashboard").glob("*.py"))
    return {*re.findall(r"(?<!adapters\.)(?:marts|staging)\.(\w+)", code), *BY_CONSTANT}


@pytest.mark.parametrize(("exposure", "reads"), [("dashboard", read_by_the_page()), ("tableau_workbook", set(MARTS))])
def test_an_exposure_names_what_is_read_and_nothing_else(exposure, reads):
    assert declared(exposure) == reads
