"""Which content for whom: a campaign with variants sends each customer one of several contents.

Until campaigns with these variants have ended, the variant is drawn by lot. Then an uplift model is fitted to each, and
each customer gets the variant with the highest expected profit, where that pays: what choosing brings over the best
single variant is measured on past targets that no model was fitted to. Else everybody gets that one."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.campaigns.assignment import draws, rank_within, strata_of
from flows.campaigns.covariates import Columns, Flags, Floats, Known, numbers
from flows.campaigns.definition import Campaign
from flows.campaigns.offer import Offer
from flows.campaigns.out_of_fold import Interval
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.response_fit import FOLDS, Contest, Fit
from flows.campaigns.transfer import AS_LEARNT, Transfer
from flows.campaigns.uplift import Estimate, InsufficientData, Uplift, fit_uplift

VARIANT, SHARE = "variant", "variant_share"


def by_lot(campaign: Campaign, customers: pa.Table) -> pa.Table:
    """The customers with the variant of each, as often in every segment and risk band, and the chance that they had of
    getting it. Both are NULL without variants."""
    names, n = list(campaign.offers), len(customers)
    if not names:
        return _with(customers, pa.nulls(n, pa.string()), pa.nulls(n, pa.float64()))
    ids = customers["customer_id"].to_numpy()
    place, _ = rank_within(strata_of(customers), draws(f"{campaign.name}, variant", ids))
    return _with(customers, pa.array(np.array(names, dtype=object)[place % len(names)]), np.full(n, 1 / len(names)))


def _with(customers: pa.Table, variant: pa.Array, share: pa.Array | Floats) -> pa.Table:
    others = customers.drop_columns([name for name in (VARIANT, SHARE) if name in customers.column_names])
    return others.append_column(VARIANT, variant).append_column(SHARE, pa.array(share, pa.float64()))


def cost(campaign: Campaign, customers: pa.Table, chance: Floats) -> Floats:
    """Of contacting each, [n], with its variant. chance: of a purchase if contacted."""
    total, variant = np.asarray(campaign.offer.cost(chance)), customers[VARIANT].to_numpy()
    for name, offer in campaign.offers.items():
        total = np.where(variant == name, offer.cost(chance), total)
    return total


def targets_of(variant: str, targets: pa.Table) -> pa.Table:
    """Targets to compare: the treated who got the variant, and everyone in the control group who might have: who would
    have got it, and where it was drawn by lot, all. treatment_share becomes the chance of this variant."""
    has_it, is_treated = pc.equal(targets[VARIANT], variant), pc.equal(targets["arm"], "treated")
    is_by_lot = pc.less(targets[SHARE], 1.0)
    of_these = pc.unique(targets.filter(has_it)["campaign"])
    might = pc.and_(pc.is_in(targets["campaign"], of_these), pc.or_(has_it, pc.and_(is_by_lot, pc.invert(is_treated))))
    rows = targets.filter(pc.fill_null(might, False))
    share, of_variant = numbers(rows, "treatment_share"), numbers(rows, SHARE)
    position = rows.column_names.index("treatment_share")
    return rows.set_column(
        position, "treatment_share", pa.array(share * of_variant / (share * of_variant + 1 - share), pa.float64())
    )


def to_measure(variant: str, targets: pa.Table) -> pa.Table:
    """Targets of one campaign to compare: where every variant was drawn by lot those of `targets_of`, else the treated
    who got it and the control group that would have. With some by lot and some chosen, all of the control group would
    be too many of those by lot."""
    is_mixed = pc.any(pc.equal(targets[SHARE], 1.0)).as_py()
    return targets.filter(pc.equal(targets[VARIANT], variant)) if is_mixed else targets_of(variant, targets)


@dataclass(frozen=True)
class VariantUplift:
    """An uplift model of each variant. single: the best for everybody. gain: profit per customer of choosing for each
    over sending `single` to all. targets: past ones on which that was measured."""

    of: Mapping[str, Uplift]
    offers: Mapping[str, Offer]
    single: str
    gain: Interval
    targets: int
    transfer: Transfer = AS_LEARNT

    @property
    def chooses(self) -> bool:
        """Whether choosing for each customer is better than the single variant, by more than chance."""
        return self.gain.low > 0

    @property
    def beats_random(self) -> bool:
        """Whether ranking customers is better than lots."""
        return any(one.beats_random for one in self.of.values()) if self.chooses else self.of[self.single].beats_random

    @property
    def why(self) -> str:
        figures = (
            f"{self.gain.mean:+.2f} of profit per customer on {self.targets:,} past targets (90 % interval"
            f" {self.gain.low:+.2f} to {self.gain.high:+.2f})"
        )
        if self.chooses:
            return f"Each gets the variant that is expected to bring most: over {self.single} for everybody, {figures}."
        return (
            f"Everybody gets {self.single}: choosing for each customer does not clearly add to it, {figures}."
            f" {self.of[self.single].why}"
        )

    def assigned(self, campaign: Campaign, customers: pa.Table) -> pa.Table:
        """The customers with the variant of each."""
        variant = np.full(len(customers), self.single, dtype=object)
        if self.chooses:
            profits = [
                one.expected_profit(customers, campaign.margin, self.offers[name], campaign.window_days).mean
                for name, one in self.of.items()
            ]
            variant = np.array(list(self.of), dtype=object)[np.argmax(profits, axis=0)]
        return _with(customers, pa.array(variant, pa.string()), np.ones(len(customers)))

    def expected_profit(self, customers: pa.Table, margin: float, offer: Offer, window_days: int) -> Estimate:
        """Of each customer with the variant that they have; `offer` is that of each variant."""
        del offer
        figures = np.empty((4, len(customers)))
        for name, rows in self._groups(customers):
            part = customers.filter(pa.array(rows))
            figures[:, rows] = astuple(self.of[name].expected_profit(part, margin, self.offers[name], window_days))
        return Estimate(*figures)

    def profit_of_list(self, customers: pa.Table, margin: float, offer: Offer, window_days: int) -> Interval:
        """Of all of these customers together, with the variants that they have. Control groups are shared, so errors
        are added as if they were the same."""
        del offer
        parts = [
            self.of[name].profit_of_list(customers.filter(pa.array(rows)), margin, self.offers[name], window_days)
            for name, rows in self._groups(customers)
        ]
        return reduce(lambda a, b: Interval(a.mean + b.mean, a.low + b.low, a.high + b.high), parts)

    def _groups(self, customers: pa.Table) -> Iterator[tuple[str, Flags]]:
        variant = customers[VARIANT].to_numpy()
        for name in self.of:
            if (rows := variant == name).any():
                yield name, rows


def fit_variants(history: pa.Table, campaign: Campaign, seed: int = 0) -> VariantUplift | InsufficientData:
    """`history`: rows as `fit_uplift` takes them, with variant and variant_share. Learnt is from variants of the same
    names."""
    offers, of = campaign.offers, dict[str, Uplift]()
    rows = _drawn_by_lot(history, tuple(offers))
    if not len(rows):
        return InsufficientData(f"No campaign with the variants {', '.join(offers)} by lot has ended yet.")
    for name in offers:
        fitted = fit_uplift(targets_of(name, history), seed)
        if isinstance(fitted, InsufficientData):
            return InsufficientData(f"{name}: {fitted.why}")
        of[name] = fitted
    honest, chosen, customer = _honest_profits(rows, campaign, np.random.default_rng(seed))
    best = int(honest.mean(axis=1).argmax())
    gain = np.where(chosen == best, 0.0, np.take_along_axis(honest, chosen[None], axis=0)[0] - honest[best])
    by_customer = np.bincount(customer, gain - gain.mean())
    error = float(np.sqrt((by_customer**2).sum())) / len(gain)
    return VariantUplift(of, offers, list(offers)[best], Interval.of(float(gain.mean()), error), len(gain))


def _drawn_by_lot(history: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """Targets of campaigns with exactly these variants, that each of them might have got."""
    rows = history.filter(pc.fill_null(pc.less(history[SHARE], 1.0), False))
    rows = rows.filter(pc.is_in(rows["arm"], pa.array(["treated", "holdout"])))
    sent = rows.group_by("campaign").aggregate([(VARIANT, "distinct")]).to_pylist()
    those = [row["campaign"] for row in sent if set(row[f"{VARIANT}_distinct"]) == set(names)]
    return rows.filter(pc.is_in(rows["campaign"], pa.array(those, pa.string())))


def _honest_profits(
    rows: pa.Table, campaign: Campaign, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.intp], NDArray[np.int64]]:
    """Of n past targets the doubly robust profit of each variant, [variants, n], the variant that models fitted to
    other customers choose, and the customer, [n] each."""
    everybody = PastTargets.of(rows := rows.sort_by([("campaign", "ascending"), ("customer_id", "ascending")]))
    fold = rng.permutation(int(everybody.customer.max()) + 1)[everybody.customer] % FOLDS
    known = Known.of(rows, float(campaign.window_days))
    variant, of_variant = rows[VARIANT].to_numpy(), numbers(rows, SHARE)
    predicted, honest = (np.empty((len(campaign.offers), len(fold))) for _ in range(2))
    for n, (name, offer) in enumerate(campaign.offers.items()):
        got_it = everybody.treated & (variant == name)
        paid = np.where(got_it, offer.cost(everybody.purchased), 0.0)
        observed = campaign.margin * everybody.spend - paid
        sign = np.where(got_it, 1 / (everybody.share * of_variant), 0.0) - ~everybody.treated / (1 - everybody.share)
        for part in range(FOLDS):
            own = fold == part
            past = PastTargets.of(targets_of(name, rows.filter(pa.array(~own))))
            columns, once = Columns.of(past.known), np.ones(len(past.treated))
            fit = Fit.of(columns.matrix(past.known), past, once, Contest.of(past, rng).stack(once))
            of_own = known.where(own)
            matrix = columns.matrix(of_own)
            profit = fit.profit(matrix, of_own, campaign.margin, offer)
            alone = campaign.margin * fit.basket(of_own) * fit.chances(matrix)[1]
            expected = alone + np.where(got_it[own], profit, 0.0)
            predicted[n, own] = profit
            honest[n, own] = profit + sign[own] * (observed[own] - expected)
    return honest, predicted.argmax(axis=0), everybody.customer
