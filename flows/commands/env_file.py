"""`churn env`: writes Terraform's outputs as a file of variables for `make deploy` and the flows."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.errors import PipelineError, SettingsError
from flows.settings import REPOSITORY

TERRAFORM = REPOSITORY / "terraform"
OUTPUT = "environment_variables"
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_SECRET = re.compile(r"PASSWORD|PASSPHRASE|SECRET|TOKEN|PRIVATE_KEY|API_KEY")


def write_environment_file(path: Path) -> None:
    """Writes a file from the outputs of terraform/, with a line for each variable and no secret.

    Raises:
        SettingsError: when there is no Terraform, or it has applied nothing yet.
        PipelineError: when an output would put a secret into the file.
    """
    text = as_lines(read_outputs(TERRAFORM))
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    with_slash = path if path.is_absolute() else f"./{path}"  # else a shell looks for it along PATH
    sys.stdout.write(f"wrote {path}; `set -a; . {shlex.quote(str(with_slash))}; set +a` takes it into a shell\n")


def read_outputs(folder: Path) -> dict[str, Any]:
    """The output of `terraform output -json` in a folder where Terraform was applied.

    Raises:
        SettingsError: when there is no Terraform, or it cannot read its state.
    """
    program = shutil.which("terraform")
    if program is None:
        raise SettingsError("make env needs terraform on PATH: it reads the outputs of what was applied.")
    result = subprocess.run([program, "output", "-json", "-no-color"], cwd=folder, capture_output=True, text=True)
    if result.returncode:
        raise SettingsError(f"Terraform cannot read its outputs; run `terraform init` first.\n{result.stderr.strip()}")
    outputs: dict[str, Any] = json.loads(result.stdout)
    return outputs


def as_lines(outputs: Mapping[str, Any]) -> str:
    """The text of the file, which a shell and python-dotenv read alike.

    Raises:
        SettingsError: when the output is missing.
        PipelineError: when it is marked as sensitive, or a name suggests a secret.
    """
    if OUTPUT not in outputs:
        raise SettingsError(f"Terraform has no output {OUTPUT}: run `terraform apply` first (docs/deploy.md).")
    output = outputs[OUTPUT]
    variables: dict[str, str] = output["value"]
    names = [name for name in variables if output.get("sensitive") or _SECRET.search(name) or not _NAME.fullmatch(name)]
    if names:
        raise PipelineError(f"{', '.join(names)} would put a secret into a file: take it out of terraform/outputs.tf.")
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    return "\n".join(["# Written by `make env` from Terraform's outputs. No secrets.", *lines, ""])
