"""A real shop as of 2011-09-10, judged by the 90 days after; reported as skipped where its file is missing."""

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measured import Figure, run_python
from tests.benchmarks.quality import AS_OF, HORIZON_DAYS, ONLINE_RETAIL, realised_quality


def measure(folder: Path) -> Iterator[Figure]:
    what = f"online_retail as of {AS_OF}, {HORIZON_DAYS} days on"
    if not ONLINE_RETAIL.exists():
        yield Figure(what, "skipped", f"no {ONLINE_RETAIL.name}")
        return
    run_python(
        *("-m", "flows", "run"),
        ORDERS=str(ONLINE_RETAIL),
        SOURCE="online_retail",
        AS_OF=str(AS_OF),
        HORIZON_DAYS=str(HORIZON_DAYS),
        DATA_DIR=str(folder),
    )
    quality = realised_quality(folder)
    yield Figure(
        f"{what}: AUC", f"{quality.auc:.3f} ± {quality.auc_standard_error:.3f}", "", "≥ .73", quality.auc >= 0.73
    )
    yield Figure(
        "… Brier",
        f"{quality.brier:.4f}",
        f"base rate {quality.churn_rate * (1 - quality.churn_rate):.4f}",
        "≤ .208",
        quality.brier <= 0.208,
    )
    yield Figure(
        "… ECE", f"{quality.ece:.3f}", f"predicted {quality.mean_probability:.1%}, observed {quality.churn_rate:.1%}"
    )
