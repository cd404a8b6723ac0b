"""What customers are shown next, in the summary of a run."""

from collections.abc import Iterable

from flows.adapters.marts.next_products import ShownNext
from flows.console.amounts import percent


def describe_next_products(shown: ShownNext) -> Iterable[str]:
    """How many are shown how much, by which method, and how good it was on a date that chose nothing."""
    what = "categories" if shown.by_category else "products"
    yield (
        f"up to five {what} for {shown.customers:,} of {shown.reachable:,} customers who can be reached"
        f" (marts.next_products), by {shown.chosen.method.name}"
    )
    if shown.by_category:
        yield "products are too many for their buyers or change too fast, so their categories are ranked"
    quality = shown.chosen.quality
    if quality is None:
        yield "too few have bought again for a test: how good that is is not known yet"
        return
    others = ", ".join(
        f"{percent(other.recall_at_5)} by {name}"
        for name, other in shown.chosen.beside.items()
        if name != shown.chosen.method.name
    )
    yield (
        f"as of {shown.tested_on}, a date that chose no method, five held {percent(quality.recall_at_5)} of the next"
        f" basket of {quality.customers:,} customers ({others}); ten held {percent(quality.recall_at_10)}, and"
        f" NDCG@10 was {quality.ndcg_at_10:.3f}"
    )
