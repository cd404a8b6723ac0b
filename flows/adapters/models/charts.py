"""Altair charts as SVG, in the look that all pages of the project share."""

from typing import Any

import altair as alt
import vl_convert

# distinguishable for colour-blind people, and by lightness alone
BAR, STAKE, DIM = "#8fb8de", "#9e2a4b", "#667085"


def svg(chart: alt.HConcatChart | alt.LayerChart | alt.Chart | alt.FacetChart) -> str:
    """The chart as an SVG element."""
    styled: Any = chart.configure_view(stroke=None).configure(
        font="system-ui, sans-serif",
        axis=alt.AxisConfig(
            labelFontSize=13, titleFontSize=13, titleFontWeight="normal", gridColor="#eceef2", domainColor="#c8ccd4"
        ),
        title=alt.TitleConfig(anchor="start", fontSize=13, fontWeight=500, color=DIM),
        legend=alt.LegendConfig(labelFontSize=13, titleFontSize=13, labelLimit=320),
        background="transparent",
    )
    return str(vl_convert.vegalite_to_svg(styled.to_dict(validate=False)))
