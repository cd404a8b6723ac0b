"""Ninety seconds of tests/benchmarks/soak.py."""

import sys

import pytest

from tests.benchmarks.soak import soak

pytestmark = [
    pytest.mark.release,
    pytest.mark.whole_run,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]


def test_a_server_under_load_loses_nothing_and_stays_small_while_runs_and_restarts_go_on_beside_it(tmp_path):
    soaked = soak(tmp_path, seconds=90, customers=400)
    assert soaked.failed_runs == []
    assert soaked.statuses.keys() == {200}
    assert (soaked.lost, soaked.not_stored) == (0, 0)
    assert soaked.runs >= 1
    # how flat memory is takes half an hour to see: a server's first merge adds DuckDB's, and may come late here
    assert max(end for _, end in soaked.megabytes) < 300
