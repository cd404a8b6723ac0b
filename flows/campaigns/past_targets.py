"""Targets of past campaigns, to which the uplift model is fitted."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.campaigns.covariates import Flags, Floats, Ints, Known, numbers

MIN_TARGETS_PER_ARM = 200
MIN_PURCHASES_PER_ARM = 20


@dataclass(frozen=True)
class PastTargets:
    """Targets of past campaigns. customer: a number for each. stratum: a number for each group in which arms
    were drawn. weight: inverse of the chance of the arm."""

    known: Known
    customer: Ints
    stratum: Ints
    treated: Flags
    share: Floats
    purchased: Flags
    spend: Floats

    @classmethod
    def of(cls, history: pa.Table) -> Self:
        ordered = history.sort_by([("campaign", "ascending"), ("customer_id", "ascending")])
        share = numbers(ordered, "treatment_share")
        by_chance = (share > 0) & (share < 1)
        arms = pc.is_in(ordered.column("arm"), pa.array(["treated", "holdout"])).to_numpy()
        rows = ordered.filter(pa.array(by_chance & arms))
        ids = rows.column("customer_id").combine_chunks().dictionary_encode()
        return cls(
            known=Known.of(rows),
            customer=np.asarray(ids.indices.to_numpy(zero_copy_only=False), dtype=np.int64),
            stratum=_strata(rows),
            treated=pc.equal(rows.column("arm"), "treated").to_numpy(),
            share=numbers(rows, "treatment_share"),
            purchased=rows.column("purchased").to_numpy().astype(bool),
            spend=np.nan_to_num(numbers(rows, "spend")),
        )

    @property
    def weight(self) -> Floats:
        return 1 / np.where(self.treated, self.share, 1 - self.share)

    def where(self, chosen: Flags) -> "PastTargets":
        return PastTargets(
            self.known.where(chosen), self.customer[chosen], self.stratum[chosen], self.treated[chosen],
            self.share[chosen], self.purchased[chosen], self.spend[chosen],
        )  # fmt: skip

    def missing(self) -> str:
        """What is missing to fit a model; empty if there is enough."""
        if not len(self.treated):
            return "No campaign with a holdout has ended yet."
        for arm, chosen in (("contacted", self.treated), ("in the control group", ~self.treated)):
            targets, bought = int(chosen.sum()), int(self.purchased[chosen].sum())
            if targets < MIN_TARGETS_PER_ARM:
                return (
                    f"Of past campaigns' targets {targets:,} were {arm} by chance; to estimate who is worth contacting"
                    f" {MIN_TARGETS_PER_ARM} are needed. Contact by chance, with a holdout, and measure."
                )
            if not MIN_PURCHASES_PER_ARM <= bought <= targets - MIN_PURCHASES_PER_ARM:
                return (
                    f"{bought:,} of the {targets:,} past targets who were {arm} bought within the window; to estimate"
                    f" who is worth contacting, at least {MIN_PURCHASES_PER_ARM} must have bought and as many not."
                    " A longer window or more targets may help."
                )
        return ""


def _strata(rows: pa.Table) -> Ints:
    names = [name for name in ("campaign", "stratum", "treatment_share") if name in rows.column_names]
    keys = pc.binary_join_element_wise(*(pc.fill_null(pc.cast(rows[name], pa.string()), "") for name in names), "\n")
    return np.asarray(keys.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False), dtype=np.int64)
