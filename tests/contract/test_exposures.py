"""dbt's exposures say which marts the page, the workbook and agents read."""

import re

import pytest
import yaml

from flows.adapters.marts import campaign_results, campaign_tables, changes, global_holdout, monitoring, promises
from flows.adapters.tableau.extract import MARTS
from flows.settings import REPOSITORY

# which the page and agents name by these constants
OF_BOTH = (monitoring.RELATION, monitoring.RELIABILITY, promises.RELATION, changes.PREDICTIONS)
BY_CONSTANT = {
    "dashboard": {*OF_BOTH, global_holdout.RELATION, campaign_tables.TARGETS},
    "agents": {*OF_BOTH, campaign_tables.CAMPAIGNS, campaign_results.RESULTS},
}


def declared(name):
    models = yaml.safe_load((REPOSITORY / "dbt_project/models/marts/_marts__models.yml").read_text())
    (exposure,) = [exposure for exposure in models["exposures"] if exposure["name"] == name]
    assert exposure["owner"]["email"]
    return {re.findall(r"'(\w+)'\)", reference)[0] for reference in exposure["depends_on"]}


def read_by(folder):
    code = "".join(file.read_text() for file in (REPOSITORY / "flows/adapters" / folder).glob("*.py"))
    named = re.findall(r"(?<!adapters\.)(?:marts|staging)\.(\w+)", code)
    return {*named, *(relation.removeprefix("marts.") for relation in BY_CONSTANT[folder])}


READ = {"dashboard": read_by("dashboard"), "agents": read_by("agents"), "tableau_workbook": set(MARTS)}


@pytest.mark.parametrize(("exposure", "reads"), READ.items())
def test_an_exposure_names_what_is_read_and_nothing_else(exposure, reads):
    assert declared(exposure) == reads
