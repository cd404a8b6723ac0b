"""Whether a newly trained model may replace the champion, by customers who could still be kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from flows.churn.backtest import Backtest, HeldOut
from flows.churn.evaluation import MAX_ECE, mean_quality
from flows.churn.selection import mean_by_customer
from functions.churn_api.scorer import Scorer

STANDARD_ERRORS_ALLOWED = 2.0


@dataclass(frozen=True)
class Champion:
    card: Mapping[str, Any]
    scorer: Scorer

    @property
    def trained_as_of(self) -> date:
        return date.fromisoformat(str(self.card["trained_as_of"]))


@dataclass(frozen=True)
class Verdict:
    """`promote`: the new model becomes the champion. `use_new`: it scores this run."""

    promote: bool
    use_new: bool
    why: str


def decide_promotion(
    version: str,
    candidate: str,
    backtest: Backtest,
    as_of: date,
    shop: str,
    champion: Champion | None,
    rejected: Sequence[str],
) -> Verdict:
    """Compares a new model, the chosen `candidate` of `backtest`, with the champion, if there is one."""
    if champion is None:
        return _calibrated_first(candidate, backtest)
    card = champion.card
    asked = backtest.newest.customers
    is_another = card["trained_on"]["shop"] != shop or card["horizon_days"] != asked.horizon_days
    # nothing about the risk differs, so the newer model takes over without a contest
    is_another |= card.get("clv_days") != asked.clv_days
    is_later = champion.trained_as_of > as_of
    if version in rejected:
        return Verdict(False, is_another or is_later, "somebody rolled back from this model")
    if is_another:
        return Verdict(True, True, "the champion was trained for another shop, horizon or CLV_DAYS")
    if is_later:
        return Verdict(
            False, True, f"the champion knows orders until {champion.trained_as_of}; it stays for later runs"
        )
    if version == card["model_version"]:
        return Verdict(True, True, "it is the champion already")
    quality = mean_quality(backtest.qualities[candidate])
    off = excess_calibration_error(quality)
    worse = off > 0 and quality["ece"] > float(card["quality"]["ece"])
    if worse:
        return Verdict(False, False, f"its calibration error is {off:.3f} above what is allowed")
    return _against(champion, candidate, backtest)


def excess_calibration_error(quality: Mapping[str, float]) -> float:
    """By how much the mean calibration error of a model is above what is allowed; above zero: read it with care."""
    return quality["ece"] - MAX_ECE - quality["ece_of_chance"]


def _calibrated_first(candidate: str, backtest: Backtest) -> Verdict:
    quality = mean_quality(backtest.qualities[candidate])
    off, ece = excess_calibration_error(quality), quality["ece"]
    if off > 0:
        warning = f"with a calibration error of {ece:.3f}, above the {ece - off:.3f} that is allowed: read with care"
        return Verdict(True, True, f"it is the first, {warning}")
    return Verdict(True, True, "it is the first")


def _against(champion: Champion, candidate: str, backtest: Backtest) -> Verdict:
    unseen = [h for h in backtest.held_out if _had_not_seen(champion, h)]
    if unseen:
        ids = np.concatenate([h.customers.customer_ids[h.keepable] for h in unseen])
        gains = np.concatenate([_squared_error_gain(champion, candidate, h) for h in unseen])
        gain, error = mean_by_customer(ids, gains)
        where = f"on {len(unseen)} dates that neither was trained on"
    else:
        before = {row["date"]: row["quality"]["brier"] for row in champion.card["held_out"]}
        both = [h for h in backtest.held_out if str(h.day) in before]
        if not both:
            return Verdict(True, True, "there is no date on which both were tested")
        qualities = [h.qualities[candidate] for h in both]
        gain = float(np.mean([before[str(h.day)] - q.brier for h, q in zip(both, qualities, strict=True)]))
        error = float(np.mean([q.brier_standard_error for q in qualities]))
        where = f"on {len(both)} dates on which both were tested before"
    figures = f"{where}, squared errors {_difference(gain)} (± {error:.4f})"
    good_enough = gain >= -STANDARD_ERRORS_ALLOWED * error
    return Verdict(good_enough, good_enough, f"{'not worse' if good_enough else 'worse'} than the champion {figures}")


def _difference(gain: float) -> str:
    return "equal" if abs(gain) < 5e-5 else f"{abs(gain):.4f} {'smaller' if gain > 0 else 'larger'}"


def _had_not_seen(champion: Champion, held_out: HeldOut) -> bool:
    return held_out.day + timedelta(days=held_out.customers.horizon_days) > champion.trained_as_of


def _squared_error_gain(champion: Champion, candidate: str, held_out: HeldOut) -> Any:
    keepable = held_out.keepable
    customers = held_out.customers.where(keepable)
    predicted = champion.scorer.score(customers.features, held_out.days_of_year[keepable]).churn_probability
    return (predicted - customers.churned) ** 2 - (held_out.probability[candidate][keepable] - customers.churned) ** 2
