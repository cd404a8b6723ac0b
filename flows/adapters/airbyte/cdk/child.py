"""Runs a Python program in this process, which ends with its parent: `python child.py PROGRAM ARGUMENT…`.

Airbyte's CDK runs for ever when nothing reads its output any more. Standard input is a pipe that closes when its reader
ends. Imports nothing of ours: it runs in the environment of the CDK."""

import os
import runpy
import sys
import threading


def _end_with_the_reader() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_reader, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
