"""`marts.predict_churn_udf`: a function inside Snowflake with a model of ours; see functions/snowflake_udf.py."""

import zipfile
from pathlib import Path

from flows.adapters.models.registry import MODEL
from flows.settings import REPOSITORY
from functions.churn_api.contract import FEATURE_NAMES

STAGE = "marts.models"
NAME = "marts.predict_churn_udf"
CODE = "functions.zip"
PACKAGES = ("numpy", "onnxruntime", "pandas", "pydantic")
RUNTIME_VERSION = "3.11"

_MODULES = (
    "__init__.py", "prediction_record.py", "snowflake_udf.py",
    "churn_api/__init__.py", "churn_api/contract.py", "churn_api/reasons.py", "churn_api/scorer.py",
)  # fmt: skip


def write_code(folder: Path) -> Path:
    """Our code as a zip file in `folder`, which Snowflake puts on the function's path."""
    code = folder / CODE
    with zipfile.ZipFile(code, "w", zipfile.ZIP_DEFLATED) as archive:
        for module in _MODULES:
            archive.write(REPOSITORY / "functions" / module, f"functions/{module}")
    return code


def create_function(place: str) -> str:
    """The statement that creates the function, or gives it another model. `place`: the stage path of its files."""
    arguments = ", ".join(f"{name} double" for name in (*FEATURE_NAMES, "day_of_year"))
    packages = ", ".join(f"'{name}'" for name in PACKAGES)
    return f"""create or replace function {NAME}({arguments})
returns variant
language python
runtime_version = '{RUNTIME_VERSION}'
packages = ({packages})
imports = ('{place}/{CODE}', '{place}/{MODEL}')
handler = 'functions.snowflake_udf.predict_churn'
comment = 'churn model {place.rsplit("/", 1)[-1]}'"""
