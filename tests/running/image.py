"""The image of docs/serving/Dockerfile without a container engine: its steps, read from the file and carried out."""

import re
import shutil
from pathlib import Path

from flows.settings import REPOSITORY

DOCKERFILE = (REPOSITORY / "docs" / "serving" / "Dockerfile").read_text(encoding="utf-8")


def given(instruction: str) -> list[str]:
    """The arguments of each such instruction, in their order."""
    return re.findall(rf"^\s*{instruction} (.+)$", DOCKERFILE, re.M)


def environment() -> dict[str, str]:
    """What the image sets."""
    return dict(pair.split("=", 1) for pair in given("ENV")[0].split())


def unpack(folder: Path) -> None:
    """Copies into the folder what the image has of the project."""
    for line in given("COPY"):
        source, target = line.split()
        if source.endswith("/"):
            shutil.copytree(REPOSITORY / source, folder / target)
        else:
            assert (REPOSITORY / source).exists()
