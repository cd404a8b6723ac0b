"""What of prefect.yaml is deployed, by settings."""

import pytest

from flows.commands.deploy import deployments
from flows.settings import DeploymentSettings

GIVEN = {
    "prefect_api_url": "http://127.0.0.1/api", "repository_url": "https://host/o/n.git", "snowflake_block": "b",
    "source": "s", "models": "s3://bucket/models",
}  # fmt: skip


def described(**settings):
    return deployments(DeploymentSettings(**GIVEN, **settings))


def job_variables(content):
    return [one["work_pool"]["job_variables"] for one in content["deployments"]]


def test_runs_fetch_the_commit_that_was_deployed_and_not_what_a_branch_has_that_night():
    clone = described()["pull"][0]["prefect.deployments.steps.git_clone"]
    assert clone["commit_sha"] == "{{ $GIT_COMMIT }}"
    assert "branch" not in clone


def test_a_private_repository_is_cloned_with_the_token_of_a_block_that_stands_nowhere():
    clone = described(repository_token_block="github")["pull"][0]["prefect.deployments.steps.git_clone"]
    assert clone["access_token"] == "{{ prefect.blocks.secret.github }}"


@pytest.mark.parametrize("runs_on", ["ecs", "machine"])
def test_where_the_code_is_in_an_image_nothing_is_fetched_or_installed(runs_on):
    content = described(runs_on=runs_on, runs_role="arn:aws:iam::123456789012:role/runs")
    (step,) = content["pull"]
    assert step == {"prefect.deployments.steps.set_working_directory": {"directory": "{{ $CODE_DIRECTORY }}"}}
    assert all(set(variables) == {"env"} for variables in job_variables(content))


def test_prefects_machines_take_on_the_role_that_there_is():
    with_role = job_variables(described(runs_role="arn:aws:iam::123456789012:role/runs"))
    assert all(one["federated_identity"]["aws_role_arn"] == "{{ $RUNS_ROLE }}" for one in with_role)
    assert not any("federated_identity" in one for one in job_variables(described()))


def test_prefects_free_plan_takes_five_deployments_and_one_pool():
    content = described()
    assert len(content["deployments"]) <= 5
    assert {one["work_pool"]["name"] for one in content["deployments"]} == {"rfm-churn"}
    both = described(local_pool=True)["deployments"]
    assert {one["work_pool"]["name"] for one in both} == {"rfm-churn", "rfm-churn-local"}
