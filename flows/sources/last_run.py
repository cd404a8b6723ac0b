"""Whether the orders that were just read are those of the shop whose tables are there from the last run."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.sources.receipt import Breach

MIN_PURCHASES = 50  # below that, shares say little
MIN_CUSTOMERS = 20
MIN_SHARE_OF_CUSTOMERS_AND_DAYS = 0.05
MIN_SHARE_OF_DAYS_AND_AMOUNTS = 0.7  # customers may be read differently now; shops share some days and prices by chance
MIN_SHARE_OF_CUSTOMERS = 0.02
MIN_SHARE_OF_TOTALS = 0.3


@dataclass(frozen=True)
class Overlap:
    """What the last run knew, and the orders read now still have. Purchases are of a customer on a day, in the time
    that the orders read now span: `same_customer` and `same_amount` of them have their customer, or their amount, on
    that day now. `seen_again`: customers of the last run who are among the `customers` of now; `same_total`: those of
    them who bought for the same amount in all."""

    purchases: int
    same_customer: int
    same_amount: int
    customers_before: int
    customers: int
    seen_again: int
    same_total: int

    @property
    def is_of_another_shop(self) -> bool:
        """Whether hardly anything of the last run is there."""
        fewer = min(self.customers_before, self.customers)
        if self.same_total >= MIN_SHARE_OF_TOTALS * fewer:  # the days may be read differently now
            return False
        if self.purchases >= MIN_PURCHASES:
            return (
                self.same_customer < MIN_SHARE_OF_CUSTOMERS_AND_DAYS * self.purchases
                and self.same_amount < MIN_SHARE_OF_DAYS_AND_AMOUNTS * self.purchases
            )
        return fewer >= MIN_CUSTOMERS and self.seen_again < MIN_SHARE_OF_CUSTOMERS * fewer


def other_shop(overlap: Overlap | None) -> Iterator[Breach]:
    """That the orders read now are of another shop, as a reason to stop."""
    if overlap is not None and overlap.is_of_another_shop:
        yield Breach(
            "other_shop",
            f"hardly any of the {overlap.customers_before:,} customers and their orders of the last run are there:"
            " these orders are of another shop, or read in quite another way. Each shop needs a place of its own:"
            " another DATA_DIR= (on Snowflake, SNOWFLAKE_DATABASE).",
        )
