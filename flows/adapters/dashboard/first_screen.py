"""What a reader has to know before any figure: how far to trust it, and how fresh it is."""

from collections.abc import Sequence

from flows.adapters.marts.run_report import RunReport
from flows.churn.promotion_gate import excess_calibration_error


def trust_level(report: RunReport, warnings: Sequence[str]) -> str:
    """unscored, orientation (by the shipped model), care, or tested: by the same figures as the terminal."""
    if report.model is None:
        return "unscored"
    if report.model.quality is None:
        return "orientation"
    return "care" if warnings or excess_calibration_error(report.model.quality) > 0 else "tested"


def newest_order(report: RunReport) -> str | None:
    """The day of the newest order that counts; None where orders are newer than the page."""
    newest = max((of.last_on for of in report.receipt.totals), default=None)
    return str(newest) if newest and newest <= report.as_of.date else None
