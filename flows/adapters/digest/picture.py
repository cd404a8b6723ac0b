"""The picture of a digest: expected loss by stage of the lifecycle, then and now."""

import altair as alt
import vl_convert

from flows.adapters.dashboard.phrases import label
from flows.adapters.digest.contents import Digest
from flows.adapters.digest.wording import Language
from flows.adapters.models.charts import BAR, DIM, STAKE
from functions.churn_api.contract import LIFECYCLES

WIDTH, HEIGHT = 420, 210
_AXIS = {lang: f"replace(format(datum.value, ',.0f'), /,/g, '{sign}')" for lang, sign in (("en", ","), ("fr", " "))}


def picture(digest: Digest, language: Language) -> bytes:
    """As PNG, twice as many pixels as its size."""
    names: dict[str, str] = {stage: label(f"lifecycle_{stage}", language) for stage in LIFECYCLES}
    rows = [
        {"stage": names[of.lifecycle], "when": when, "loss": loss}
        for of in digest.stages
        for when, loss in (("then", of.expected_loss_then), ("now", of.expected_loss))
    ]
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            y=alt.Y("stage:N", sort=list(names.values()), title=None),
            x=alt.X("loss:Q", title=None, axis=alt.Axis(labelExpr=_AXIS[language], tickCount=4)),
            yOffset=alt.YOffset("when:N", sort=["then", "now"]),
            color=alt.Color("when:N", scale=alt.Scale(domain=["then", "now"], range=[BAR, STAKE]), legend=None),
        )
        .properties(width=WIDTH, height=HEIGHT)
        .configure(font="sans-serif", background="white", axis=alt.AxisConfig(labelFontSize=15, labelColor=DIM))
        .configure_view(stroke=None)
    )
    return bytes(vl_convert.vegalite_to_png(chart.to_dict(validate=False), scale=2))
