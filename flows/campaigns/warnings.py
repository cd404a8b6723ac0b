"""What speaks against a campaign as it is planned, so that each reader can say it in their own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.errors import BadInput

Code = Literal[
    "expected_to_lose",  # loss: in the shop's currency; is_sure: by the whole interval; is_to_learn: it is meant
    "may_lose",  # loss: at the lower end of the interval
    "no_control_group",
    "shows_nothing",  # detectable_lift, holdout: shares; customers_needed
    "cannot_pay",
    "other_offer",  # learnt_from: offers; sent: an offer; ratio: of their worth, None where that cannot be compared
    "other_season",  # learnt_on: days; launched_on
    "too_old",  # as_of, age_days, max_age_days
]


@dataclass(frozen=True)
class PlanWarning:
    """`text`: the sentence of the terminal, in English and in terms of the campaign's file. `values`: what it names, as
    said beside its code."""

    code: Code
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


class LaunchRefused(BadInput):
    """A campaign is not launched because of a warning."""

    def __init__(self, message: str, warning: PlanWarning) -> None:
        super().__init__(message)
        self.warning = warning
