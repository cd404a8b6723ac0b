"""`python -m tests.stand_ins.terraform.serve`: one process that stands in for all four providers, until its input ends.

Its first line is what TF_REATTACH_PROVIDERS has to be. `--aws URL` lets the AWS at that address make things for real,
`--prefect` the Prefect server that the provider's own block names.
"""

import argparse
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, tfplugin_pb2_grpc

from tests.stand_ins.terraform.provider import Backend, StandIn
from tests.stand_ins.terraform.schemas import read_schema
from tests.stand_ins.terraform.snowflake_backend import SnowflakeBackend

SOURCES = {
    "airbyte": "airbytehq/airbyte",
    "aws": "hashicorp/aws",
    "prefect": "prefecthq/prefect",
    "snowflake": "snowflakedb/snowflake",
}


class _Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):
    """Terraform takes leave after each command; the next one comes to the same process."""

    def Shutdown(self, request, context):
        return grpc_controller_pb2.Empty()


def serve(folder: Path, backends: dict[str, Backend]) -> tuple[dict[str, object], list[grpc.Server]]:
    """Starts a server for each provider; returns what TF_REATTACH_PROVIDERS says of them, and the servers, which live
    as long as somebody holds them."""
    reattach: dict[str, object] = {}
    servers = []
    for name, source in SOURCES.items():
        server = grpc.server(ThreadPoolExecutor(max_workers=4))
        tfplugin_pb2_grpc.add_ProviderServicer_to_server(StandIn(read_schema(name), backends.get(name)), server)
        grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(_Controller(), server)
        socket = folder / f"{name}.sock"
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        servers.append(server)
        reattach[f"registry.terraform.io/{source}"] = {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "unix", "String": str(socket)},
        }
    return reattach, servers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aws", metavar="URL")
    parser.add_argument("--prefect", action="store_true")
    options = parser.parse_args()
    backends: dict[str, Backend] = {"snowflake": SnowflakeBackend()}
    if options.aws:
        from tests.stand_ins.terraform.aws_backend import AwsBackend

        backends["aws"] = AwsBackend(options.aws)
    if options.prefect:
        from tests.stand_ins.terraform.prefect_backend import PrefectBackend

        backends["prefect"] = PrefectBackend()
    with tempfile.TemporaryDirectory() as folder:  # short enough for a socket's name
        reattach, servers = serve(Path(folder), backends)
        print(json.dumps(reattach), flush=True)
        sys.stdin.read()
        for server in servers:
            server.stop(None)


if __name__ == "__main__":
    main()
