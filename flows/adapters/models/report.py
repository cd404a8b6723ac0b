"""`report.html` of a model: its diagnostics in one self-contained page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt
import jinja2
import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.models.charts import BAR, DIM, STAKE, svg
from flows.churn.backtest import Backtest
from flows.churn.candidates import BASELINES
from flows.churn.diagnostics import curves, partial_dependence, permutation_importance, who_is_missed
from flows.churn.evaluation import mean_quality
from flows.churn.model_card import reliability_of
from flows.churn.selection import Selection

_TEMPLATE = Path(__file__).with_name("report.html.j2")
IMPORTANCES_SHOWN = 14
DEPENDENCES_SHOWN = 4
_PERCENT = "%"


def render_model_report(card: Mapping[str, Any], backtest: Backtest, selection: Selection) -> str:
    """The page of a model, from its card and its backtest."""
    kept, newest = selection.candidate, backtest.newest
    keepable, probability = newest.customers.where(newest.keepable), newest.probability[kept]
    churned = keepable.churned
    predict = newest.models[kept].churn_probability
    importance = permutation_importance(predict, keepable).sort_by([("auc_lost", "descending")])
    strongest = importance.filter(pc.equal(importance.column("kind"), "feature")).slice(0, DEPENDENCES_SHOWN)
    roc, precision_recall = curves(churned, probability[newest.keepable])
    return jinja2.Template(_TEMPLATE.read_text(encoding="utf-8"), autoescape=True).render(
        card=card,
        newest=newest,
        kept=kept,
        comparison=[
            (name, name in BASELINES, card["comparison"][name], mean_quality(qualities)["lift"])
            for name, qualities in backtest.qualities.items()
        ],
        reliability_svg=svg(_reliability(backtest, kept)),
        lift_svg=svg(_lift(newest.qualities[kept].lift_by_decile)),
        curves_svg=svg(alt.hconcat(_roc(roc), _precision_recall(precision_recall, churned.mean()), spacing=60)),
        time_svg=svg(_over_time(backtest, kept)),
        importance_svg=svg(_importance(importance.slice(0, IMPORTANCES_SHOWN))),
        dependence_svg=svg(_dependence(partial_dependence(predict, keepable, strongest["name"].to_pylist()))),
        missed=who_is_missed(newest.customers, probability).to_pylist(),
    )


def _reliability(backtest: Backtest, kept: str) -> Any:
    rows = [
        row | {"date": str(h.day), "low": max(0, row["churn_rate"] - 1.96 * row["standard_error"]),
               "high": min(1, row["churn_rate"] + 1.96 * row["standard_error"])}
        for h in backtest.held_out
        for row in reliability_of(h, kept)
    ]  # fmt: skip
    base = alt.Chart(pa.Table.from_pylist(rows)).encode(
        x=alt.X("mean_probability:Q", title="predicted probability", scale=alt.Scale(domain=[0, 1])).axis(
            format=_PERCENT
        ),
        color=alt.Color("date:O", title="date", scale=alt.Scale(scheme="viridis")),
    )
    perfect = alt.Chart(pa.table({"p": [0.0, 1.0]})).mark_line(strokeDash=[4, 4], color=DIM).encode(x="p:Q", y="p:Q")
    rate = alt.Y("churn_rate:Q", title="share that left", scale=alt.Scale(domain=[0, 1])).axis(format=_PERCENT)
    bars = base.mark_rule(opacity=0.5).encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    return (perfect + bars + base.mark_line(point=True).encode(rate)).properties(width=460, height=380)


def _lift(lifts: tuple[float, ...]) -> Any:
    table = pa.table({"decile": list(range(1, len(lifts) + 1)), "lift": list(lifts)})
    bars = alt.Chart(table).mark_bar(color=BAR).encode(
        x=alt.X("decile:O", title="decile of the customers, rated riskiest first").axis(labelAngle=0),
        y=alt.Y("lift:Q", title="churn rate ÷ churn rate of all"),
    )  # fmt: skip
    return (bars + alt.Chart(pa.table({"one": [1]})).mark_rule(color=DIM).encode(y="one:Q")).properties(
        width=460, height=240
    )


def _roc(table: pa.Table) -> Any:
    line = alt.Chart(table).mark_line(color=STAKE).encode(
        x=alt.X("false_positive_rate:Q", title="false positive rate").axis(format=_PERCENT),
        y=alt.Y("true_positive_rate:Q", title="recall").axis(format=_PERCENT),
    )  # fmt: skip
    coin = alt.Chart(pa.table({"p": [0.0, 1.0]})).mark_line(strokeDash=[4, 4], color=DIM).encode(x="p:Q", y="p:Q")
    return (coin + line).properties(width=380, height=300, title="ROC")


def _precision_recall(table: pa.Table, base_rate: float) -> Any:
    line = alt.Chart(table).mark_line(color=STAKE).encode(
        x=alt.X("recall:Q", title="recall").axis(format=_PERCENT),
        y=alt.Y("precision:Q", title="precision", scale=alt.Scale(zero=False)).axis(format=_PERCENT),
    )  # fmt: skip
    coin = alt.Chart(pa.table({"p": [float(base_rate)]})).mark_rule(strokeDash=[4, 4], color=DIM).encode(y="p:Q")
    return (coin + line).properties(width=380, height=300, title="Precision and recall")


def _over_time(backtest: Backtest, kept: str) -> Any:
    rows = [
        {"date": str(h.day), "model": name, "auc": q.auc, "brier": q.brier, "ece": q.ece,
         "low": q.auc - q.auc_standard_error, "high": q.auc + q.auc_standard_error, "is_kept": name == kept}
        for name, qualities in backtest.qualities.items()
        for h, q in zip(backtest.held_out, qualities, strict=True)
    ]  # fmt: skip
    base = alt.Chart(pa.Table.from_pylist(rows)).encode(
        x=alt.X("date:O", title=None).axis(labelAngle=0, labelExpr="slice(datum.value, 0, 7)"),
        color=alt.Color(
            "model:N",
            title=None,
            sort=list(backtest.qualities),
            legend=alt.Legend(orient="bottom", columns=2, columnPadding=60),
        ),
        strokeWidth=alt.condition("datum.is_kept", alt.value(3), alt.value(1.2)),
    )
    titles = {
        "auc": "AUC (higher is better)",
        "brier": "Brier (lower is better)",
        "ece": "calibration error (lower is better)",
    }
    lines = [
        base.mark_line(point=True)
        .encode(alt.Y(f"{measure}:Q", title=None, scale=alt.Scale(zero=False)))
        .properties(width=270, height=230, title=title)
        for measure, title in titles.items()
    ]
    return alt.hconcat(*lines, spacing=24)


def _importance(table: pa.Table) -> Any:
    return (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=alt.X("auc_lost:Q", title="AUC lost when shuffled"),
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=300, minExtent=240)),
            color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=["feature", "cause"], range=[BAR, STAKE])),
        )
        .properties(width=560, height=alt.Step(22))
    )


def _dependence(table: pa.Table) -> Any:
    return (
        alt.Chart(table)
        .mark_line(color=STAKE)
        .encode(
            x=alt.X("value:Q", title=None),
            y=alt.Y("churn_probability:Q", title="mean probability", scale=alt.Scale(zero=False)).axis(format=_PERCENT),
        )
        .properties(width=190, height=170)
        .facet(facet=alt.Facet("feature:N", title=None, sort=None), columns=4)
        .resolve_scale(x="independent")
    )
