"""Real Terraform in a copy of terraform/, with the stand-in for its providers."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
ENVIRONMENT = Path(sys.prefix) / "terraform" / "bin" / "python"  # make .venv/terraform/ready
NOT_INSTALLED = "make .venv/terraform/ready installs what stands in for Terraform's providers"
OLDEST = (1, 11, 0)  # as terraform/versions.tf says
_READ = ("airbyte", "flows")  # what the HCL reads besides itself


def is_installed() -> bool:
    return ENVIRONMENT.exists()


@cache
def terraform() -> tuple[str, ...]:
    """The command: the one on PATH, else Terraform as a library; also where the one on PATH is too old."""
    if found := shutil.which("terraform"):
        result = subprocess.run([found, "version", "-json"], capture_output=True, text=True, check=True).stdout
        if tuple(map(int, json.loads(result)["terraform_version"].split("-")[0].split("."))) >= OLDEST:
            return (found,)
    return (str(ENVIRONMENT), "-m", "tests.stand_ins.terraform.library")


@contextlib.contextmanager
def stand_in(*options: str) -> Iterator[str]:
    """What TF_REATTACH_PROVIDERS has to be; the process ends with the block."""
    command = [str(ENVIRONMENT), "-m", "tests.stand_ins.terraform.serve", *options]
    environment = os.environ | {"GRPC_VERBOSITY": "NONE", "AWS_EC2_METADATA_DISABLED": "true"}
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        if not (line := process.stdout.readline()):
            raise AssertionError("the stand-in for the providers did not start: see what it says above")
        try:
            yield line
        finally:
            process.communicate()  # ends its input


@dataclass
class Result:
    """What a command printed, and how it ended."""

    status: int
    text: str

    @property
    def flowing(self) -> str:
        """In one line, without the frame that Terraform draws and the lines that it breaks."""
        return " ".join(self.text.replace("│", " ").split())

    @property
    def errors(self) -> str:
        """From the first error on, if there is one."""
        return "Error:" + self.text.partition("\nError:")[2] if "\nError:" in self.text else self.text


@dataclass
class Terraform:
    """A copy of terraform/ in a folder of its own, where commands run."""

    folder: Path
    reattach: str
    variables: Mapping[str, Any] = field(default_factory=dict)  # over those of the file
    file: str = "dev.tfvars"

    @classmethod
    def copied(cls, folder: Path, reattach: str, **given: Any) -> "Terraform":
        """Initialised, without a backend."""
        ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__")
        for name in ("terraform", *_READ):  # copies: some tests change them
            shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
        found = cls(folder / "terraform", reattach, **given)
        found.must("init", "-backend=false")
        return found

    def run(self, command: str, *options: str) -> Result:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "PREFECT_"))}
        environment |= {
            "TF_REATTACH_PROVIDERS": self.reattach,
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "PYTHONPATH": str(REPOSITORY),
        }
        result = subprocess.run(
            [*terraform(), command, *(() if command in ("show", "fmt", "version") else ("-no-color",)), *options],
            cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
        found = Result(result.returncode, result.stdout + result.stderr)
        assert "Warning: Deprecated" not in found.text, found.text
        return found

    def must(self, command: str, *options: str) -> str:
        result = self.run(command, *options)
        assert result.status == 0, result.errors
        return result.text

    def planning(self, command: str, *options: str, **variables: Any) -> Result:
        """plan, apply or destroy, with the variables' file and with those given; None leaves out one of ours."""
        given = {name: value for name, value in {**self.variables, **variables}.items() if value is not None}
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        result = [f"-var={name}={text}" for name, text in texts.items()]
        return self.run(command, "-input=false", f"-var-file={self.file}", *result, *options)

    def plan(self, *options: str, **variables: Any) -> dict[str, Any]:
        """The plan as JSON."""
        result = self.planning("plan", "-out=plan.bin", *options, **variables)
        assert result.status == 0, result.errors
        return self.shown("plan.bin")

    def shown(self, *what: str) -> Any:
        return json.loads(self.must("show", "-json", *what))

    def apply(self, **variables: Any) -> str:
        result = self.planning("apply", "-auto-approve", **variables)
        assert result.status == 0, result.errors
        return result.text


def resources(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By address, what a plan makes of each resource."""

    def within(module: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for resource in module.get("resources", ()):
            yield resource["address"], resource
        for child in module.get("child_modules", ()):
            yield from within(child)

    return dict(within(plan["planned_values"]["root_module"]))
