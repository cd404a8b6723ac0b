"""Zip files for AWS Lambda, built without Docker: our own code, the hashed packages of its group, and the model.

Builds are reproducible byte for byte. Byte code is compiled beforehand, which more than halves a cold start; that needs
a Python of Lambda's version on this machine."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.adapters.models.registry import CARD, CHAMPION, MODEL, StoredModel
from flows.errors import PackageFailed
from flows.settings import REPOSITORY

LAMBDA_PYTHON = "3.13"
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
LIMIT_BYTES = 250 * 1024**2  # the limit of unpacked packages

# parts of wheels that are never imported here: checked by running the remaining package
NOT_SHIPPED = (
    "bin", "google", "flatbuffers", "protobuf-*", "flatbuffers-*",
    "onnxruntime/capi/libonnxruntime.so*",  # the same library as in its Python module
    "onnxruntime/backend", "onnxruntime/datasets", "onnxruntime/quantization", "onnxruntime/tools",
    "onnxruntime/transformers", "onnxruntime/ThirdPartyNotices.txt",
    "numpy/_core/include", "numpy/_core/lib", "numpy/f2py", "numpy/random/lib",
    "**/tests", "**/*.pyi", "**/*.pxd", "**/*.a", "**/*.h",
    "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*.dist-info/direct_url.json",
    "*.dist-info/uv_cache.json",
)  # fmt: skip


@dataclass(frozen=True)
class Function:
    """`lock`: the requirements in the package; `modules`: folders of `functions/`."""

    lock: str
    modules: tuple[str, ...]
    has_model: bool


FUNCTIONS: Mapping[str, Function] = {
    "churn_api": Function("api.txt", ("churn_api",), has_model=True),
    "prediction_sink": Function("sink.txt", ("prediction_sink",), has_model=False),
}


@dataclass(frozen=True)
class Package:
    file: Path
    zipped_bytes: int
    unpacked_bytes: int


def build_package(
    name: str, architecture: str, model: StoredModel, folder: Path, compiler: Path | None, python: str = LAMBDA_PYTHON
) -> Package:
    """`<folder>/<name>-<architecture>.zip`, replaced only once it is whole.

    `compiler` is a Python of the version `python`, or None to ship no byte code.

    Raises:
        PackageFailed: when a package cannot be installed, or the whole is too large for Lambda.
    """
    function = FUNCTIONS[name]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="package-") as place:
        build = Path(place) / "task"
        _install(REPOSITORY / "requirements" / function.lock, build, architecture, python)
        for pattern in NOT_SHIPPED:
            for path in build.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        _add_our_code(function, build)
        if function.has_model:
            _add_model(model, build / "model_artifacts")
        if compiler:
            _compile(compiler, build)
        unpacked = sum(path.stat().st_size for path in _files(build))
        if unpacked > LIMIT_BYTES:
            raise PackageFailed(f"{name} for {architecture} has {unpacked:,} bytes; Lambda takes {LIMIT_BYTES:,}.")
        file = folder / f"{name}-{architecture}.zip"
        draft = file.with_suffix(".draft")
        _zip(build, draft)
        draft.replace(file)
    return Package(file, file.stat().st_size, unpacked)


def find_python(version: str, given: Path | None = None) -> Path | None:
    """A Python of this version on this machine: this one, the given one, on the PATH, or one of pyenv's."""
    on_path = shutil.which(f"python{version}")
    candidates = [sys.executable, str(given or ""), on_path]
    for pyenv in {Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser(), Path(on_path or "/").parent.parent}:
        candidates += [str(path) for path in pyenv.glob(f"versions/{version}.*/bin/python{version}")]
    for candidate in filter(None, candidates):
        try:
            command = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        if output.strip() == version:
            return Path(candidate)
    return None


def _install(lock: Path, build: Path, architecture: str, python: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    installed = subprocess.run(
        [
            *(uv, "pip", "install", "--quiet", "--target", build, "--link-mode", "copy"),
            *("--python-platform", PLATFORMS[architecture], "--python-version", python, "--only-binary", ":all:"),
            *("--require-hashes", "-r", lock),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if installed.returncode:
        raise PackageFailed(f"{lock.name} cannot be installed for {architecture}:\n{installed.stderr.strip()}")


def _add_our_code(function: Function, build: Path) -> None:
    ours = REPOSITORY / "functions"
    (build / "functions").mkdir()
    for shared in ours.glob("*.py"):
        shutil.copyfile(shared, build / "functions" / shared.name)
    for module in function.modules:
        shutil.copytree(ours / module, build / "functions" / module, ignore=shutil.ignore_patterns("__pycache__"))


def _add_model(model: StoredModel, place: Path) -> None:
    (place / model.version).mkdir(parents=True)
    (place / CHAMPION).write_text(f'{{"model_version": "{model.version}"}}\n', encoding="utf-8")
    (place / model.version / MODEL).write_bytes(model.content)
    (place / model.version / CARD).write_text(model.card_text, encoding="utf-8")


def _compile(compiler: Path, build: Path) -> None:
    # unchecked: Lambda's files never change, and checking costs time at every import
    subprocess.run(
        [
            *(compiler, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
            *("-s", build, "-p", "/var/task", build),
        ],
        env={"PYTHONHASHSEED": "0"}, check=True,
    )  # fmt: skip


def _files(build: Path) -> Iterator[Path]:
    yield from sorted(path for path in build.rglob("*") if path.is_file())


def _zip(build: Path, file: Path) -> None:
    """Files in order, with one date and readable by Lambda, so that the zip depends on their content only."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in _files(build):
            entry = zipfile.ZipInfo(str(path.relative_to(build)), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
