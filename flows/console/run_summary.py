"""The summary of a run: for the terminal, and as markdown for Prefect."""

from collections.abc import Iterable, Sequence
from functools import partial

from rich.console import Console

from flows.adapters.marts.monitoring import describe_growth, describe_warnings
from flows.adapters.marts.run_report import ModelReport, RunReport, Total
from flows.adapters.marts.second_order import SecondOrder
from flows.churn.evaluation import mean_quality
from flows.churn.training_set import HORIZONS_TO_KEEP
from flows.console.amounts import money, percent, with_interval
from flows.console.next_products_summary import describe_next_products
from flows.console.receipt_summary import describe_left_out, describe_receipt, months_table
from flows.console.sections import REASON, Section, print_sections

CUSTOMER = "customer"
MAX_CAMPAIGNS = 5
KINDS = {"order_lines": "order lines", "contacts": "contacts", "products": "products", "email_events": "e-mail events"}


def print_summary(report: RunReport, console: Console) -> None:
    """Prints what was read, the segments, the model's quality, who is at stake and where the files are."""
    print_sections(_sections(report), console)


def as_markdown(report: RunReport) -> str:
    """The same as markdown, without customers' identities: Prefect keeps it, and an erasure does not reach it."""
    parts = []
    for title, lines, columns, rows in _sections(report):
        if columns and columns[0] == CUSTOMER:
            rows = []
        parts.append(f"## {title}\n")
        parts += [f"- {line}" for line in lines]
        if rows:
            parts += ["", f"| {' | '.join(columns)} |", "|---|" + "---:|" * (len(columns) - 1)]
            parts += [f"| {' | '.join(row)} |" for row in rows]
        parts.append("")
    if report.outputs:
        parts += ["## Kept files\n", *(f"- [{output.name}]({output.link})" for output in report.outputs), ""]
    return "\n".join(parts)


def _sections(report: RunReport) -> Iterable[Section]:
    yield "What was read", list(_what_was_read(report)), *months_table(report.receipt)
    yield f"Segments on {report.as_of.date}", list(_about_segments(report)), *_segments(report)
    yield "How good the model is", list(_quality(report)), *_candidates(report.model)
    if report.model:
        yield "What the model sees", list(_watched(report)), (), []
    if len(report.campaigns):
        yield "What campaigns changed", list(_about_campaigns()), *_campaigns(report)
    if report.shown_next:
        yield "What to show them next", list(describe_next_products(report.shown_next)), (), []
    yield "Who to contact first", list(_about_stakes(report)), *_stakes(report)
    yield "Where to look", [f"{name}: {path}" for name, path in _files(report)], (), []


def _what_was_read(report: RunReport) -> Iterable[str]:
    for sync in report.syncs:
        yield from sync.notes or (f"{sync.rows or 0:,} rows of {sync.connection}, by Airbyte's job {sync.job_id}",)
    for landing in report.landings:
        what, connection = KINDS[landing.kind], landing.connection
        files = ", ".join(str(file) for file in landing.files)
        if landing.rows is None:
            yield f"{what} of {connection}, as {landing.mappings[0].model} yields them"
        else:
            yield f"{landing.rows:,} {what} from {files or f'Airbyte, in raw_{connection}.{landing.kind}'}"
        yield from landing.notes
    yield from report.age.notes
    yield from report.age.warnings
    yield from describe_receipt(report.receipt)
    yield from describe_left_out(report.left_out, report.as_of.currency)
    yield from report.identity_notes
    if report.later_rows:
        yield f"{report.later_rows:,} later than {report.as_of.date}, ignored"
    yield f"looking {report.as_of.horizon_days} days ahead: {report.as_of.why_horizon}"
    if report.as_of.convert_to:
        yield f"all amounts converted to {report.as_of.convert_to}"


def _about_segments(report: RunReport) -> Iterable[str]:
    if report.borders:
        yield report.borders.describe(report.as_of.date)


def _segments(report: RunReport) -> tuple[Sequence[str], list[Sequence[str]]]:
    columns = ("segment", "customers", "spent/year", "at stake", "churn")
    rows = [
        (
            row["segment"],
            f"{row['customers']:,}",
            money(row["spend_last_365_days"], report.as_of.currency),
            money(row["expected_loss"], report.as_of.currency),
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
    yield f"{model.version}: {model.model.card['algorithm']}"
    if model.shipped:
        yield f"this model is the one that comes with the project, trained on a simulated shop: {model.why_shipped}"
        yield "its probabilities are a first orientation, untested on this shop"
        return
    if model.trained is None:
        quality = model.model.card["quality"]
        yield (
            f"trained as of {model.model.card['trained_as_of']}, not again in this run; on dates that it had not seen:"
            f" AUC {quality['auc']:.3f}, Brier {quality['brier']:.3f} for customers who could still be kept"
        )
        yield from _about_candidates(model)
        return
    trained = model.trained
    quality = mean_quality(trained.backtest.qualities[trained.selection.candidate])
    if trained.verdict.use_new:
        yield f"{'champion' if trained.verdict.promote else 'for this run only'}: {trained.verdict.why}"
    else:
        yield f"the champion stays, {trained.new_version} does not replace it: {trained.verdict.why}"
    dates = [h.day for h in trained.backtest.held_out]
    yield (
        f"{trained.new_version} was tested on {len(dates)} dates it had not seen, {dates[-1]} to {dates[0]}:"
        f" {percent(quality['churn_rate'])} of the customers who could still be kept"
        f" bought nothing in the {report.as_of.horizon_days} days after; it had predicted"
        f" {percent(quality['mean_probability'])}"
    )
    if trained.backtest.seasonal:
        helped = (trained.backtest.season_gain or 0) > 0
        yield (
            "base rate and spend follow the season of a year before:"
            f" on these dates that {'made it better' if helped else 'did no harm'}"
        )
    elif trained.backtest.season_gain is None:
        yield "less than a year of history: the season is not known, and probabilities and spend follow none"
    yield from _about_candidates(model)


def _about_candidates(model: ModelReport) -> Iterable[str]:
    days = HORIZONS_TO_KEEP * model.model.horizon_days
    yield (
        f"means over these dates for customers who could still be kept (last order within {days} days), in parentheses"
        " for all (* kept; lift: how many times more churners among the decile rated riskiest)"
    )
    if model.best_possible_auc is not None:
        yield f"best possible AUC, knowing each simulated customer's true habits: {model.best_possible_auc:.3f}"


def _candidates(model: ModelReport | None) -> tuple[Sequence[str], list[Sequence[str]]]:
    columns = ("candidate", "AUC", "±", "(all)", "Brier", "ECE", "lift")
    if model is None or model.shipped:
        return columns, []
    if model.trained:
        backtest = model.trained.backtest
        kept, of_all = model.trained.selection.candidate, backtest.qualities_of_all
        means = {
            name: mean_quality(qualities) | {"auc_of_all": mean_quality(of_all[name])["auc"]}
            for name, qualities in backtest.qualities.items()
        }
    else:
        kept, means = model.model.card["algorithm"], model.model.card["comparison"]
    rows = [
        (
            f"{name} *" if name == kept else name,
            f"{mean['auc']:.3f}",
            f"{mean['auc_standard_error']:.3f}",
            f"({mean['auc_of_all']:.3f})",
            f"{mean['brier']:.3f}",
            f"{mean['ece']:.3f}",
            f"{mean['lift']:.2f}" if "lift" in mean else "–",  # not in the cards of older models
        )
        for name, mean in means.items()
    ]
    return columns, list(rows)


def _watched(report: RunReport) -> Iterable[str]:
    warnings = describe_warnings(report.measured)
    yield from warnings
    if not warnings:
        past = len({row["as_of_date"] for row in report.measured.to_pylist() if row["measure"] == "auc"})
        yield f"no drift and no loss of quality beyond its limit ({past} earlier runs could be judged since the last)"
    yield from describe_growth(report.measured)


def _about_campaigns() -> Iterable[str]:
    yield "compared with the control group, chosen like the treated; in parentheses the 95 % interval"


def _campaigns(report: RunReport) -> tuple[Sequence[str], list[Sequence[str]]]:
    columns = (
        "campaign", "launched", "treated", "control group", "more buyers of 100", "incremental revenue",
        "profit after cost",
    )  # fmt: skip
    rows = []
    for row in report.campaigns.slice(0, MAX_CAMPAIGNS).to_pylist():
        amount = partial(money, currency=row["currency"])
        rows.append(
            (
                row["campaign"],
                str(row["launched_on"]),
                f"{row['treated']:,}",
                f"{row['held_out']:,}",
                "not to be trusted"
                if row["is_sample_ratio_off"]
                else with_interval(row, "lift", lambda share: f"{100 * share:+.1f}"),
                with_interval(row, "incremental_revenue", amount),
                with_interval(row, "profit", amount),
            )
        )
    return columns, list(rows)


def _about_stakes(report: RunReport) -> Iterable[str]:
    if report.model:
        days = report.as_of.horizon_days
        yield "at stake: what they would spend in a year if they stay, less what is expected (CLV_DAYS= for more years)"
        yield "queues: keep those who are slipping, then win back those who are gone, thank those who are active"
        yield f"from today's customers, next {days} days: {_total(report.expected_spend, report)}"
        yield from _correction(report.expected_spend, report)
        yield _last_year(report)
        clv_days = report.model.model.card["clv_days"]
        yield f"and in the next {clv_days} days (customer lifetime value): {_total(report.clv, report)}"
        yield from _correction(report.clv, report)
        if report.clv.correction.forecasts:
            loss, before = (money(of, report.as_of.currency) for of in (report.expected_loss, report.uncorrected_loss))
            yield f"at stake in all, corrected likewise: {loss}; without that {before}"
    if report.second_order:
        yield _second_order(report.second_order, report.as_of.horizon_days)


def _total(total: Total, report: RunReport) -> str:
    stated = money(total.expected, report.as_of.currency)
    if total.ends is None:
        is_shipped = report.model is not None and report.model.shipped
        return f"{stated}, untested on this shop" if is_shipped else f"{stated}, of which no past one can be tested yet"
    low, high, coverage = total.ends
    between = " to ".join(money(end, report.as_of.currency) for end in (low, high))
    return f"{stated} ({between}, with a chance of {coverage:.0%})"


def _correction(total: Total, report: RunReport) -> Iterable[str]:
    """What past forecasts of this total were off by, where it is corrected for that."""
    found = total.correction
    if not found.forecasts:
        return
    several = f"the last {found.forecasts} such forecasts were on average"
    which = several if found.forecasts > 1 else "the last such forecast was"
    how = "too high" if found.too_high > 0 else "too low"
    yield (
        f"{which} {abs(found.too_high):.0%} {how}; this one is corrected by {found.factor - 1:+.0%} for that, part of"
        f" which may be chance; without correction {money(total.uncorrected, report.as_of.currency)}, to which the"
        " figures of single customers add up"
    )


def _last_year(report: RunReport) -> str:
    if report.spend_last_year is None:
        return "less than a full year of history: its season, and so that of this total, is not known"
    spent = money(report.spend_last_year, report.as_of.currency)
    return f"the same days of last year, from the customers of then: {spent}"


def _second_order(found: SecondOrder, horizon_days: int) -> str:
    return (
        f"second order: {found.customers:,} customers have ordered once and can still be kept (last order within"
        f" {found.days_to_keep} days); {percent(found.predicted)} of them should order again in the next {horizon_days}"
        f" days; on {found.dates} dates that it had not seen, the model predicted {percent(found.predicted_then)} and"
        f" {percent(found.ordered_again)} did (AUC {found.auc:.3f})"
    )


def _stakes(report: RunReport) -> tuple[Sequence[str], list[Sequence[str]]]:
    columns = (CUSTOMER, "queue", "at stake", "churn", "expected", "next order", REASON)
    rows = [
        (
            row["customer_id"],
            (row["queue"] or "–").replace("_", " "),
            money(row["expected_loss"], report.as_of.currency),
            percent(row["churn_probability"]),
            money(row["expected_spend"], report.as_of.currency),
            str(row["next_order_on"] or f"none expected ({row['next_order_if_back_on']} if any)"),
            row["reason_1"] or "–",
        )
        for row in report.most_at_stake.to_pylist()
    ]
    return columns, list(rows)


def _files(report: RunReport) -> Iterable[tuple[str, object]]:
    if report.outputs:
        yield "kept by date and as latest", report.settings.outputs
    yield "dashboard", report.settings.dashboard_file
    yield "who to contact", report.settings.contacts_file
    if report.settings.workbook_file.exists():
        yield "Tableau workbook", report.settings.workbook_file
    yield "warehouse", report.warehouse
    if report.model and not report.model.shipped:
        yield "model, with card and report", f"{report.settings.model_store}/{report.model.version}"
