"""T- and DR-learner of econml with boosted trees and their usual settings, out of fold: `given.npz answer.npz`."""

import sys

import numpy as np
from econml.dr import DRLearner
from econml.metalearners import TLearner
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LassoCV, LogisticRegression


def main(given: str, answer: str) -> None:
    data = np.load(given)
    matrix, treated, outcome, fold = (data[name] for name in ("matrix", "treated", "outcome", "fold"))
    treated = treated.astype(int)
    learners = {
        "T-learner (econml, boosted trees)": lambda: TLearner(
            models=HistGradientBoostingRegressor(max_depth=3, random_state=0)
        ),
        "DR-learner (econml, boosted trees, lasso)": lambda: DRLearner(
            model_propensity=LogisticRegression(max_iter=500),
            model_regression=HistGradientBoostingClassifier(max_depth=3, random_state=0),
            model_final=LassoCV(),
            discrete_outcome=True,
            random_state=0,
        ),
    }
    found = {}
    for name, learner in learners.items():
        found[name] = np.empty(len(matrix))
        for part in np.unique(fold):
            own, others = fold == part, fold != part
            fitted = learner()
            fitted.fit(outcome[others], treated[others], X=matrix[others])
            found[name][own] = np.ravel(fitted.effect(matrix[own]))
    np.savez(answer, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
