"""What a campaign changed: the treated compared with the control group, with intervals."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, nan, sqrt

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CONFIDENCE = 0.95
NORMAL_95 = 1.96  # half-width of an interval of 95 %, in standard errors
WHOLE_CAMPAIGN = "all"
SAMPLE_RATIO_LIMIT = 0.001
# With fewer buyers or non-buyers in an arm, the spread of a rate cannot be estimated; with fewer buyers, that of money
# cannot either, because a few large orders dominate it.
MIN_PER_ARM_FOR_RATES, MIN_BUYERS_PER_ARM = 20, 20
# Chosen of .01, .02, .05 and .1 on invented campaigns: of an effect on all baskets alike a tenth is missed, of every
# other effect nothing; with .1 it would be a fifth (tests/benchmarks/campaign_tails.py).
LARGEST, MIN_LARGEST = 0.05, 5
MIN_PER_ARM_TO_ADJUST = 50  # of an arm


@dataclass(frozen=True)
class Difference:
    """treated − control group, per customer, with its interval; NaN where it cannot be estimated."""

    mean: float
    low: float
    high: float


UNKNOWN = Difference(nan, nan, nan)


@dataclass(frozen=True)
class Effect:
    """Of a campaign on one segment, or on all. `lift`: in the share of customers who bought within the window.
    `margin`: in margin per customer, before the campaign's cost. `margin_afterwards`: the same of the days after the
    window; unknown until these have passed."""

    segment: str
    treated: int
    held_out: int
    treated_rate: float
    held_out_rate: float
    lift: Difference
    margin: Difference
    margin_afterwards: Difference
    sample_ratio_p: float

    @property
    def is_sample_ratio_off(self) -> bool:
        return self.sample_ratio_p < SAMPLE_RATIO_LIMIT


@dataclass(frozen=True)
class Outcomes:
    """n targets of one campaign, arms treated and holdout. `expectations`: float64 [n, k], what the model expected of
    each at launch; NaN where there was no prediction. `margin`: margin of the customer's purchases within the window.
    `margin_afterwards`: of those in the days after it, NaN until these have passed. `planned_arm_sizes`: size of each
    arm at launch, where it is known."""

    is_treated: Flags
    treatment_share: float
    segments: NDArray[np.object_]
    bought: Flags
    margin: Floats
    expectations: Floats
    margin_afterwards: Floats | None = None
    planned_arm_sizes: tuple[int, int] | None = None

    @classmethod
    def from_table(cls, targets: pa.Table, margin: float, planned_arm_sizes: tuple[int, int] | None) -> "Outcomes":
        """From rows of `marts.campaign_outcomes` of one campaign."""
        expected = [
            targets.column(name).cast(pa.float64()).to_numpy()
            for name in ("churn_probability", "expected_spend", "spend_last_period")
        ]
        return cls(
            is_treated=np.asarray(targets["arm"].to_numpy() == "treated"),
            treatment_share=float(targets["treatment_share"][0].as_py()),
            segments=targets["segment"].to_numpy(),
            bought=targets["purchased"].to_numpy(),
            margin=margin * targets["spend_in_window"].cast(pa.float64()).to_numpy(),
            expectations=np.column_stack(expected),
            margin_afterwards=margin * targets["spend_afterwards"].cast(pa.float64()).to_numpy(),
            planned_arm_sizes=planned_arm_sizes,
        )

    def __len__(self) -> int:
        return len(self.bought)

    def where(self, chosen: Flags) -> "Outcomes":
        """A subset of the targets."""
        return Outcomes(
            self.is_treated[chosen], self.treatment_share, self.segments[chosen], self.bought[chosen],
            self.margin[chosen], self.expectations[chosen],
            None if self.margin_afterwards is None else self.margin_afterwards[chosen],
        )  # fmt: skip


def measure(outcomes: Outcomes) -> Iterator[Effect]:
    """The effect on the whole campaign, then on each segment. Intervals of segments hold together with 95 %: of eleven
    segments with intervals of 95 % each, about every other campaign would show an effect where there is none."""
    yield _effect(WHOLE_CAMPAIGN, outcomes, CONFIDENCE)
    segments = np.unique(outcomes.segments.astype(str))
    for segment in segments:
        of_segment = outcomes.where(outcomes.segments == segment)
        yield _effect(segment, of_segment, 1 - (1 - CONFIDENCE) / len(segments))


def measure_variant(variant: str, outcomes: Outcomes, variants: int) -> Effect:
    """The effect of one of so many contents; their intervals hold together with 95 %."""
    return _effect(variant_row(variant), outcomes, 1 - (1 - CONFIDENCE) / variants)


def variant_row(variant: str) -> str:
    """What stands for the segment in results of a variant."""
    return f"variant {variant}"


def _effect(segment: str, outcomes: Outcomes, confidence: float) -> Effect:
    treated, bought = outcomes.is_treated, outcomes.bought.astype(float)
    arms = int(treated.sum()), int((~treated).sum())
    return Effect(
        segment=segment,
        treated=arms[0],
        held_out=arms[1],
        treated_rate=_mean(bought[treated]),
        held_out_rate=_mean(bought[~treated]),
        lift=rate_difference(outcomes.bought, treated, outcomes.expectations, confidence),
        margin=money_difference(outcomes.margin, outcomes.bought, treated, outcomes.expectations, confidence),
        margin_afterwards=_afterwards(outcomes, confidence),
        sample_ratio_p=sample_ratio_p(arms, outcomes.treatment_share, outcomes.planned_arm_sizes),
    )


def _afterwards(outcomes: Outcomes, confidence: float) -> Difference:
    later = outcomes.margin_afterwards
    if later is None or np.isnan(later).any():
        return UNKNOWN
    return money_difference(later, later > 0, outcomes.is_treated, outcomes.expectations, confidence)


def rate_difference(
    bought: Flags, is_treated: Flags, expectations: Floats, confidence: float = CONFIDENCE
) -> Difference:
    """The effect on the share of customers who bought. With small counts, one buyer and one non-buyer are added to each
    arm (Agresti and Caffo), because the usual interval is too narrow."""
    arms = [bought[is_treated], bought[~is_treated]]
    if not all(len(arm) for arm in arms):
        return UNKNOWN
    if min(min(arm.sum(), (~arm).sum()) for arm in arms) >= MIN_PER_ARM_FOR_RATES:
        return adjusted_difference(bought.astype(float), is_treated, expectations, confidence)
    sizes = np.array([len(arm) + 2 for arm in arms])
    rates = np.array([arm.sum() + 1 for arm in arms]) / sizes
    width = float(stats.norm.ppf((1 + confidence) / 2)) * sqrt(float((rates * (1 - rates) / sizes).sum()))
    middle = float(rates[0] - rates[1])
    mean = _mean(arms[0].astype(float)) - _mean(arms[1].astype(float))
    return Difference(mean, min(middle - width, mean), max(middle + width, mean))


def money_difference(
    money: Floats, bought: Flags, is_treated: Flags, expectations: Floats, confidence: float = CONFIDENCE
) -> Difference:
    """The effect on margin per customer, with the largest amounts evened out; unknown where an arm has too few buyers
    to estimate its variance."""
    if min(int(bought[is_treated].sum()), int(bought[~is_treated].sum())) < MIN_BUYERS_PER_ARM:
        return UNKNOWN
    return adjusted_difference(even_out_largest(money, bought), is_treated, expectations, confidence)


def even_out_largest(money: Floats, bought: Flags) -> Floats:
    """The largest amounts, of LARGEST of the buyers of both arms, replaced by their mean.

    It matters how many of them an arm has, and not which: a single huge order in one arm is no effect of the campaign.
    The total stays. What the campaign changes in the size of the largest orders alone is not seen."""
    buyers = np.flatnonzero(bought)
    largest = max(MIN_LARGEST, ceil(LARGEST * len(buyers)))
    if len(buyers) <= largest:
        return money
    border = np.partition(money[buyers], -largest)[-largest]
    evened = np.array(money, dtype=np.float64)
    is_large = bought.astype(bool) & (money >= border)
    evened[is_large] = evened[is_large].mean()
    return evened


def adjusted_difference(
    outcome: Floats, is_treated: Flags, expectations: Floats, confidence: float = CONFIDENCE
) -> Difference:
    """treated − control group, adjusted for what the model expected of each arm.

    CUPED, in Lin's form: in each arm a regression of the outcome on what the model expected at launch, which cannot
    depend on the arm; both regressions predict for all customers. The difference is unbiased even if the model is
    wrong; the better the model, the narrower the interval. (Deng et al., WSDM 2013; Lin, Annals of Applied Statistics
    2013.)"""
    arms, expected = (is_treated, ~is_treated), _standardised(expectations)
    if min(int(arm.sum()) for arm in arms) < MIN_PER_ARM_TO_ADJUST:
        expected = expected[:, :0]
    means, variances, slopes, degrees = [], [], [], []
    for arm in arms:
        x, y = np.column_stack([np.ones(int(arm.sum())), expected[arm]]), outcome[arm]
        if len(y) < 2:
            return UNKNOWN
        solved = np.linalg.pinv(x)  # least squares: slopes = solved @ y
        slope = solved @ y
        means.append(float(slope[0]))  # for an average customer: expectations are centred on all
        slopes.append(slope[1:])
        # leave-one-out residuals (HC3): valid also where the variance differs
        left_out = (y - x @ slope) / np.maximum(1 - np.einsum("ij,ji->i", x, solved), 1e-9)
        variances.append(float(((solved[0] * left_out) ** 2).sum()))
        degrees.append(len(y) - x.shape[1])
    # effects that depend on the expectation: which customers are in the campaign is random too
    of_customers = float((expected @ (slopes[0] - slopes[1])).var() / len(outcome))
    error = sqrt(sum(variances) + of_customers)
    freedom = sum(variances) ** 2 / max(sum(v**2 / d for v, d in zip(variances, degrees, strict=True)), 1e-300)
    width = float(stats.t.ppf((1 + confidence) / 2, max(freedom, 1.0))) * error
    mean = means[0] - means[1]
    return Difference(mean, mean - width, mean + width)


def sample_ratio_p(
    arms: tuple[int, int], treatment_share: float, planned_arm_sizes: tuple[int, int] | None = None
) -> float:
    """The probability of arms (treated, control group) at least as uneven as these if every customer was treated with
    this probability and, where the planned sizes are known, if the customers missing since then are missing at
    random."""
    if not sum(arms):
        return nan
    p = float(stats.binomtest(arms[0], sum(arms), treatment_share).pvalue)
    if planned_arm_sizes is None or planned_arm_sizes == arms:
        return p
    gone = [max(before - now, 0) for before, now in zip(planned_arm_sizes, arms, strict=True)]
    return min(1.0, 2 * min(p, float(stats.fisher_exact([list(arms), gone]).pvalue)))


def _standardised(expectations: Floats) -> Floats:
    """Centred on all customers and scaled; unknown values become the mean, constant columns are dropped."""
    if not len(expectations):
        return expectations
    known = ~np.isnan(expectations)
    count = known.sum(axis=0)
    mean = np.where(known, expectations, 0).sum(axis=0) / np.maximum(count, 1)
    centred = np.where(known, expectations - mean, 0.0)
    spread = centred.std(axis=0)
    return np.asarray(centred[:, spread > 0] / spread[spread > 0])


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else nan
