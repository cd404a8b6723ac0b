"""`python -m flows run`, `serve` and `champion`: what the make targets of these names call."""

import sys
import traceback

from rich.console import Console

from flows.errors import PipelineError
from flows.local_tools import hush_duckdb_at_exit, keep_prefect_local, show_progress, start_prefect_server
from flows.settings import read_settings


def main(command: str) -> int:
    try:
        settings = read_settings()
        if command == "serve":
            from flows.serve import serve

            serve(settings)
            return 0
        keep_prefect_local(settings)
        show_progress()
        server = start_prefect_server()
        from flows.pipeline import pipeline
        from flows.shipping import ship_champion
        from flows.summary import print_summary

        server.join()
        if command == "champion":
            ship_champion(settings)
        else:
            print_summary(pipeline(settings), Console())
    except PipelineError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. Nothing is half-written: run again to finish.\n")
        return 130
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["serve"], ["champion"]):
        sys.exit("usage: python -m flows run | serve | champion")
    hush_duckdb_at_exit()
    sys.exit(main(sys.argv[1]))
