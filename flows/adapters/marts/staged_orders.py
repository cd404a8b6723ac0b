"""What the staged order lines say about a run: as of which day, and in which currency."""

from dataclasses import dataclass
from datetime import date, timedelta

from flows.churn.backtest import MIN_CUSTOMERS
from flows.churn.horizon import DEFAULT_HORIZON_DAYS, GAP_QUANTILE, default_horizon, fits_cadence, still_fits
from flows.errors import BadInput
from flows.ports.warehouse import Warehouse

# a shop may rest for a few days; a file that ends earlier than that is an old file
MAX_SILENT_DAYS = 7


@dataclass(frozen=True)
class AsOf:
    """The day whose end everything is computed for. `currency` is what money is reported in, if it is known;
    `convert_to` is that same currency where lines must be converted to it. `horizon_days` is how far ahead the run
    looks, and `why_horizon` says why. `customers`: how many ids had ordered by then."""

    date: date
    currency: str | None
    convert_to: str | None
    horizon_days: int
    why_horizon: str
    customers: int


@dataclass(frozen=True)
class KeptHorizon:
    """The horizon of the shop's model `version`. `may_change`: this run trains, so it may choose another one."""

    days: int
    version: str
    trained_as_of: date
    may_change: bool


def decide_as_of(
    warehouse: Warehouse,
    wanted: date | None,
    currency: str | None,
    horizon_days: int | None,
    kept: KeptHorizon | None = None,
) -> AsOf:
    """The as-of date, whether money must be converted, and the horizon, from the staged order lines. The horizon that
    is `kept` stays in a run as of no earlier date, unless another is given, or this run may change it and the shop's
    pace has clearly changed.

    Raises:
        BadInput: when nothing was ordered by then or for long before, or money would have to be added without a rate.
    """
    lines = "staging.stg_shop__order_lines"
    first, last = warehouse.row(f"select min(ordered_on), max(ordered_on) from {lines}")
    if last is None:
        reasons = warehouse.read("select reason, count(*) as n from raw.rejected_rows group by 1 order by 2 desc")
        counted = ", ".join(f"{row['n']:,} {row['reason']}" for row in reasons.to_pylist())
        raise BadInput(f"Not one order line can be used. Rejected: {counted}.")
    if wanted and wanted < first:
        raise BadInput(f"AS_OF={wanted}: the first order is of {first}, so nothing was known by then.")
    if wanted and (wanted - last).days > MAX_SILENT_DAYS:
        raise BadInput(
            f"AS_OF={wanted}: the last order is of {last}. In the days between, every customer would seem to have left."
            " Give newer orders or an earlier AS_OF."
        )
    day = wanted or last
    found = warehouse.read(
        f"select distinct currency from {lines} where ordered_on <= '{day}' and currency is not null order by 1"
    )
    currencies: list[str] = found.column("currency").to_pylist()
    known_currency, convert_to = _currency(warehouse, lines, day, currencies, currency.upper() if currency else None)
    [customers] = warehouse.row(f"select count(distinct customer_id) from {lines} where ordered_on <= '{day}'")
    if kept and kept.trained_as_of > day:
        kept = None
    days, why = (horizon_days, "as HORIZON_DAYS says") if horizon_days else _horizon(warehouse, lines, day, kept)
    return AsOf(day, known_currency, convert_to, days, why, customers)


def describe_misdated(warehouse: Warehouse) -> list[str]:
    """Which dates cannot be right, and what became of their lines: a sentence each."""
    found = warehouse.read(
        """select reason, placed_on is not null as is_placed, sum(line_count) as line_count,
            min(ordered_on) as first_on, max(ordered_on) as last_on
        from staging.stg_shop__misdated group by 1, 2 order by 1, 2"""
    ).to_pylist()
    return [
        f"{row['line_count']:,.0f} order lines with a {row['reason']}"
        f" ({' to '.join(dict.fromkeys((str(row['first_on']), str(row['last_on']))))}) "
        + ("count on the day that their order numbers tell" if row["is_placed"] else "are not used")
        for row in found
    ]


def _horizon(warehouse: Warehouse, lines: str, day: date, kept: KeptHorizon | None) -> tuple[int, str]:
    """The shop's own; or that of the shipped model, where too few customers are known to train one."""
    if kept and not kept.may_change:
        return kept.days, f"as its model {kept.version} does; only training changes that"
    gaps, quantile, median = warehouse.row(
        f"""with purchases as (
            select distinct customer_id, ordered_on from {lines} where not is_return and ordered_on <= '{day}'
        ),
        gaps as (
            select datediff(
                'day', lag(ordered_on) over (partition by customer_id order by ordered_on), ordered_on
            ) as days
            from purchases
        )
        select
            count(days),
            percentile_cont({GAP_QUANTILE}) within group (order by days),
            percentile_cont(0.5) within group (order by days)
        from gaps"""
    )
    days, why = default_horizon(gaps, quantile, median)
    if kept and kept.days == days:
        return days, why
    if kept and still_fits(kept.days, days, quantile, median):
        return kept.days, f"kept, as {kept.version} does; {why}, which is too near to change it"
    if kept:
        return days, f"{why}; until now it was {kept.days} days"
    outcomes_from = day - timedelta(days=days)
    [known] = warehouse.row(
        f"select count(distinct customer_id) from {lines} where not is_return and ordered_on <= '{outcomes_from}'"
    )
    if known < MIN_CUSTOMERS and days != DEFAULT_HORIZON_DAYS and fits_cadence(DEFAULT_HORIZON_DAYS, median):
        return DEFAULT_HORIZON_DAYS, f"{known} customers are too few to train a model, and the shipped one looks as far"
    return days, why


def _in_several_currencies(warehouse: Warehouse, lines: str, day: date) -> str:
    sums = warehouse.read(
        f"""select currency, sum(case when is_return then -amount else amount end) as amount,
            count(distinct order_id) as orders, min(ordered_on) as first_on
        from {lines} where ordered_on <= '{day}' and currency is not null group by 1 order by orders desc, currency"""
    ).to_pylist()
    amounts = ", ".join(
        f"{row['currency']} {row['amount']:,.2f} in {row['orders']:,} {'order' if row['orders'] == 1 else 'orders'}"
        for row in sums
    )
    most, *others = sums
    rates = "\n".join(f"  {most['currency']},{row['currency']},{row['first_on']},<rate>" for row in others)
    return (
        f"The orders are in several currencies, which are never added up: {amounts}. Choose one with"
        f" CURRENCY={most['currency']}, and write what one of each other is worth in it, and since when, into"
        f" dbt_project/seeds/currency_rates.csv:\n\n{rates}\n\nOr give the orders of one currency only."
    )


def _currency(
    warehouse: Warehouse, lines: str, day: date, currencies: list[str], wanted: str | None
) -> tuple[str | None, str | None]:
    if len(currencies) <= 1 and wanted in (None, *currencies):
        return (currencies[0] if currencies else None), None
    found = ", ".join(currencies) or "none"
    if wanted is None:
        raise BadInput(_in_several_currencies(warehouse, lines, day))
    without_rate = warehouse.read(
        f"""select lines.currency, min(lines.ordered_on) as first_day, count(*) as "rows" from {lines} as lines
        where lines.ordered_on <= '{day}' and lines.currency <> '{wanted}' and not exists (
            select 1 from staging.currency_rates as rates
            where rates.reporting_currency = '{wanted}' and rates.currency = lines.currency
                and rates.valid_from <= lines.ordered_on
        ) group by 1 order by 1"""
    ).to_pylist()
    if without_rate:
        missing = ", ".join(f"{row['currency']} from {row['first_day']} ({row['rows']:,} rows)" for row in without_rate)
        raise BadInput(
            f"CURRENCY={wanted}, and the orders are in {found}, but dbt_project/seeds/currency_rates.csv has no rate"
            f" to {wanted} for: {missing}. Add lines such as {wanted},{without_rate[0]['currency']},"
            f"{without_rate[0]['first_day']},<rate>."
        )
    return wanted, wanted
