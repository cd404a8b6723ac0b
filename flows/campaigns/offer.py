"""What a campaign offers, and what that costs."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Money = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, strict=True)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


OfferKind = Literal["message", "amount_off", "percent_off", "free_delivery", "gift"]
_WITHOUT_VALUE, _BY_VALUE = ("message",), ("amount_off", "percent_off")


class Offer(Strict):
    """The offer and its cost in the shop's currency: per customer contacted, and per contacted customer who buys within
    the window (a voucher, a gift).

    kind and value: what it is and what it is worth to the customer, in the shop's currency, or in percent of an order
    (15) for percent_off. Campaigns learn from those with the same offer."""

    text: str = Field(min_length=1, max_length=500)
    kind: OfferKind | None = None
    value: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False, strict=True)] | None = None
    cost_per_contact: Money = 0.0
    cost_per_redemption: Money = 0.0

    def cost(self, chance_of_purchase: Any) -> Any:
        """The expected cost of contacting customers with these probabilities of a purchase within the window."""
        return self.cost_per_contact + self.cost_per_redemption * chance_of_purchase

    def describe(self) -> str:
        """Its kind and value; its text where it has no kind."""
        if self.kind is None:
            return f"‘{self.text}’"
        unit = " %" if self.kind == "percent_off" else ""
        return self.kind if self.value is None else f"{self.kind} {self.value:g}{unit}"

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind in _BY_VALUE and self.value is None:
            raise ValueError(f"value: {self.kind} needs what it is worth, such as `value: 5`")
        if self.value is not None and (self.kind is None or self.kind in _WITHOUT_VALUE):
            why = "a message has none" if self.kind else f"say what it is: kind: {', '.join(get_args(OfferKind))}"
            raise ValueError(f"value: {why}")
        if self.kind == "percent_off" and self.value is not None and not 1 <= self.value <= 100:
            raise ValueError("value: of percent_off it is in percent, from 1 to 100: 15 for 15 %")
        return self


class Variant(Strict):
    """One of several contents of a campaign. A cost that is left out is that of the campaign's offer."""

    text: str = Field(min_length=1, max_length=500)
    cost_per_contact: Money | None = None
    cost_per_redemption: Money | None = None

    def of(self, offer: Offer) -> Offer:
        """The offer with what the variant has of its own."""
        return offer.model_copy(update=self.model_dump(exclude_none=True))
