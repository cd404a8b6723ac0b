"""`marts.predict_churn_udf`: a function inside Snowflake with a model of ours; see functions/snowflake_udf.py."""

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from flows.adapters.models.registry import MODEL
from flows.errors import WarehouseRefused
from flows.settings import REPOSITORY
from functions.churn_api.contract import FEATURE_NAMES

STAGE = "marts.models"
NAME = "marts.predict_churn_udf"
CODE = "functions.zip"
RUNTIME_VERSION = "3.11"
# The oldest and the newest versions with which the handler's answers were the same to the last digit. An onnxruntime
# before 1.18 cannot read the model: IR 10, opset 21.
TESTED = {
    "numpy": ((1, 26), (2, 4)),
    "onnxruntime": ((1, 18), (1, 31)),
    "pandas": ((2, 2), (2, 3)),
}
AVAILABLE_PACKAGES = (
    "select package_name, version from information_schema.packages"
    f" where language = 'python' and runtime_version = '{RUNTIME_VERSION}'"
    f" and package_name in ({', '.join(repr(name) for name in TESTED)})"
)

_MODULES = (
    "__init__.py", "predicted.py", "snowflake_udf.py",
    "churn_api/__init__.py", "churn_api/contract.py", "churn_api/reasons.py", "churn_api/scorer.py",
)  # fmt: skip


def write_code(folder: Path) -> Path:
    """Our code as a zip file in `folder`, which Snowflake puts on the function's path."""
    code = folder / CODE
    with zipfile.ZipFile(code, "w", zipfile.ZIP_DEFLATED) as archive:
        for module in _MODULES:
            archive.write(REPOSITORY / "functions" / module, f"functions/{module}")
    return code


def choose_packages(available: Iterable[tuple[str, str]]) -> list[str]:
    """Of Snowflake's (name, version), the newest tested version of each package, as `name==version`.

    Raises:
        WarehouseRefused: when a package has no tested version.
    """
    versions: dict[str, list[tuple[int, ...]]] = {name: [] for name in TESTED}
    for name, version in available:
        if re.fullmatch(r"\d+(\.\d+)+", version):  # no release candidates
            versions[name].append(tuple(int(part) for part in version.split(".")))
    chosen = []
    for name, (oldest, newest) in TESTED.items():
        tested = [version for version in versions[name] if oldest <= version[:2] <= newest]
        if not tested:
            there = ", ".join(_text(version) for version in sorted(versions[name])) or "none"
            raise WarehouseRefused(
                f"{NAME} needs {name} {_text(oldest)} to {_text(newest)}, and Snowflake has, for Python"
                f" {RUNTIME_VERSION}: {there}. Let the API score instead: SNOWFLAKE_SCORING=external_function."
            )
        chosen.append(f"{name}=={_text(max(tested))}")
    return chosen


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def create_function(place: str, packages: Iterable[str]) -> str:
    """The statement that creates the function, or gives it another model.

    `place`: the stage path of its files. `packages`: of `choose_packages`.
    """
    arguments = ", ".join(f"{name} double" for name in (*FEATURE_NAMES, "day_of_year"))
    pinned = ", ".join(f"'{package}'" for package in packages)
    return f"""create or replace function {NAME}({arguments})
returns variant
language python
runtime_version = '{RUNTIME_VERSION}'
packages = ({pinned})
imports = ('{place}/{CODE}', '{place}/{MODEL}')
handler = 'functions.snowflake_udf.predict_churn'
comment = 'churn model {place.rsplit("/", 1)[-1]}'"""
