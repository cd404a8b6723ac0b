""".github/workflows: what they call is there, and each step does what it says, with stand-ins for its tools."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.settings import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.yml"))}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOOLS = ("aws", "docker", "make", "terraform")
# says what it was called with; answers what the steps ask for
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $*" in
  *"output -raw image_repository") printf 123456789012.dkr.ecr.eu-central-1.amazonaws.com/rfm-churn-dev ;;
  "docker login"*) cat > /dev/null ;;
  "docker inspect"*) echo healthy ;;
  "aws ecr get-login-password") echo password ;;
  "make env") echo "RUNS_ON=ecs" > .env ;;
esac
"""


def jobs():
    return [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"].values()]


def steps(name):
    return [step for of, job in jobs() if of == name for step in job.get("steps", ()) if "run" in step]


def calls_of(name, tmp_path, **env):
    """What the steps of a workflow call, run one after the other in a copy of what they read."""
    tools, there = tmp_path / "tools", tmp_path / "checkout"
    tools.mkdir()
    (there / "terraform").mkdir(parents=True)
    shutil.copy(REPOSITORY / "terraform" / "backend.tf.example", there / "terraform")
    for tool in TOOLS:
        (tools / tool).write_text(STAND_IN)
        (tools / tool).chmod(0o755)
    calls = tmp_path / "calls.txt"
    given = {"PATH": f"{tools}:{os.environ['PATH']}", "CALLS": str(calls), "GITHUB_SHA": COMMIT, **env}
    for step in steps(name):
        if step["run"].startswith(".ci/"):
            continue
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step["run"]], cwd=there, env=given, capture_output=True, text=True
        )
        assert result.returncode == 0, (step, result.stderr)
    return calls.read_text().splitlines(), there


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="no actionlint on PATH")
def test_actionlint_finds_nothing():
    result = subprocess.run(["actionlint"], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_every_job_has_the_least_rights_and_a_limit_of_time():
    for workflow in WORKFLOWS.values():
        assert set(workflow["permissions"]) <= {"contents", "id-token"}
        assert workflow["permissions"]["contents"] == "read"
    for name, job in jobs():
        assert "uses" in job or job["timeout-minutes"] <= 90, name


def test_only_roles_open_aws_and_no_key_is_stored():
    text = "".join(file.read_text() for file in FOLDER.glob("*.yml"))
    assert "role-to-assume" in text
    assert not re.search(r"aws[-_]access[-_]key|aws[-_]secret", text, re.I)


def test_secrets_and_inputs_reach_a_script_by_its_environment_alone():
    """In the text of a script they would be executed, and stand in the log."""
    for name, _ in jobs():
        for step in steps(name):
            assert "${{" not in step["run"], step


def test_every_called_workflow_target_and_variable_is_there():
    variables = set(re.findall(r'^variable "(\w+)"', "".join(
        file.read_text() for file in (REPOSITORY / "terraform").glob("*.tf")
    ), re.M))  # fmt: skip
    given = WORKFLOWS["terraform"]["jobs"]["terraform"]["env"]
    assert {name.removeprefix("TF_VAR_") for name in given if name.startswith("TF_VAR_")} <= variables
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.M))
    for name, job in jobs():
        if "uses" in job:
            assert (REPOSITORY / job["uses"]).is_file()
            assert set(job["with"]) == set(
                WORKFLOWS["terraform"][True]["workflow_call"]["inputs"]
            )  # `on` is true in YAML
        for step in steps(name):
            assert set(re.findall(r"\bmake ([a-z-]+)", step["run"])) <= targets


def test_prod_waits_for_dev_and_for_its_environments_approval():
    prod = WORKFLOWS["deploy"]["jobs"]["prod"]
    assert (prod["needs"], prod["with"]["environment"]) == ("dev", "prod")
    assert WORKFLOWS["terraform"]["jobs"]["terraform"]["environment"] == "${{ inputs.environment }}"


def test_the_steps_of_an_environment_pack_plan_apply_push_and_deploy_this_commit(tmp_path):
    summary = tmp_path / "summary.md"
    calls, there = calls_of(
        "terraform", tmp_path, VARIABLES="dev", STATE_KEY="rfm-churn/dev.tfstate",
        SETTINGS='alerts = { to = "teams" }', GITHUB_STEP_SUMMARY=str(summary),
    )  # fmt: skip
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/rfm-churn-dev:{COMMIT}"
    signed_in = [  # two ends of a pipe, in no order
        "aws ecr get-login-password",
        "docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    ]
    assert set(signed_in) <= set(calls)
    assert [call for call in calls if call not in signed_in] == [
        "make package",
        "terraform -chdir=terraform init -backend-config=key=rfm-churn/dev.tfstate",
        "terraform -chdir=terraform plan -no-color -lock=false -var-file=dev.tfvars",
        "terraform -chdir=terraform plan -detailed-exitcode -lock=false -var-file=dev.tfvars",
        f"docker build -f docs/serving/Dockerfile -t runs:{COMMIT} .",
        f"terraform -chdir=terraform apply -auto-approve -var-file=dev.tfvars -var=image_tag={COMMIT}",
        "terraform -chdir=terraform output -raw image_repository",
        f"docker tag runs:{COMMIT} {image}",
        f"docker push {image}",
        "make env", "make deploy", "make alert-test",
    ]  # fmt: skip
    assert (there / "terraform" / "github.auto.tfvars").read_text() == 'alerts = { to = "teams" }\n'
    assert summary.read_text().startswith("### dev\n")
    assert Path(REPOSITORY / "terraform" / "dev.tfvars").is_file()


def test_the_image_is_built_and_waited_for_until_it_is_healthy(tmp_path):
    calls, _ = calls_of("checks", tmp_path)
    assert [call.split()[:2] for call in calls] == [
        ["docker", "build"], ["docker", "run"], ["docker", "inspect"], ["docker", "rm"],
    ]  # fmt: skip
