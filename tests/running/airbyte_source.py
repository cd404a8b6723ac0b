"""Airbyte's CDK as the process that it is in production too, reading a manifest of ours."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from flows.settings import REPOSITORY

CDK = REPOSITORY / ".venv" / "cdk" / "bin" / "source-declarative-manifest"
needs_the_cdk = pytest.mark.skipif(
    not CDK.exists(), reason="Airbyte's CDK is not installed next to the environment: no .venv/cdk"
)


@dataclass(frozen=True)
class SourceOutput:
    """What a process printed, and how it ended."""

    output: str
    exit_code: int

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines()]

    def of(self, kind: str) -> list[Any]:
        return [message[kind.lower()] for message in self.messages if message["type"] == kind]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [record["data"] for record in self.of("RECORD") if record["stream"] == stream]

    def ids(self, stream: str) -> list[int]:
        """In order, so that a record which comes twice is seen."""
        return sorted(int(record["id"]) for record in self.records(stream))

    @property
    def state(self) -> dict[str, dict[str, Any]]:
        """The last of each stream."""
        states = [state["stream"] for state in self.of("STATE")]
        return {state["stream_descriptor"]["name"]: state["stream_state"] for state in states}

    @property
    def errors(self) -> list[str]:
        return [trace["error"]["message"] for trace in self.of("TRACE") if trace["type"] == "ERROR"]

    @property
    def log(self) -> str:
        return "\n".join(log["message"] for log in self.of("LOG"))


@dataclass(frozen=True)
class Source:
    manifest: Path
    config: Mapping[str, Any]
    folder: Path

    def check(self) -> dict[str, str]:
        return self._run("check").messages[-1]["connectionStatus"]

    def discover(self) -> dict[str, dict[str, Any]]:
        """Streams by name."""
        (catalog,) = self._run("discover").of("CATALOG")
        return {stream["name"]: stream for stream in catalog["streams"]}

    def read(
        self, streams: Iterable[Mapping[str, Any]], state: Mapping[str, Mapping[str, Any]] | None = None
    ) -> SourceOutput:
        """Reads these streams, which are `discover`'s, from where an earlier reading's state says."""
        catalog = [
            {
                "stream": stream,
                "sync_mode": stream["supported_sync_modes"][-1],  # incremental where there is a choice
                "destination_sync_mode": "append_dedup",
            }
            for stream in streams
        ]
        files = {"catalog": {"streams": catalog}}
        if state is not None:
            files["state"] = [
                {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": of_stream}}
                for name, of_stream in state.items()
            ]
        return self._run("read", **files)

    def _run(self, command: str, **files: Any) -> SourceOutput:
        arguments = ["--manifest-path", self.manifest]
        for name, content in {"config": self.config, **files}.items():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content))
            arguments += [f"--{name}", path]
        ended = subprocess.run(
            [CDK, command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
        )
        return SourceOutput(ended.stdout, ended.returncode)
