"""What agents get: figures by name, with date, the intervals that are known, and how right such figures have been."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

By = Literal["segment", "lifecycle", "risk_band", "country", "channel"]
Verdict = Literal["measured", "withheld", "cannot be known"]


class Estimate(BaseModel):
    """An amount or a share; `low` and `high` are the ends of its interval."""

    value: float | None
    low: float | None = None
    high: float | None = None
    chance: float | None = Field(default=None, description="that the truth is between low and high")
    uncorrected: float | None = Field(
        default=None, description="without the correction by what past forecasts were off"
    )
    about_interval: str | None = Field(default=None, description="what the interval is of, or why there is none")


class KeptPromises(BaseModel):
    """What was promised at the time and what came, of the newest promises of one kind that have come due."""

    kind: str
    promises: int
    promised: float
    came: float
    says: str


class Realised(BaseModel):
    """How well the probabilities of a past run held, once their horizon had passed."""

    as_of: date
    measure: str
    value: float
    limit: float | None
    customers: int | None
    is_beyond_limit: bool


class HowRight(BaseModel):
    """How right such figures have been in this shop."""

    says: str
    promises: list[KeptPromises]
    predictions: list[Realised]
    held_out: dict[str, float] | None = Field(
        description="quality of the model on dates held out of its training; null: it was never tested on this shop"
    )


class Answer(BaseModel):
    """What every answer has."""

    as_of: date = Field(description="Figures are as known at the end of this day.")
    horizon_days: int = Field(description="Churn is no purchase within so many days after as_of.")
    clv_days: int | None
    currency: str | None
    model_version: str | None
    how_right: HowRight
    meanings: dict[str, str] = Field(description="What each figure means, as in the shop's documentation.")
    caveats: list[str]


class Group(BaseModel):
    """Sums of the customers of a segment, stage of the lifecycle, risk band, country or channel."""

    name: str | None
    definition: str | None = None
    customers: int
    spend_last_365_days: float | None
    expected_spend: float | None
    expected_loss: float | None
    clv: float | None
    mean_churn_probability: float | None


class Groups(Answer):
    by: By
    groups: list[Group]
    customers: int
    expected_spend: Estimate
    expected_loss: Estimate
    clv: Estimate


class Score(BaseModel):
    """What a past run said of the customer."""

    as_of: date
    lifecycle: str | None
    churn_probability: float | None
    expected_spend: float | None
    expected_loss: float | None


class Order(BaseModel):
    day: date
    net_amount: float


class CampaignOfCustomer(BaseModel):
    campaign: str
    launched_on: date
    arm: str
    sent: str | None = Field(description="what became of the message; null: none was sent")


class Listed(BaseModel):
    """A customer of a queue. `email` is masked unless the owner has set SHOW_PII."""

    customer_id: str
    email: str | None
    queue: str | None
    why: str | None
    segment: str | None
    lifecycle: str | None
    churn_probability: float | None
    expected_loss: float | None
    win_back_value: float | None
    clv: float | None
    next_order_on: date | None
    recommended_action: str | None


class Customers(Answer):
    """Customers of a queue who may be contacted, the largest stakes first."""

    in_queue: int
    customers: list[Listed]


class Customer(Answer):
    """A customer, with reasons and history. `email` is masked unless the owner has set SHOW_PII."""

    customer_id: str
    email: str | None
    may_be_contacted: bool
    consents_to_email: str = Field(description="yes; no: opted out; unknown")
    consents_to_advertising: str = Field(description="yes, no, or unknown, which is no consent")
    segment: str | None
    previous_segment: str | None
    lifecycle: str | None
    risk_band: str | None
    churn_probability: Estimate
    expected_spend: float | None
    expected_loss: float | None
    win_back_value: float | None
    customer_lifetime_value: Estimate
    reasons: list[str]
    queue: str | None
    why: str | None
    recommended_action: str | None
    recency_days: int | None
    frequency: int | None
    monetary: float | None
    spend_last_365_days: float | None
    next_order_earliest_on: date | None
    next_order_on: date | None
    next_order_latest_on: date | None
    country: str | None
    channel: str | None
    scores: list[Score]
    orders: list[Order] | None = Field(description="the newest; null: the role may not read orders")
    campaigns: list[CampaignOfCustomer]


class Promise(BaseModel):
    kind: str
    subject: str
    stated_on: date
    due_on: date
    promised: Estimate
    came: float | None


class Forecast(Answer):
    """What all customers together are expected to spend, and what has become of earlier forecasts."""

    due_on: date
    expected_spend: Estimate
    expected_loss: Estimate
    clv: Estimate
    promises: list[Promise] = Field(description="the newest, also those that are not due yet")


class Effect(BaseModel):
    """Of a campaign on a segment, one of its variants, or all of its targets; intervals of 95 %."""

    segment: str
    treated: int
    held_out: int
    additional_buyers: Estimate
    incremental_revenue: Estimate
    profit: Estimate
    cost: float | None


class Campaign(BaseModel):
    campaign: str
    offer: str
    launched_on: date
    window_ends_on: date
    treated: int
    held_out: int
    promised_profit: Estimate
    verdict: Verdict
    says: str
    needed: str | None = Field(description="what it would take to know")
    effects: list[Effect]


class Campaigns(Answer):
    launched: int
    campaigns: list[Campaign] = Field(description="the newest")


class DidItHelp(Answer):
    verdict: Verdict
    says: str
    needed: str | None = Field(description="what it would take to know")
    campaign: Campaign | None


class Preview(Answer):
    """What a campaign would do. Nothing was written or sent, and it cannot be launched from here."""

    campaign: str
    audience: int
    excluded: dict[str, int]
    to_contact: int
    control_group: int
    chosen_by: str
    expected_cost: float
    highest_cost: float
    expected_profit: Estimate = Field(description="corrected by what came of earlier promises")
    profit_without_correction: float | None
    buyers_without_it: float = Field(description="share of the customers who would buy within the window anyway")
    detectable_effect: float | None = Field(
        description="the smallest difference in the share of buyers that could be shown (80 % chance, 95 % confidence);"
        " null: none, because there is no control group"
    )
    pays_from: float | None = Field(description="difference in the share of buyers from which it pays; null: never")
    can_show_something: bool
    would_be_refused: bool
    says: str
    warnings: list[str]


class Changes(Answer):
    """What is different since an earlier run, that of `since`."""

    since: date
    customers: int
    new: int
    slipped: int = Field(description="slipping or gone now, and neither then")
    came_back: int = Field(description="slipping or gone then, and neither now")
    left: int = Field(description="gone now, and not then")
    expected_loss: float
    expected_loss_then: float
    expected_loss_of_slipped: float
    campaigns_ended: list[Campaign]
    promises_come_due: list[Promise]
