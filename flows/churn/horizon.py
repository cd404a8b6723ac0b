"""The default horizon: the time that the shop's own customers usually take to come back."""

import math

# Few and far apart, so that the horizon does not change from one run to the next and predictions stay comparable.
HORIZONS_DAYS = (28, 45, 60, 90, 120, 180)
GAP_QUANTILE = 0.75
MIN_GAPS = 100
DEFAULT_HORIZON_DAYS = 90


def default_horizon(gaps: int, quantile_days: float | None) -> tuple[int, str]:
    """A horizon in days and the reason for it, from the number of gaps between purchases and their GAP_QUANTILE.

    Three quarters of the customers who come back do so within it.
    """
    if gaps < MIN_GAPS or quantile_days is None:
        return DEFAULT_HORIZON_DAYS, f"{gaps} gaps between purchases are too few to choose by"
    nearest = min(HORIZONS_DAYS, key=lambda days: abs(math.log(days / max(quantile_days, 1.0))))
    return nearest, f"three quarters of the gaps between purchases are of {quantile_days:.0f} days or less"
