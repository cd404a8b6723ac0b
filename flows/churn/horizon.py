"""The default horizon: the time that the shop's own customers usually take to come back."""

import math

# Few and far apart, so that the horizon does not change from one run to the next and predictions stay comparable.
HORIZONS_DAYS = (28, 45, 60, 90, 120, 180)
GAP_QUANTILE = 0.75
MIN_GAPS = 100
DEFAULT_HORIZON_DAYS = 90  # the shipped model's
MAX_HORIZON_DAYS = 365
# what customers are worth is said for whole years, in which every season is once
CLV_DAYS = (365, 730, 1_095)
DEFAULT_CLV_DAYS = CLV_DAYS[0]
# a subscriber who pays every month has not left on the 31st day
MIN_GAPS_WITHIN = 1.25
# A horizon in use is changed when the gaps are this much beyond the border to another one, not at the border itself:
# a new horizon means a new model, a deployment, and figures that cannot be compared with earlier ones.
BEYOND_BORDER = 1.15


def default_horizon(gaps: int, quantile_days: float | None, median_days: float | None) -> tuple[int, str]:
    """A horizon in days and the reason for it, from the number of gaps between purchases, their GAP_QUANTILE and their
    median.

    Three quarters of the customers who come back do so within it, and the usual gap fits into it with room to spare:
    otherwise those who come as always would be about to leave.
    """
    if gaps < MIN_GAPS or quantile_days is None or median_days is None:
        return DEFAULT_HORIZON_DAYS, f"{gaps} gaps between purchases are too few to choose by"
    long_enough = [days for days in HORIZONS_DAYS if fits_cadence(days, median_days)]
    if not long_enough:
        return MAX_HORIZON_DAYS, f"purchases are usually {median_days:.0f} days apart"
    nearest = min(long_enough, key=lambda days: abs(math.log(days / max(quantile_days, 1.0))))
    if nearest > quantile_days and nearest == long_enough[0] != HORIZONS_DAYS[0]:
        return nearest, f"purchases are usually {median_days:.0f} days apart"
    return nearest, f"three quarters of the gaps between purchases are of {quantile_days:.0f} days or less"


def still_fits(kept_days: int, measured_days: int, quantile_days: float | None, median_days: float | None) -> bool:
    """Whether the horizon in use stays although the gaps now suggest `measured_days`: unless they are far beyond the
    border between the two, or their usual length no longer fits into it."""
    if quantile_days is None or median_days is None:
        return True
    if kept_days < median_days:
        return False
    further = abs(math.log(kept_days / max(quantile_days, 1.0))) - abs(
        math.log(measured_days / max(quantile_days, 1.0))
    )
    return further <= 2 * math.log(BEYOND_BORDER)


def fits_cadence(horizon_days: int, median_days: float | None) -> bool:
    """Whether a horizon is long enough for the usual gap between purchases."""
    return horizon_days >= MIN_GAPS_WITHIN * (median_days or 0)
