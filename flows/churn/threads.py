"""How many fits run at once, and that each of them runs in one thread.

The threads of OpenMP and BLAS wait for one another by spinning. Next to two busy processes, or in a container whose
quota is below the host's cores, that made training ten times slower. Fits in one thread each have nothing to wait for.
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
    """The results in the order of what was given, as many at once as this process may use cores (affinity and quota of
    its container included)."""

    with ThreadPoolExecutor(max_workers=cpu_count()) as threads:
        started: list[Future[Result]] = [threads.submit(in_one_thread, function, one) for one in given]
        return [future.result() for future in started]


def in_one_thread(function: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    """The result of a function whose libraries start no threads of their own."""
    with threadpool_limits(limits=1):  # counts for the thread that sets it
        return function(*given, **named)
