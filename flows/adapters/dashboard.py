"""`dashboard.html`: one page that needs nothing but itself, drawn from `marts.marketing_customers`."""

from pathlib import Path

import altair as alt
import jinja2
import pyarrow as pa

from flows.adapters.charts import BAND_COLOURS, BAR, STAKE, svg
from flows.adapters.monitoring import warnings_in_words
from flows.adapters.run_report import RunReport, most_at_stake
from flows.adapters.warehouse import Warehouse
from flows.money import money, percent

CUSTOMERS_SHOWN = 25

_TEMPLATE = Path(__file__).with_name("dashboard.html.j2")


def write_dashboard(warehouse: Warehouse, report: RunReport, file: Path) -> None:
    """Writes the page of a finished run; the file is replaced at once."""
    customers = warehouse.read(most_at_stake(CUSTOMERS_SHOWN))
    distribution = warehouse.read(
        """select cast(least(floor(churn_probability * 20), 19) as double) / 20 as probability, risk_band,
            count(*) as customers
        from marts.marketing_customers where churn_probability is not null group by 1, 2 order by 1, 2"""
    )
    page = jinja2.Template(_TEMPLATE.read_text(encoding="utf-8"), autoescape=True).render(
        as_of=report.as_of.date,
        horizon_days=report.as_of.horizon_days,
        figures=_figures(report),
        segments_svg=svg(_segments_chart(report)),
        churn_svg=svg(_churn_chart(distribution)) if distribution.num_rows else None,
        why_no_model=report.why_no_model,
        customers=[
            row
            | {
                "at_stake": money(row["value_at_stake"], report.as_of.currency),
                "churn": percent(row["churn_probability"]),
                "expected": money(row["expected_spend"], report.as_of.currency),
                "reasons": [row[f"reason_{n}"] for n in (1, 2, 3) if row[f"reason_{n}"]],
            }
            for row in customers.to_pylist()
        ],
        band_colours=BAND_COLOURS,
        watched=warnings_in_words(report.measured),
        footnotes=_footnotes(report),
    )
    draft = file.with_suffix(".draft")
    draft.write_text(page, encoding="utf-8")
    draft.replace(file)


def _figures(report: RunReport) -> list[tuple[str, str]]:
    currency = report.as_of.currency
    spend = sum(report.segments.column("spend_last_365_days").to_pylist())
    figures = [
        ("customers", f"{report.customers:,}"),
        ("spent in the last 365 days", money(spend, currency)),
    ]
    if report.model:
        stakes = [value or 0 for value in report.segments.column("value_at_stake").to_pylist()]
        figures.append(("of that at stake", money(sum(stakes), currency)))
        expected = sum(value or 0 for value in report.segments.column("expected_spend").to_pylist())
        figures.append((f"expected in the next {report.as_of.horizon_days} days", money(expected, currency)))
    if report.model and report.model.quality:
        figures.append(("AUC on customers the model had not seen", f"{report.model.quality['auc']:.2f}"))
    return figures


def _footnotes(report: RunReport) -> list[str]:
    lines = [f"{report.order_lines:,} order lines read."]
    lines += [f"{row['rows']:,} rows set aside: {row['reason']}." for row in report.set_aside.to_pylist()]
    if report.model and report.model.quality:
        q = report.model.quality
        lines.append(
            f"Model {report.model.version}. On dates that it had not seen, it expected {percent(q['mean_probability'])}"
            f" to leave; {percent(q['churn_rate'])} did."
        )
    elif report.model:
        lines.append(f"Model {report.model.version}, not trained on this shop: {report.model.why_shipped}")
    return lines


def _segments_chart(report: RunReport) -> alt.HConcatChart:
    segments = report.segments
    order = segments.column("segment").to_pylist()
    names = alt.Y("segment:N", sort=order, title=None, axis=alt.Axis(minExtent=150, ticks=False, domain=False))
    without_names = alt.Y("segment:N", sort=order, title=None, axis=None)
    money_axis = alt.Axis(format="~s", grid=True, tickCount=4)
    base = alt.Chart(segments).properties(height=alt.Step(26))
    size = base.mark_bar(color=BAR).encode(names, alt.X("customers:Q", title=None, axis=alt.Axis(tickCount=4)))
    value = base.mark_bar(color=BAR).encode(without_names, alt.X("spend_last_365_days:Q", title=None, axis=money_axis))
    at_stake = base.mark_bar(color=STAKE, height=8).encode(without_names, alt.X("value_at_stake:Q"))
    currency = f", {report.as_of.currency}" if report.as_of.currency else ""
    return alt.hconcat(
        size.properties(width=330, title="Customers"),
        (value + at_stake).properties(width=460, title=f"Spent in the last 365 days{currency} (dark: at stake)"),
        spacing=28,
    )


def _churn_chart(distribution: pa.Table) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(distribution)
        .transform_calculate(upper="datum.probability + 0.05")
        .mark_bar(stroke="white", strokeWidth=1)
        .encode(
            x=alt.X("probability:Q", title="probability of leaving", scale=alt.Scale(domain=[0, 1], nice=False))
            .bin("binned")
            .axis(format="%", grid=False, tickCount=10),
            x2="upper:Q",
            y=alt.Y("customers:Q", title="customers", axis=alt.Axis(tickCount=5)),
            color=alt.Color(
                "risk_band:N",
                title="risk",
                sort=list(BAND_COLOURS),
                scale=alt.Scale(domain=list(BAND_COLOURS), range=list(BAND_COLOURS.values())),
            ),
        )
        .properties(width=880, height=230)
    )
    return chart
