"""Who to contact, on a real experiment: Hillstrom's e-mail challenge of 2008, of which a random half is used here.

Customers who had bought within a year got a mail with men's goods, one with women's, or none, by lot. The uplift model
of this project, and others, rank them out of fold by what each mail changes in visits; counted is how many more visits
per 100 customers the mail caused among the first 10, 20 and 30 % of the ranking of each fold: the level of a fit is
low by chance where its own fold's is high, so folds are not ranked against each other. A standard error of these is
1.0 to 1.5. The file is not part of the project (no licence is stated): `HILLSTROM=` names it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from threadpoolctl import threadpool_limits

from flows.campaigns.covariates import COVARIATES, Columns, Flags, Floats, Ints, Known
from flows.campaigns.out_of_fold import ONE_SIDED_95, OutOfFold
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.randomisation import LEVEL, randomisation_p
from flows.campaigns.response_fit import FOLDS, Contest, Fit
from flows.settings import REPOSITORY
from tests.benchmarks.measured import Figure

FILE = Path(os.environ.get("HILLSTROM", REPOSITORY.parent / "shared" / "data" / "hillstrom_half.csv.gz"))
PEERS, PEER = Path(sys.prefix) / "uplift" / "bin" / "python", Path(__file__).with_name("peers") / "uplift_econml.py"
MAILS = {"women's mail": "Womens E-Mail", "men's mail": "Mens E-Mail"}
NONE = "No E-Mail"
FIRST = (0.1, 0.2, 0.3)
GOALS = {"women's mail": {0.2: 7.0, 0.3: 7.0}, "men's mail": {0.1: 12.0}}  # additional visits per 100 contacted
DIVISIONS = 6  # into folds, over which figures are averaged
HISTORIES, TARGETS, WINDOW_DAYS = 100, 8_000, 14
OWN = (
    "mens",
    "womens",
    "categories_bought",
    "newbie",
    "zip_code",
)  # what this shop has beyond the covariates of every shop


def measure(folder: Path) -> Iterator[Figure]:
    if not FILE.is_file():
        yield Figure("hillstrom", "not measured", f"needs the file {FILE.name}: HILLSTROM=")
        return
    table = pa.csv.read_csv(FILE)
    for name, mail in MAILS.items():
        with threadpool_limits(1, "blas"):
            yield from _of_mail(table, name, mail, folder)
    with threadpool_limits(1, "blas"):
        yield _which_for_whom(table)


def _which_for_whom(table: pa.Table) -> Figure:
    """Whether choosing the mail for each customer, out of fold, brings more than the better mail for everybody."""
    fold = np.random.default_rng(0).permutation(len(table)) % FOLDS
    everybody = Known.of(_known(table), WINDOW_DAYS)
    effects = np.empty((len(MAILS), len(table)))
    for place, mail in enumerate(MAILS.values()):
        received = np.isin(table["treatment"].to_numpy(), [mail, NONE])
        for part in range(FOLDS):
            past = PastTargets.of(history(table.filter(pa.array(received & (fold != part))), mail))
            columns, once, own = Columns.of(past.known), np.ones(len(past.treated)), fold == part
            stack = Contest.of(past, np.random.default_rng(part)).stack(once)
            fitted, known = Fit.of(columns.matrix(past.known), past, once, stack), everybody.where(own)
            effects[place, own] = fitted.additional_spend(columns.matrix(known), known)
    visits, got = table["visit"].to_numpy().astype(float), table["treatment"].to_numpy()
    nobody = visits[got == NONE].mean()
    single = {name: 100 * (visits[got == mail].mean() - nobody) for name, mail in MAILS.items()}
    chosen = np.array(list(MAILS.values()), dtype=object)[effects.argmax(axis=0)]
    followed = got == chosen
    value, error = 100 * (visits[followed].mean() - nobody), 100 * visits[followed].std() / np.sqrt(followed.sum())
    return Figure(
        "additional visits per 100 contacted, when each customer gets the mail that is expected to change more",
        f"{value:.1f} ± {error:.1f}",
        " · ".join(f"{name} for everybody {gain:.1f}" for name, gain in single.items())
        + f"; {np.mean(effects.argmax(axis=0) == 0):.0%} would get the women's mail",
    )


def _of_mail(table: pa.Table, name: str, mail: str, folder: Path) -> Iterator[Figure]:
    rows = history(table, mail)
    past, blind = PastTargets.of(rows), PastTargets.of(rows.drop_columns(["traits"]))
    with_goods, without = (
        [OutOfFold.of(of, np.random.default_rng(n)) for n in range(DIVISIONS)] for of in (past, blind)
    )
    scores = {
        "ours": [one.additional_spend for one in with_goods],
        "ours, without what was bought": [one.additional_spend for one in without],
        "two regressions alone": [one.contacted - one.left_alone for one in with_goods],
    } | {
        of: [score] * DIVISIONS
        for of, score in {
            "most spend first": past.known.covariates["monetary"],
            "longest silence first": past.known.covariates["recency_days"],
            "bought such goods": past.known.covariates["womens" if "women" in name else "mens"],
        }.items()
    }
    folds = [one.fold for one in with_goods]
    gains = {
        of: np.mean([_additional_visits(past, *each) for each in zip(given, folds, strict=True)], axis=0)
        for of, given in scores.items()
    }
    fold = np.random.default_rng(0).permutation(len(past.treated)) % FOLDS
    gains |= {
        of: np.array(_additional_visits(past, score, fold)) for of, score in _of_peers(past, fold, folder).items()
    }
    everybody = _effect(past, np.ones(len(past.treated), dtype=bool))
    others = {of: gain for of, gain in gains.items() if of != "ours"}
    for place, share in enumerate(FIRST):
        goal = GOALS[name].get(share)
        yield Figure(
            f"{name}: additional visits per 100 contacted, first {share:.0%} of {len(past.treated):,} out of fold",
            f"{gains['ours'][place]:.1f}",
            " · ".join(f"{of} {gain[place]:.1f}" for of, gain in others.items()) + f"; everybody {everybody:.1f}",
            f"at least {goal:g}" if goal else "",
            None if goal is None else bool(gains["ours"][place] >= goal),
        )
    bought = {goods: past.known.covariates[f"{goods}s"] == 1 for goods in ("women", "men")}
    groups = {f"{goods}'s goods": own for goods, own in bought.items()} | {"both": bought["women"] & bought["men"]}
    yield Figure(
        f"{name}: additional visits per 100 contacted, of all who had bought such goods",
        f"{_effect(past, bought['women' if 'women' in name else 'men']):.1f}",
        " · ".join(f"{goods} {_effect(past, own):.1f} of {own.mean():.0%}" for goods, own in groups.items()),
    )
    most = bought["women"] if "women" in name else bought["women"] & bought["men"]
    parts = [np.random.default_rng([seed, 1]).choice(len(most), TARGETS, replace=False) for seed in range(HISTORIES)]
    known = sum(_is_clear(past.where(np.isin(np.arange(len(most)), part)), most[np.sort(part)]) for part in parts)
    passed = sum(_p_of_part(rows, part, seed) <= LEVEL for seed, part in enumerate(parts))
    yield Figure(
        f"{name}: says that the ranking beats chance, {HISTORIES} random histories of {TARGETS:,} targets",
        f"{passed} of {HISTORIES}",
        f"one-sided test of whether those who gain most, if it were known who, gain more: {known} of {HISTORIES}",
        f"at least {0.8 * HISTORIES:.0f}",
        passed >= 0.8 * HISTORIES,
    )


def history(table: pa.Table, mail: str) -> pa.Table:
    """Its targets as a campaign's outcomes, a visit being what is wanted, and each worth the same."""
    rows = table.filter(pa.array(np.isin(table["treatment"].to_numpy(), [mail, NONE])))
    n = len(rows)
    happened = {
        "campaign": np.full(n, mail),
        "customer_id": np.array([f"C{row:06d}" for row in range(n)]),
        "arm": np.where(rows["treatment"].to_numpy() == mail, "treated", "holdout"),
        "treatment_share": np.full(n, 0.5),
        "window_days": np.full(n, WINDOW_DAYS),
        "purchased": rows["visit"].to_numpy().astype(bool),
        "spend": rows["visit"].to_numpy().astype(float),
    }
    known = _known(rows)
    return pa.table({name: known[name] for name in known.column_names} | happened)


def _known(table: pa.Table) -> pa.Table:
    """What was known of each customer before, as a campaign's target has it."""
    of, n = {name: np.asarray(table[name].to_numpy()) for name in table.column_names}, len(table)
    unknown = np.full(n, np.nan)
    known = {
        "recency_days": of["recency"] * 30.0,
        "monetary": of["history"],
        "spend_last_365_days": of["history"],
        "average_order_value": np.ones(n),
    }
    of["categories_bought"] = of["mens"] + of["womens"]
    own = [{name: of[name][row].item() if name != "zip_code" else of[name][row] for name in OWN} for row in range(n)]
    return pa.table(
        {
            **{name: known.get(name, unknown) for name in COVARIATES},
            "channel": of["channel"],
            "traits": [json.dumps(traits) for traits in own],
        }
    )


def _additional_visits(past: PastTargets, score: Floats, fold: Ints) -> list[float]:
    """Per 100 contacted, of the first of the ranking of each fold; ties by lot."""
    order = np.lexsort((np.random.default_rng(0).random(len(score)), -score, fold))
    place = np.empty(len(score))
    place[order] = np.concatenate([np.arange(n) / n for n in np.bincount(fold)])
    return [_effect(past, place < share) for share in FIRST]


def _effect(past: PastTargets, chosen: Flags) -> float:
    """Additional visits per 100 contacted."""
    arms = [past.purchased[chosen & arm].mean() for arm in (past.treated, ~past.treated)]
    return 100 * float(arms[0] - arms[1])


def _p_of_part(rows: pa.Table, part: Ints, seed: int) -> float:
    return randomisation_p(PastTargets.of(rows.take(pa.array(np.sort(part)))), np.random.default_rng([seed, 2]))


def _is_clear(past: PastTargets, most: Flags) -> bool:
    """Whether these gain more than the others, by a test of this one difference that was not chosen by looking."""
    rates = [past.purchased[group & arm] for group in (most, ~most) for arm in (past.treated, ~past.treated)]
    more = rates[0].mean() - rates[1].mean() - rates[2].mean() + rates[3].mean()
    return bool(more > ONE_SIDED_95 * np.sqrt(sum(rate.var() / len(rate) for rate in rates)))


def _of_peers(past: PastTargets, fold: Ints, folder: Path) -> dict[str, Floats]:
    """Learners of econml, in an environment of its own; none where that is not installed."""
    if not PEERS.is_file():
        return {}
    matrix = Columns.of(past.known).matrix(past.known)
    given, answer = folder / "given.npz", folder / "answer.npz"
    np.savez(given, matrix=matrix, treated=past.treated, outcome=past.purchased.astype(float), fold=fold)
    subprocess.run([PEERS, PEER, given, answer], check=True)
    return dict(np.load(answer).items())
