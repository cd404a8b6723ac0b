"""`make env`: Terraform's outputs as a file that a shell and the flows read."""

import re
import shlex

import pytest
import typer

from flows.__main__ import app
from flows.commands.env_file import as_lines
from flows.errors import PipelineError, SettingsError
from flows.settings import REPOSITORY, DeploymentSettings, Settings
from flows.settings.reader import variables
from flows.settings.shown import SYSTEMS


def outputs(sensitive=False, **variables):
    return {"environment_variables": {"sensitive": sensitive, "value": variables}}


def test_each_variable_is_a_line_that_a_shell_reads_as_it_was():
    text = as_lines(
        outputs(SOURCE="a,b", REPOSITORY_URL="https://host/o/n.git", CRM_LINK="https://c/{customer_id}?a=b c'd")
    )
    written = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    assert list(written) == sorted(written)
    assert shlex.split(written["CRM_LINK"]) == ["https://c/{customer_id}?a=b c'd"]
    assert written["SOURCE"] == "a,b"


@pytest.mark.parametrize(
    "name", ["AIRBYTE_CLIENT_SECRET", "SNOWFLAKE_PRIVATE_KEY", "PREFECT_API_KEY", "HUBSPOT_ACCESS_TOKEN"]
)
def test_a_secret_never_gets_into_the_file(name):
    with pytest.raises(PipelineError, match=name):
        as_lines(outputs(**{name: "x"}))


def test_a_sensitive_output_never_gets_into_the_file():
    with pytest.raises(PipelineError, match="take it out of"):
        as_lines(outputs(sensitive=True, SOURCE="a"))


def test_before_the_first_apply_it_says_what_to_do():
    with pytest.raises(SettingsError, match="run `terraform apply` first"):
        as_lines({})


def test_terraform_says_all_that_prefect_yaml_asks_for_and_nothing_that_nobody_reads():
    text = (REPOSITORY / "terraform" / "outputs.tf").read_text()
    block = re.search(r'output "environment_variables" \{(.*?)\n\}', text, re.S)
    assert block
    written = set(re.findall(r"^\s+([A-Z_]+)\s+=", block[1], re.M))
    needed = set(re.findall(r"\{\{ \$([A-Z_]+) \}\}", (REPOSITORY / "prefect.yaml").read_text()))
    needed -= {"PWD", "GIT_COMMIT", "CODE_DIRECTORY"}  # `make deploy` knows them
    assert needed - written == {"AIRBYTE_CONNECTIONS"}  # left out: the flows find the connections by their names
    read = set(variables(Settings, DeploymentSettings, *SYSTEMS))
    read |= {option.envvar for option in typer.main.get_command(app).commands["redrive"].params}
    assert written - needed - read == set()
