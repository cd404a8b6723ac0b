"""Who to contact, on a real experiment: Hillstrom's e-mail challenge of 2008, of which a random half is used here.

Customers who had bought within a year got a mail with men's goods, one with women's, or none, by lot. The uplift model
of this project, and others, rank them out of fold by what each mail changes in visits; counted is how many more visits
per 100 customers the mail caused among the first 10, 20 and 30 % of the ranking. A standard error of these is 1.0 to
1.5. The file is not part of the project (no licence is stated): `HILLSTROM=` names it.
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

from flows.campaigns.covariates import COVARIATES, Columns, Flags, Floats
from flows.campaigns.out_of_fold import OutOfFold
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.randomisation import LEVEL, randomisation_p
from flows.campaigns.response_fit import FOLDS
from flows.settings import REPOSITORY
from tests.benchmarks.measured import Figure

FILE = Path(os.environ.get("HILLSTROM", REPOSITORY.parent / "shared" / "data" / "hillstrom_half.csv.gz"))
PEERS, PEER = Path(sys.prefix) / "uplift" / "bin" / "python", Path(__file__).with_name("peers") / "uplift_econml.py"
MAILS = {"women's mail": "Womens E-Mail", "men's mail": "Mens E-Mail"}
NONE = "No E-Mail"
FIRST = (0.1, 0.2, 0.3)
GOALS = {"women's mail": {0.2: 7.0, 0.3: 7.0}, "men's mail": {0.1: 12.0}}  # additional visits per 100 contacted
DIVISIONS = 2  # into folds, over which figures are averaged
HISTORIES, TARGETS = 10, 8_000
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


def _of_mail(table: pa.Table, name: str, mail: str, folder: Path) -> Iterator[Figure]:
    rows = history(table, mail)
    past, blind = PastTargets.of(rows), PastTargets.of(rows.drop_columns(["traits"]))
    scores = {
        "ours": [_ours(past, seed) for seed in range(DIVISIONS)],
        "ours, without what was bought": [_ours(blind, seed) for seed in range(DIVISIONS)],
        "most spend first": [past.known.covariates["monetary"]],
        "longest silence first": [past.known.covariates["recency_days"]],
        "bought such goods": [past.known.covariates["womens" if "women" in name else "mens"]],
        **_of_peers(past, folder),
    }
    gains = {of: np.mean([_additional_visits(past, score) for score in given], axis=0) for of, given in scores.items()}
    everybody = 100 * float(past.purchased[past.treated].mean() - past.purchased[~past.treated].mean())
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
    p = [_p_of_part(rows, seed) for seed in range(HISTORIES)]
    passed = sum(value <= LEVEL for value in p)
    yield Figure(
        f"{name}: says that the ranking beats chance, {HISTORIES} random histories of {TARGETS:,} targets",
        f"{passed} of {HISTORIES}",
        "",
        f"at least {0.8 * HISTORIES:.0f}",
        passed >= 0.8 * HISTORIES,
    )


def history(table: pa.Table, mail: str) -> pa.Table:
    """Its targets as a campaign's outcomes, a visit being what is wanted, and each worth the same."""
    of = {name: np.asarray(table[name].to_numpy()) for name in table.column_names}
    chosen = np.isin(of["treatment"], [mail, NONE])
    of = {name: values[chosen] for name, values in of.items()}
    n = int(chosen.sum())
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
            "campaign": np.full(n, mail),
            "customer_id": np.array([f"C{row:06d}" for row in range(n)]),
            "arm": np.where(of["treatment"] == mail, "treated", "holdout"),
            "treatment_share": np.full(n, 0.5),
            "window_days": np.full(n, 14),
            **{name: known.get(name, unknown) for name in COVARIATES},
            "channel": of["channel"],
            "traits": [json.dumps(traits) for traits in own],
            "purchased": of["visit"].astype(bool),
            "spend": of["visit"].astype(float),
        }
    )


def _ours(past: PastTargets, seed: int) -> Floats:
    return OutOfFold.of(past, np.random.default_rng(seed)).additional_spend


def _additional_visits(past: PastTargets, score: Floats) -> list[float]:
    """Per 100 contacted, of the first of a ranking; ties by lot."""
    order = np.lexsort((np.random.default_rng(0).random(len(score)), -score))
    found = []
    for share in FIRST:
        best: Flags = np.zeros(len(score), dtype=bool)
        best[order[: int(share * len(score))]] = True
        arms = [past.purchased[best & arm].mean() for arm in (past.treated, ~past.treated)]
        found.append(100 * float(arms[0] - arms[1]))
    return found


def _p_of_part(rows: pa.Table, seed: int) -> float:
    rng = np.random.default_rng([seed, 1])
    part = rows.take(pa.array(np.sort(rng.choice(len(rows), TARGETS, replace=False))))
    return randomisation_p(PastTargets.of(part), rng)


def _of_peers(past: PastTargets, folder: Path) -> dict[str, list[Floats]]:
    """Learners of econml, in an environment of its own; none where that is not installed."""
    if not PEERS.is_file():
        return {}
    matrix = Columns.of(past.known).matrix(past.known)
    fold = np.random.default_rng(0).permutation(len(matrix)) % FOLDS
    given, answer = folder / "given.npz", folder / "answer.npz"
    np.savez(given, matrix=matrix, treated=past.treated, outcome=past.purchased.astype(float), fold=fold)
    subprocess.run([PEERS, PEER, given, answer], check=True)
    return {name: [scores] for name, scores in np.load(answer).items()}
