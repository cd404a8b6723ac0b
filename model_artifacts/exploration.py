# `make explore` opens this page in a browser; `python -m model_artifacts.exploration` runs it from top to bottom.
import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Change a feature")


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # Change a feature, and see whether it pays

    From the mart to a retrained, compared model. It reads the warehouse of the last `make run` (`DATA_DIR=`, by
    default `data/`), and changes nothing in it.
    """)
    return


@app.cell
def _():
    import altair as alt
    import marimo as mo
    import numpy as np
    import pyarrow as pa

    from flows.adapters.duckdb.warehouse import DuckDBWarehouse
    from flows.churn.backtest import hold_out
    from flows.churn.candidates import CANDIDATES
    from flows.churn.evaluation import mean_quality, measure
    from flows.churn.lines import fit_logistic
    from flows.churn.risk import logs_of
    from flows.churn.selection import mean_by_customer
    from flows.churn.training_set import TrainingSet
    from flows.settings import Settings, read_settings

    return (
        CANDIDATES, DuckDBWarehouse, Settings, TrainingSet, alt, fit_logistic, hold_out, logs_of, mean_by_customer,
        mean_quality, measure, mo, np, pa, read_settings,
    )  # fmt: skip


@app.cell
def _(DuckDBWarehouse, Settings, TrainingSet, mo, read_settings):
    settings = read_settings(Settings)
    warehouse = DuckDBWarehouse(settings.warehouse_file, settings.scratch)
    horizon_days = warehouse.row("select max(horizon_days) from marts.churn_predictions")[0]
    snapshots = TrainingSet.from_table(warehouse.read("from intermediate.int_training_snapshots"), horizon_days)
    mo.md(
        f"{len(snapshots):,} rows: what was known of each customer on {len(snapshots.snapshot_dates)} dates from"
        f" {snapshots.snapshot_dates[0]} to {snapshots.snapshot_dates[-1]}, and whether a purchase came within"
        f" {horizon_days} days."
    )
    return (snapshots,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## 1. An idea

    Does it matter how evenly a customer's year was spread? The share of the year's orders that fell into its last
    quarter is not among the features. Write any other idea here: a function from the features to a column.
    """)
    return


@app.cell
def _(np):
    def new_feature(data):
        """Share of the last year's purchases that fell into its last 90 days; 0 where there were none."""
        year, quarter = data.column("purchases_last_365_days"), data.column("purchases_last_90_days")
        return quarter / np.maximum(year, 1)

    return (new_feature,)


@app.cell
def _(alt, new_feature, np, pa, snapshots):
    newest = snapshots.newest(1)
    fifths = np.digitize(new_feature(newest), [0.01, 0.25, 0.5, 0.99])
    left = np.bincount(fifths, newest.churned, minlength=5) / np.maximum(np.bincount(fifths, minlength=5), 1)
    alt.Chart(
        pa.table({"share of the year's orders": ["none", "to 25 %", "to 50 %", "to 99 %", "all"], "left": left})
    ).mark_bar(color="#8fb8de").encode(
        alt.X("share of the year's orders:N", sort=None), alt.Y("left:Q", axis=alt.Axis(format="%"))
    ).properties(width=420, height=220)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## 2. With it and without it, on dates that neither was trained on

    Each date is tested with what was known by then, as in the pipeline's own backtest. The reference is the regression
    on recency, frequency, monetary and tenure, next to the pipeline's candidates.
    """)
    return


@app.cell
def _(CANDIDATES, fit_logistic, hold_out, logs_of, measure, new_feature, np, snapshots):
    def columns_with(data):
        return np.column_stack([logs_of(data.features), new_feature(data)])

    def regression(columns_of, past, customers):
        intercept, slopes = fit_logistic(columns_of(past), past.churned)
        return 1 / (1 + np.exp(-(intercept + columns_of(customers) @ slopes)))

    qualities, gains, ids = {}, [], []
    for day in snapshots.snapshot_dates[-4:]:
        past, customers = snapshots.known_by(day), snapshots.at([day])
        if len(past) == 0 or not 0 < past.churned.mean() < 1:
            continue
        tested = hold_out(day, past, customers)
        said = {name: tested.probability[name] for name in ("logistic RFMT", *CANDIDATES)}
        said["logistic RFMT + the idea"] = regression(columns_with, past.newest(12), customers)
        for name, p in said.items():
            qualities.setdefault(name, []).append(measure(customers.churned, p))
        errors = {name: (p - customers.churned) ** 2 for name, p in said.items()}
        gains.append(errors["logistic RFMT"] - errors["logistic RFMT + the idea"])
        ids.append(customers.customer_ids)
    return gains, ids, qualities


@app.cell
def _(gains, ids, mean_by_customer, mean_quality, mo, np, qualities):
    comparison = {name: mean_quality(rows) for name, rows in qualities.items()}
    gain, standard_error = mean_by_customer(np.concatenate(ids), np.concatenate(gains))
    rows = "\n".join(
        f"| {name} | {q['auc']:.4f} | {q['brier']:.5f} | {q['ece']:.4f} |" for name, q in comparison.items()
    )
    verdict = "It pays." if gain > 2 * standard_error else "It does not pay: the gain is within the noise, or none."
    mo.md(
        f"| | AUC | Brier | calibration error |\n|---|---|---|---|\n{rows}\n\n"
        f"Squared errors are {gain:.6f} ± {standard_error:.6f} smaller with the idea. **{verdict}**"
    )
    return comparison, gain, standard_error


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## 3. Where it goes if it pays

    1. `docs/features.md` shows each step: definition and cause in `functions/churn_api/contract.py`, SQL, and the
       Python twin for the API.
    2. `make generate`, `make test-fast`, `make run`; then `make champion` for the model that comes with the project.

    The promotion gate compares the new model with the champion, and says why it was promoted or not.
    """)
    return


if __name__ == "__main__":
    app.run()
