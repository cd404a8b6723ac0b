"""docs/snowflake-cost.md as text."""

from tests.benchmarks import cost_model as model
from tests.benchmarks import cost_of_services as prices
from tests.benchmarks.cost_model import MEASURED_CUSTOMERS, SHOPS, Measured, bill

HOW_KNOWN = {
    100_000: "measured",
    1_000_000: "× 10; whole runs measured on DuckDB",
    10_000_000: "extrapolated × 100",
    100_000_000: "extrapolated × 1,000",
}


def page(measured: Measured) -> str:
    bills = [bill(measured, customers) for customers in SHOPS]
    each = {name: measured.bytes[name] / MEASURED_CUSTOMERS for name in sorted(measured.bytes)}
    largest = sorted(each, key=lambda name: each[name], reverse=True)[:10]

    def row(title: str, *values: str) -> str:
        return f"| {title} | {' | '.join(values)} |"

    table = [
        row("", *(f"{b.customers:,} customers" for b in bills)),
        "|---|" + "---:|" * len(bills),
        row("how it is known", *(HOW_KNOWN[b.customers] for b in bills)),
        row(f"stored, with {model.KEPT_DAYS} days of predictions", *(_size(b.stored_bytes) for b in bills)),
        row("read by a daily run", *(_size(b.scanned_bytes) for b in bills)),
        row("virtual warehouse", *(b.size for b in bills)),
        row("… seconds a day", *(f"{b.daily_seconds:,.0f}" for b in bills)),
        row("… credits a day", *(f"{b.daily_credits:.3g}" for b in bills)),
        row("… credits of a weekly training's snapshots", *(f"{b.training_credits:.3g}" for b in bills)),
        row("… credits a month", *(f"{b.credits:,.3g}" for b in bills)),
        row("**Snowflake, USD a month**, storage included", *(f"**{b.dollars:,.0f}**" for b in bills)),
        row("scoring by the API: calls a day", *(f"{b.calls:,.0f}" for b in bills)),
        row(f"… seconds that they take at {model.GATEWAY_CALLS_A_SECOND} a second",
            *(f"{b.waiting_seconds:,.0f}" for b in bills)),
        row("… USD a month of the warehouse that waits for them",
            *(f"{b.waiting_credits * model.CREDIT:,.2f}" for b in bills)),
        row("… sent and received a day",
            *(_size(b.scored * (measured.request_bytes + measured.response_bytes)) for b in bills)),
        row("… USD a month: Lambda and API Gateway", *(f"{b.api_dollars:,.2f}" for b in bills)),
        row("scoring inside Snowflake instead: credits a month", *(f"{b.udf_credits:.3g}" for b in bills)),
        row("**least, USD a month**: this, with orders that need no Airbyte", *(f"**{b.least:,.0f}**" for b in bills)),
        row("Airbyte Cloud: HubSpot's contacts and e-mails", *(f"{b.services.airbyte_events:,.0f}" for b in bills)),
        row("… a file of all orders, read each night", *(f"{b.services.airbyte_orders:,.0f}" for b in bills)),
        row("Tableau", *(f"{b.services.tableau:,.0f}" for b in bills)),
        row("Prefect `starter`", *(f"{b.services.prefect:,.0f}" for b in bills)),
        row("… and Fargate", *(f"{b.services.fargate:,.2f}" for b in bills)),
        row("tools that call the API: the sink's merges",
            *(f"{b.services.sink_credits * model.CREDIT:,.2f}" for b in bills)),
        row("**everything, USD a month**", *(f"**{b.everything:,.0f}**" for b in bills)),
    ]  # fmt: skip
    sizes = [f"| `{name}` | {measured.rows[name] / MEASURED_CUSTOMERS:.2f} | {each[name]:,.0f} |" for name in largest]
    return _TEXT.format(
        table="\n".join(table),
        sizes="\n".join(sizes),
        customers=f"{MEASURED_CUSTOMERS:,}",
        sampled=f"{model.TRAINING_CUSTOMERS:,}",
        mails=model.MAILS_A_YEAR,
        daily=f"{measured.daily_core_seconds:.0f}",
        training=f"{measured.training_core_seconds:.0f}",
        nodes=measured.daily_nodes,
        request=f"{measured.request_bytes:,.0f}",
        response=f"{measured.response_bytes:,.0f}",
        credit=f"{model.CREDIT:.2f}",
        storage=f"{model.STORAGE_TB_MONTH:.0f}",
        cores=model.XSMALL_CORES,
        longest=model.MAX_SECONDS // 60,
        idle=model.IDLE_SECONDS,
        flow=model.FLOW_SECONDS,
        rows_a_call=model.ROWS_A_CALL,
        past_months=model.PAST_MONTHS,
        calls=model.GATEWAY_CALLS_A_SECOND,
        api_rows=f"{model.API_ROWS_A_CORE_SECOND:,}",
        udf_rows=f"{model.UDF_ROWS_A_CORE_SECOND:,}",
        node=model.NODE_SECONDS,
        airbyte=f"{prices.AIRBYTE_PLAN:.0f} USD a month, {prices.AIRBYTE_MILLION_ROWS:.0f} for a million rows of an API"
        f" and {prices.AIRBYTE_GB:.0f} for a GB of files",
        changed=f"{100 * prices.CHANGED_CONTACTS:.0f} %",
        tableau=f"{prices.TABLEAU_CREATORS} Creator at {prices.TABLEAU_CREATOR:.0f} and {prices.TABLEAU_VIEWERS}"
        f" Viewers at {prices.TABLEAU_VIEWER:.0f}",
        starter=f"{prices.PREFECT_STARTER:.0f}",
        minutes=prices.RUN_MINUTES,
        merges=24 // prices.SINK_EVERY_HOURS,
        merge_seconds=prices.SINK_SECONDS,
        kept=model.KEPT_DAYS,
    )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} PB"


_TEXT = """# What a shop costs

Written by `python -m tests.benchmarks snowflake_cost`, which measures rows, bytes and work on a simulated
shop and multiplies. It is a model, not a bill: nothing here has run on Snowflake. Change the assumptions at
the top of `tests/benchmarks/cost_model.py` and `cost_of_services.py` and run it again.

{table}

## Up to where it was measured

- Rows, bytes and work: {customers} customers. Whole runs, training included, on DuckDB: a million customers and
  7.2 million order lines in 3.8 GB of memory ([benchmarks](benchmarks.md#scale)). From there on every figure is
  a multiple: right perhaps within a factor of two for ten million, and for a hundred million no more than an
  order of magnitude. Windows and percentiles that no longer fit a warehouse's memory spill to its disk, which
  is not in it.
- **The API** receives {calls} calls a second (`throttle`), {rows_a_call} rows each: a hundred million customers
  take 4,000 s. By this model scoring inside Snowflake (`scoring = "udf"`) is cheaper at any size, by cents for
  a small shop. Use it from ten million customers on, because the calls then take as long as everything else.
- **Merges** name the as-of date, dbt's and the sink's, and the table is clustered by it: they read the days
  that they write.
- **Training** fits on {sampled} customers of a larger shop (`TRAINING_CUSTOMERS`), so its memory does not grow:
  1.8 GB for 50,000 customers × 12 dates ([benchmarks](benchmarks.md#training)). What else a run holds grew to
  those 3.8 GB.
- **Predictions** are kept for ever, unless `PREDICTIONS_KEPT_DAYS` says how long; this page counts {kept} days.

## Measured

On a simulated shop of {customers} customers with contacts, the identities found of both, and {mails} mails a
year in the shape of HubSpot's events, by DuckDB on this project's own models:

| table | rows a customer | bytes a customer (parquet, zstd) |
|---|---:|---:|
{sizes}

- a daily build (order lines, segments, features, scores, marts and their tests: {nodes} nodes): {daily} cores
  × seconds;
- training snapshots of {sampled} customers, built only when a model is trained: {training} cores × seconds more;
- an external function's row: {request} bytes out, {response} bytes back.

## Assumed

- {credit} USD a credit, {storage} USD a TB and month; Lambda with one core, REST API Gateway, all in one
  region and at list price, without transfer fees.
- An XS has {cores} cores of this machine's speed, and twice the warehouse is twice as fast; the smallest one
  is taken that is done within {longest} minutes. Each of dbt's nodes costs {node} s of its own;
  four run at a time.
- During a run the warehouse waits {flow} s for what the flow does between its statements, and {idle} s more until it
  suspends itself. It does nothing else. Automatic clustering is left out: days arrive in order.
- Snowflake's files are as large as parquet's; every run reads every column of its inputs, which overestimates
  it.
- Snowflake sends {rows_a_call} rows a call; a core of the API answers {api_rows} rows a second, and a core
  scores {udf_rows} inside the warehouse, both by `make bench`. A run scores everyone, and {sampled} customers as of
  {past_months} past month-ends.
- Airbyte Cloud: {airbyte}; a month brings a twelfth of the year's events, and {changed} of the contacts. Who
  reads orders by their changes (Shopify, a database) pays less than for a whole file each night; one's own
  server costs its machine.
- Tableau: {tableau} a user and month. Prefect: {starter} for `starter`, which Fargate needs; `hobby` with
  Prefect's own machines is free, within its monthly allowance. Fargate: at least {minutes} minutes a day, sizes
  as in Terraform.
- The sink: {merges} merges a day, each of which keeps an XS awake for {merge_seconds} s; none where no tool
  calls the API.

## What keeps it low

- **A daily run trains nothing.** The snapshots of past dates, the largest tables of all, are built
  weekly.
- **Segments, features and scores are computed once a day, in one pass over purchases**, not over order lines.
- **Staging is rebuilt each time**: late orders, returns and deleted rows are then right without a rule for
  each. Beyond ten million customers that is most of the bill; an incremental staging by Airbyte's generation
  would be the next step.
- **`marts.churn_predictions` is the only table that grows.** It is clustered by the as-of date, and the merge
  filters by that date, so a run reads one day of it; it alone is not transient.
- **Rows arrive as parquet by COPY**, and content that is already loaded is not loaded again
  (`raw.load_manifest`).
- **One small warehouse** that suspends after a minute, a resource monitor, time limits on statements, a query
  tag on every session: the cost per session is in `snowflake.account_usage.query_history`.

## Where training outgrows one machine

A sample of {sampled} customers trains as good a model as all of them, as far as was measured
([benchmarks](benchmarks.md#sample)), so this is for those who want another engine. **It was not run.** The
interface is small:

1. dbt builds `intermediate.int_training_snapshots` (`TRAINING_CUSTOMERS` large enough): the features of each
   customer at each past date, and what came after. Nothing else is needed for a fit.
2. A Prefect flow starts the job where the rows are. **Snowpark ML**: a stored procedure or an ML Job on a
   compute pool, which reads that table. **SageMaker**: `copy into @stage` as parquet to S3, and a training job
   with this project's image. Both call what `flows/churn` has for a fit and for `export`, which checks that
   ONNX and the model agree.
3. The job leaves `model.onnx` on S3. It must have the contract's inputs and outputs and the metadata that
   `export` attaches (version, horizon, training date), as the API and the UDF read nothing else.
4. The job also fits on the earlier dates alone and predicts the later ones: a candidate more in the backtest
   (`flows/churn/backtest.py`), from which `decide_promotion` (`flows/churn/promotion_gate.py`) decides. The flow
   adds the file to the model store (`MODELS`) with that verdict. Serving and rollback stay as they are.

Missing for it: a flow with steps 2 and 4.
"""
