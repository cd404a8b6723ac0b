"""checkov on what Terraform would make of prod, with a reason for everything that it is not given."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.settings import REPOSITORY
from tests.stand_ins.terraform.inputs import variables
from tests.stand_ins.terraform.running import NOT_INSTALLED, Terraform, is_installed, stand_in

CHECKOV = Path(sys.prefix) / "checkov" / "bin" / "checkov"
SKIPS = REPOSITORY / "tests" / "stand_ins" / "terraform" / "checkov_skips.yml"

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(not is_installed(), reason=NOT_INSTALLED),
    pytest.mark.skipif(not CHECKOV.exists(), reason="make .venv/checkov/ready installs checkov"),
]


def test_every_check_that_prod_fails_is_left_out_for_a_reason(tmp_path):
    plan = tmp_path / "prod.json"
    with stand_in() as reattach:
        terraform = Terraform.copied(tmp_path, reattach, variables=variables(tmp_path), file="prod.tfvars")
        plan.write_text(json.dumps(terraform.plan()))
    result = subprocess.run(
        [CHECKOV, "-f", plan, "--framework", "terraform_plan", "-o", "json", "--compact", "--quiet", "--skip-download"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    found = json.loads(result.stdout)
    assert found["summary"]["passed"] > 50, result.stderr
    failed = {}
    for one in found["results"]["failed_checks"]:
        failed.setdefault(one["check_id"], []).append(f"{one['check_name']}: {one['resource']}")
    skips = yaml.safe_load(SKIPS.read_text(encoding="utf-8"))
    assert all(skip["what"] and skip["why"].endswith(".") for skip in skips.values())
    assert {check: where for check, where in failed.items() if check not in skips} == {}
    assert sorted(set(skips) - set(failed)) == []  # no reason is left over
