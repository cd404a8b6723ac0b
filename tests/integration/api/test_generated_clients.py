"""Clients that others generate from the API's description: they compile, send what is meant, and read what comes back.

The generators are in an environment of their own (`make clients`); compilers are used where they are installed, and
what they need comes from their languages' registries. What is missing is skipped."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from flows.settings import REPOSITORY
from tests.integration.api.test_serving import serving
from tests.running.processes import wait_for_port
from tests.running.serving import customer

CLIENTS = Path(sys.prefix) / "clients"
PROGRAMS = REPOSITORY / "tests" / "examples" / "clients"
KEY = "k" * 32
# no float32 holds this amount
CUSTOMERS = [
    customer("F1", monetary=12_345_678.75) | {"as_of": "2026-06-30"},
    {"customer_id": "O1", "as_of": "2026-06-30", "orders": [
        {"ordered_at": "2026-05-01T22:30:00", "amount": 12_345_678.75, "sku": "T"},
        {"ordered_at": "2026-06-01", "amount": 25},
    ]},
]  # fmt: skip
TOO_LATE = [CUSTOMERS[1] | {"as_of": "2026-05-02"}]

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.release,
    pytest.mark.skipif(not CLIENTS.exists(), reason="make clients installs the generators"),
]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """(URL, file of its description, files of bodies to score and to refuse, what is to be printed)."""
    folder = tmp_path_factory.mktemp("api")
    scored, refused, description = (folder / f"{name}.json" for name in ("scored", "refused", "openapi"))
    scored.write_text(json.dumps(CUSTOMERS))
    refused.write_text(json.dumps(TOO_LATE))
    with serving(folder / "data", API_KEYS=json.dumps({"clients": KEY})) as (process, server, _):
        wait_for_port(int(server.rpartition(":")[2]), process)
        url = f"{server}/v1"
        with urllib.request.urlopen(f"{url}/openapi.json") as response:
            description.write_bytes(response.read())
        headers = {"x-api-key": KEY, "content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{url}/predict", scored.read_bytes(), headers)) as response:
            predictions = json.load(response)
        lines = [f"{p['customer_id']} {p['prediction_id']} false" for p in predictions]
        yield url, description, scored, refused, [*lines, "body_invalid /0/orders/1/ordered_at"]


def run(*command, folder, may_lack="", **environment):
    """What a command prints. `may_lack`: skip the test where it fails, for want of this."""
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and may_lack:
        pytest.skip(f"{may_lack} could not be fetched: {(done.stdout + done.stderr).strip()[-300:]}")
    assert done.returncode == 0, (done.stdout + done.stderr)[-5_000:]
    return done.stdout


def tool(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found


def generate(language, description, folder, *options):
    generator = CLIENTS / "bin" / "openapi-generator-cli"
    run(generator, "generate", "-i", description, "-g", language, "-o", folder, *options, folder=folder.parent,
        PATH=f"{CLIENTS / 'bin'}:{os.environ['PATH']}")  # fmt: skip
    return folder


def python(description, folder):
    client = generate("python", description, folder / "client")
    return ["env", f"PYTHONPATH={client}", CLIENTS / "bin" / "python", PROGRAMS / "by_openapi_generator.py"]


def openapi_python_client(description, folder):
    generator = CLIENTS / "bin" / "openapi-python-client"
    run(generator, "generate", "--path", description, "--output-path", "client", folder=folder)
    program = PROGRAMS / "by_openapi_python_client.py"
    return ["env", f"PYTHONPATH={folder / 'client'}", CLIENTS / "bin" / "python", program]


def java(description, folder):
    maven, _ = tool("mvn"), tool("javac")
    client = generate("java", description, folder / "client", "--library", "native")
    shutil.copy(PROGRAMS / "Main.java", client / "src" / "main" / "java")
    path = client / "path.txt"
    run(maven, "-q", "-B", "dependency:build-classpath", f"-Dmdep.outputFile={path}", folder=client,
        may_lack="what Java needs")  # fmt: skip
    run(maven, "-q", "-B", "compile", folder=client)
    return [tool("java"), "-cp", f"{client / 'target' / 'classes'}:{path.read_text().strip()}", "Main"]


def go(description, folder):
    compiler = tool("go")
    generate("go", description, folder / "client")
    for extra in ("test", "go.mod", "go.sum"):
        made = folder / "client" / extra
        shutil.rmtree(made) if made.is_dir() else made.unlink()
    shutil.copy(PROGRAMS / "main.go", folder)
    (folder / "go.mod").write_text("module churn\n\ngo 1.18\n\nrequire gopkg.in/validator.v2 v2.0.1\n")
    run(compiler, "mod", "download", folder=folder, may_lack="what Go needs")
    run(compiler, "build", "-o", "program", ".", folder=folder, GOFLAGS="-mod=mod")
    return [folder / "program"]


def rust(description, folder):
    cargo = tool("cargo")
    client = generate("rust", description, folder / "client")
    (client / "examples").mkdir()
    shutil.copy(PROGRAMS / "main.rs", client / "examples")
    with open(client / "Cargo.toml", "a") as manifest:
        manifest.write('\n[dev-dependencies]\ntokio = { version = "1", features = ["macros", "rt"] }\n')
    run(cargo, "fetch", folder=client, may_lack="what Rust needs")
    # what others have written is compiled once, which takes minutes
    compiled = CLIENTS / "cargo"
    run(cargo, "build", "-q", "--no-default-features", "--example", "main", folder=client, CARGO_TARGET_DIR=compiled)
    return [compiled / "debug" / "examples" / "main"]


def typescript(description, folder):
    install(folder, "typescript@5", "@types/node@20")
    generate("typescript-fetch", description, folder / "client")
    shutil.copy(PROGRAMS / "main.ts", folder)
    run(folder / "node_modules" / ".bin" / "tsc", "--strict", "--target", "es2020", "--lib", "es2020,dom", "--module",
        "commonjs", "--types", "node", "--outDir", "out", "main.ts", folder=folder)  # fmt: skip
    return [tool("node"), folder / "out" / "main.js"]


def install(folder, *packages):
    npm = tool("npm")
    run(npm, "install", "--no-audit", "--no-fund", *packages, folder=folder, may_lack=", ".join(packages))


@pytest.mark.parametrize("client", [python, openapi_python_client, java, go, rust, typescript])
def test_a_generated_client_sends_what_is_meant_and_reads_predictions_and_problems(client, api, tmp_path):
    url, description, scored, refused, printed = api
    command = client(description, tmp_path)
    assert run(*command, url, KEY, scored, refused, folder=tmp_path).lower().splitlines() == [
        line.lower() for line in printed
    ]


@pytest.mark.parametrize(
    ("package", "command", "settings"),
    [
        ("@redocly/cli@2", ["redocly", "lint", "--max-problems=20"], ""),
        ("@stoplight/spectral-cli@6", ["spectral", "lint"], "extends: ['spectral:oas']\nrules: {info-contact: off}\n"),
    ],
)
def test_linters_of_descriptions_find_nothing(package, command, settings, api, tmp_path):
    install(tmp_path, package)
    (tmp_path / ".spectral.yaml").write_text(settings)
    program = tmp_path / "node_modules" / ".bin" / command[0]
    printed = run(program, *command[1:], api[1], folder=tmp_path, REDOCLY_TELEMETRY="off")
    assert "warning" not in printed.lower().replace("deprecation warning", "")
