"""A run in words and small tables: for the terminal, and as markdown for Prefect."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from flows.adapters.run_report import ModelReport, RunReport
from flows.money import money, percent


def print_summary(report: RunReport, console: Console) -> None:
    """Prints what was read, the segments, the model's quality, who is at stake and where the files are."""
    for title, lines, columns, rows in _sections(report):
        console.print(f"\n[bold]{title}[/bold]")
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
        if rows:
            table = Table(box=None, padding=(0, 1), header_style="dim")
            for position, column in enumerate(columns):
                table.add_column(column, justify="left" if position == 0 else "right", no_wrap=True)
            for row in rows:
                table.add_row(*row)
            console.print(table)


def as_markdown(report: RunReport) -> str:
    """The same as markdown."""
    parts = []
    for title, lines, columns, rows in _sections(report):
        parts.append(f"## {title}\n")
        parts += [f"- {line}" for line in lines]
        if rows:
            parts += ["", f"| {' | '.join(columns)} |", "|---|" + "---:|" * (len(columns) - 1)]
            parts += [f"| {' | '.join(row)} |" for row in rows]
        parts.append("")
    return "\n".join(parts)


_Section = tuple[str, list[str], Sequence[str], list[Sequence[str]]]


def _sections(report: RunReport) -> Iterable[_Section]:
    yield "What was read", list(_what_was_read(report)), (), []
    yield f"Segments on {report.as_of.date}", [], *_segments(report)
    yield "How good the model is", list(_quality(report)), *_candidates(report.model)
    yield "Most at stake", list(_about_stakes(report)), *_stakes(report)
    yield "Where to look", [f"{name}: {path}" for name, path in _files(report)], (), []


def _what_was_read(report: RunReport) -> Iterable[str]:
    landing = report.landing
    files = ", ".join(str(file) for file in landing.files)
    yield f"{landing.rows:,} order lines from {files}"
    yield from landing.notes
    set_aside = report.set_aside.to_pylist()
    if set_aside:
        yield f"{sum(r['rows'] for r in set_aside):,} set aside (raw.rejected_rows): " + ", ".join(
            f"{row['rows']:,} {row['reason']}" for row in set_aside
        )
    else:
        yield "nothing had to be set aside"
    if report.later_rows:
        yield f"{report.later_rows:,} later than {report.as_of.date}, not looked at"
    if report.as_of.convert_to:
        yield f"all amounts converted to {report.as_of.convert_to}"


def _segments(report: RunReport) -> tuple[Sequence[str], list[Sequence[str]]]:
    columns = ("segment", "customers", "spent/year", "at stake", "churn")
    rows = [
        (
            row["segment"],
            f"{row['customers']:,}",
            money(row["spend_last_365_days"], report.as_of.currency),
            money(row["value_at_stake"], report.as_of.currency),
            percent(row["mean_churn_probability"]),
        )
        for row in report.segments.to_pylist()
    ]
    return columns, list(rows)


def _quality(report: RunReport) -> Iterable[str]:
    model = report.model
    if model is None:
        yield f"nobody was scored: {report.why_no_model}"
        return
    yield f"{model.version}: {model.algorithm}"
    if model.shipped:
        yield f"this model is the one that comes with the project, trained on a simulated shop: {model.why_shipped}"
        yield "its probabilities are a first orientation, untested on this shop"
        return
    q = model.quality
    assert q is not None
    yield (
        f"on {q.customers:,} customers of {model.held_out_date}, which it had not seen: {percent(q.churn_rate)} bought"
        f" nothing in the {report.settings.horizon_days} days after; it had said {percent(q.mean_probability)}"
    )
    yield "all candidates there (* kept; lift: how many times more churners among the tenth rated riskiest)"
    if model.best_possible_auc is not None:
        yield f"best possible AUC, knowing each simulated customer's true habits: {model.best_possible_auc:.3f}"


def _candidates(model: ModelReport | None) -> tuple[Sequence[str], list[Sequence[str]]]:
    columns = ("candidate", "AUC", "±", "Brier", "ECE", "lift")
    if model is None:
        return columns, []
    rows = [
        (
            f"{name} *" if name == model.algorithm else name,
            f"{q.auc:.3f}",
            f"{q.auc_standard_error:.3f}",
            f"{q.brier:.3f}",
            f"{q.ece:.3f}",
            f"{q.lift_top_decile:.2f}",
        )
        for name, q in model.candidates.items()
    ]
    return columns, list(rows)


def _about_stakes(report: RunReport) -> Iterable[str]:
    if report.model:
        yield f"spend of the last 365 days × probability of no purchase in the next {report.settings.horizon_days} days"


def _stakes(report: RunReport) -> tuple[Sequence[str], list[Sequence[str]]]:
    columns = ("customer", "at stake", "churn", "segment", "last order", "orders", "spent/year")
    rows = [
        (
            row["customer_id"],
            money(row["value_at_stake"], report.as_of.currency),
            percent(row["churn_probability"]),
            row["segment"],
            f"{row['recency_days']} d ago",
            f"{row['frequency']:,}",
            money(row["spend_last_365_days"], report.as_of.currency),
        )
        for row in report.most_at_stake.to_pylist()
    ]
    return columns, list(rows)


def _files(report: RunReport) -> Iterable[tuple[str, object]]:
    yield "dashboard", report.settings.dashboard_file
    yield "warehouse", report.settings.warehouse_file
    if report.model and not report.model.shipped:
        yield "model", report.settings.models_folder / report.model.version
