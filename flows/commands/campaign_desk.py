"""What the campaign page asks, answered by the flows of the command line in a process of its own: planning keeps a
core busy for seconds, and predictions are not to wait for it.

The process starts with a question. It ends when there was none for a while, or with the server, after what it is at."""

import logging
import math
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows.adapters.campaign_page.desk import Launch, LaunchedCampaign, Overview, Preview, Refusal
from flows.campaigns.warnings import LaunchRefused
from flows.commands.local_tools import keep_tools_local
from flows.errors import PipelineError
from flows.settings import Settings

log = logging.getLogger(__name__)

ENDED = "What computes here has stopped, and starts again with the next request."
IDLE_SECONDS = 900.0  # then its memory is given back
NO_RUN = "There are no customers to choose from yet: `make run` first."


@dataclass
class ProcessDesk:
    """Questions go through a pipe, one at a time; a process that has died is started again."""

    settings: Settings
    _process: BaseProcess | None = None
    _pipe: "Connection[Any, Any] | None" = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def overview(self) -> Overview:
        answer: Overview = self._ask("overview")
        return answer

    def preview(self, text: str, name: str) -> Preview | date:
        answer: Preview | date = self._ask("preview", text, name)
        return answer

    def launch(self, file: Path, digest: str) -> Launch:
        answer: Launch = self._ask("launch", file, digest)
        return answer

    @contextmanager
    def open(self) -> Iterator[None]:
        """Ends the process after the block; a launch is finished before."""
        try:
            yield
        finally:
            if self._pipe is not None and self._process is not None:
                self._pipe.close()
                self._process.join()

    def _ask(self, what: str, *arguments: Any) -> Any:
        with self._turn:
            pipe = self._connected()
            try:
                pipe.send((what, arguments))
                is_done, answer = pipe.recv()
            except (EOFError, OSError):
                self._pipe = None
                raise Refusal(ENDED) from None
        if not is_done:
            raise Refusal(*answer)
        return answer

    def _connected(self) -> "Connection[Any, Any]":
        if self._pipe is not None and self._process is not None and self._process.is_alive():
            return self._pipe
        context = multiprocessing.get_context("spawn")  # the server has threads
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, self.settings), name="campaigns", daemon=True)
        self._process.start()
        theirs.close()
        return self._pipe


def work(pipe: "Connection[Any, Any]", settings: Settings, idle_seconds: float = IDLE_SECONDS) -> None:
    """Answers until the other end is closed, also by its death, or has asked nothing for so long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal, for the server: it closes the pipe
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    keep_tools_local(settings.data_dir)
    while True:
        try:
            if not pipe.poll(idle_seconds):
                return
            what, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer: tuple[bool, Any] = True, _QUESTIONS[what](settings, *arguments)
        except (LaunchRefused, Refusal) as refused:
            answer = False, (str(refused), refused.warning)
        except PipelineError as refused:
            answer = False, (str(refused), None)
        except Exception:
            log.exception("the campaign page could not be answered")
            answer = False, ("This failed on our side; the log of `make serve` says why.", None)
        try:
            pipe.send(answer)
        except OSError:
            return


@contextmanager
def _turn(settings: Settings) -> Iterator[None]:
    """While nothing else writes to the warehouse, as every command takes it."""
    from flows.adapters.files.run_lock import lock
    from flows.orchestration import one_at_a_time

    if settings.is_on_this_machine and not settings.warehouse_file.exists():
        raise Refusal(NO_RUN)
    with one_at_a_time(), lock(settings.data_dir):
        yield


def _overview(settings: Settings) -> Overview:
    from flows.adapters.marts.campaign_results import read_results
    from flows.adapters.marts.campaign_tables import read_as_of, read_calendar, read_names, read_segments
    from flows.adapters.marts.customer_traits import read_languages
    from flows.wiring import wire

    with _turn(settings):
        wiring = wire(settings)
        warehouse = wiring.warehouse
        with warehouse.held_open():
            as_of, _ = read_as_of(warehouse)
            results = {row["campaign"]: row for row in read_results(warehouse, as_of).to_pylist()}
            languages = sorted(set(read_languages(warehouse, wiring.connections)["language"].to_pylist()))
            (currency,) = warehouse.row("select max(currency) from marts.marketing_customers")
            return Overview(
                shop=warehouse.current_shop() or "",
                as_of=as_of,
                currency=currency,
                choices={
                    "segments": read_segments(warehouse), **read_names(warehouse), "languages": tuple(languages),
                },
                launched=tuple(
                    LaunchedCampaign(
                        name=row["campaign"], offer=row["offer"], launched_on=row["launched_on"],
                        window_ends_on=row["window_ends_on"], treated=row["treated"], held_out=row["held_out"],
                        is_over=row["window_ends_on"] <= as_of, result=results.get(row["campaign"]),
                    )
                    for row in read_calendar(warehouse)
                ),
            )  # fmt: skip


def _preview(settings: Settings, text: str, name: str) -> Preview | date:
    from flows.flow.campaign import campaign

    with _turn(settings), TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.yml"
        file.write_text(text, encoding="utf-8")
        try:
            run = campaign(settings, file)
        except PipelineError as refused:  # of a form there are no lines to name
            raise Refusal(str(refused).replace(f"{file}, ", "").replace(str(file), name)) from None
    if run.launched is not None:
        return run.launched.launched_on
    assert run.plan is not None  # where it was not launched
    plan, can = run.plan, run.plan.power
    counts: dict[str, dict[str, int]] = {}
    for row in plan.targets.group_by(["segment", "arm"]).aggregate([("customer_id", "count")]).to_pylist():
        counts.setdefault(row["segment"] or "–", {})[row["arm"]] = row["customer_id_count"]
    profit = plan.expected_profit
    return Preview(
        name=run.campaign.name,
        as_of=plan.launched_on,
        window_ends_on=plan.window_ends_on,
        window_days=run.campaign.window_days,
        currency=plan.currency,
        budget=run.campaign.budget,
        audience_size=plan.audience_size,
        excluded=plan.excluded,
        treated=plan.count("treated"),
        held_out=plan.count("holdout"),
        by_segment=tuple((segment, of.get("treated", 0), of.get("holdout", 0)) for segment, of in counts.items()),
        is_ranked=plan.ranked_by == "uplift",
        why_ranked_so=plan.why_ranked_so,
        expected_cost=plan.expected_cost,
        highest_cost=plan.highest_cost,
        at_stake=plan.at_stake,
        profit=None if profit is None else (profit.mean, profit.low, profit.high),
        rate_without=can.rate_without,
        detectable_lift=can.detectable_lift if plan.count("holdout") else math.inf,
        detectable_margin=can.detectable_margin,
        break_even_lift=can.break_even_lift if can.break_even_lift <= 1 else math.inf,
        can_show_something=bool(plan.count("holdout")) and can.can_show_something,
        customers_needed=can.customers_needed,
        warnings=tuple(plan.warnings),
    )


def _launch(settings: Settings, file: Path, digest: str) -> Launch:
    from flows.flow.campaign import campaign

    with _turn(settings):
        if sha256(file.read_bytes()).hexdigest() != digest:
            raise Refusal(f"{file.name} has been changed meanwhile: approve it again. Nothing was launched.")
        run = campaign(settings, file, launches=True)
    assert run.launched is not None  # or it would have been refused
    return Launch(
        run.launched.treated, run.launched.held_out, run.launched.window_ends_on, run.sent, run.waiting, run.file,
        run.suppressed_in,
    )  # fmt: skip


_QUESTIONS: Mapping[str, Callable[..., Any]] = {"overview": _overview, "preview": _preview, "launch": _launch}
