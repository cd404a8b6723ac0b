"""A source is added as docs/sources.md says it is, word for word, to a copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from flows.settings import CONNECTIONS, REPOSITORY
from flows.sources.connections import Connections
from tests.running.airbyte_source import needs_the_cdk
from tests.running.http_server import answering

GUIDE = (REPOSITORY / "docs" / "sources.md").read_text(encoding="utf-8")
CODE = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
CUSTOMERS = 40
SECRET = "sk-of-a-test"


def code_of(title):
    """The blocks of code of a section: language and text."""
    section = GUIDE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return CODE.findall(section)


def charges():
    """Two of each customer's, and one that failed; in cents, and seconds since 1970."""
    for number in range(CUSTOMERS * 3):
        day = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=number * 2)
        yield {
            "id": f"ch_{number}", "created": int(day.timestamp()), "customer": f"cus_{number % CUSTOMERS}",
            "receipt_email": f"Customer{number % CUSTOMERS}@example.org", "amount": 1_250, "currency": "eur",
            "status": "failed" if number // CUSTOMERS == 2 else "succeeded", "object": "charge",
        }  # fmt: skip


def test_another_csv_is_an_entry_that_fits():
    entries = {name: entry for _, block in code_of("Another CSV") for name, entry in yaml.safe_load(block).items()}
    given = Connections.model_validate(yaml.safe_load(CONNECTIONS.read_text()) | {"connections": entries})
    assert given.connection("my_till").order_lines.columns["customer_id"] == "Card"
    assert given.connection("my_catalogue").products.columns["is_active"] == "On sale"


@needs_the_cdk
@pytest.mark.whole_run
def test_a_source_with_an_api_is_a_manifest_an_entry_and_a_staging_model(tmp_path, read):
    project = tmp_path / "project"
    for folder in ("flows", "functions", "dbt_project", "airbyte", "model_artifacts", "tableau"):
        shutil.copytree(REPOSITORY / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__", "target"))
    (project / ".venv").symlink_to(REPOSITORY / ".venv")
    blocks = [text for _, text in code_of("A source with an API")]
    manifest, entry, model, dbt_sources = blocks
    (project / "airbyte" / "stripe.yaml").write_text(manifest)
    connections = project / "airbyte" / "connections.yml"
    before = "# Headers of the same column"
    connections.write_text(connections.read_text().replace(before, f"{entry}\n{before}"))
    staging = project / "dbt_project" / "models" / "staging" / "stripe"
    staging.mkdir()
    (staging / "stg_stripe__order_lines.sql").write_text(model)
    (staging / "_stripe__sources.yml").write_text(dbt_sources)

    body = json.dumps({"data": list(charges()), "has_more": False}).encode()
    refused = []

    def answer(headers, _):
        if headers["authorization"] != f"Bearer {SECRET}":
            refused.append(headers["authorization"])
        return 200, body

    with answering(answer) as url:
        ran = subprocess.run(
            [sys.executable, "-m", "flows", "run"],
            cwd=project,
            env=os.environ | {
                "SOURCE": "stripe", "HORIZON_DAYS": "90", "DATA_DIR": str(tmp_path / "data"), "STRIPE_URL": url,
                "STRIPE_SECRET_KEY": SECRET,
            },
            capture_output=True, text=True,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert refused == []
    assert f"stripe: {CUSTOMERS * 3} charges" in ran.stdout
    assert SECRET not in ran.stdout + ran.stderr
    found = read(tmp_path / "data", "from marts.marketing_customers").to_pylist()
    assert len(found) == CUSTOMERS
    assert {(row["frequency"], row["monetary"]) for row in found} == {(2, 25.0)}
    assert found[0]["email"].startswith("customer")
