"""Runs several fits at once, each in one thread.

The threads of OpenMP and BLAS spin while they wait for each other. Next to two busy processes, or in a container whose
quota is below the host's cores, that made training ten times slower. Single-threaded fits wait for nothing.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from joblib import cpu_count  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits

Given = ParamSpec("Given")
One = TypeVar("One")
Result = TypeVar("Result")


def side_by_side(function: Callable[[One], Result], given: Iterable[One]) -> list[Result]:
    """The results in the order of the arguments; as many run at once as this process may use cores (its affinity and
    its container's quota included)."""

    with ThreadPoolExecutor(max_workers=cpu_count()) as threads:
        started: list[Future[Result]] = [threads.submit(in_one_thread, function, one) for one in given]
        return [future.result() for future in started]


def in_one_thread(function: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    """The result of a function while libraries start no threads of their own."""
    with threadpool_limits(limits=1):  # applies to the thread that sets it
        return function(*given, **named)
