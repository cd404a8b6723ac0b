"""The most probable buy-till-you-die process given histories: its likelihood, with slopes, and what is expected of it.

The likelihood of a history is a sum over when the customer may have left: not yet, with the last purchase, or at one of
the moments in between, which are nodes of a quadrature."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, digamma, gammaln

from flows.churn.gaps import Gaps

Floats = NDArray[np.float64]

# for the moments between the last purchase and today: see moments_of_silence
SILENCE_NODES = 6
SILENCE_STARTS_DAYS = 30.0
# What is expected of a shop before its customers are looked at: the chance of leaving with a purchase as if known from
# LEFT + STAYED of them, and logarithms of how unlike each other they are in that, and of shape and scale of the time
# until they leave in between, the scale in ages of the oldest customer. In a young shop of slow customers silence can
# be slowness alone, and nobody would ever leave. How unlike customers are in leaving with a purchase hardly shows in
# their histories, and is therefore expected to be as usual more narrowly than the rest.
LEFT, STAYED = 2.0, 8.0
USUAL_LOGS = np.log([4.0, 0.5, 1.0])
LOG_SPREADS = np.array([0.3, 1.0, 1.0])
_START = np.log([0.6, 60.0, 0.5, 3.0, 0.5, 300.0])
_BOUNDS = [(-6.0, 8.0)] * 4 + [(-6.0, 4.0), (0.0, 12.0)]


def most_probable(repeats: Floats, last: Floats, age: Floats, gaps: Gaps) -> list[float]:
    """r, alpha, a, b, s, beta of btyd.BuyTillYouDie. Days are those of the shop's clock; [n] each."""
    histories, customers = np.unique(np.column_stack([repeats, last, age]), axis=0, return_counts=True)
    known_repeats, known_last, known_age = histories.T
    likelihood, oldest = Likelihood(known_repeats, known_last, known_age, gaps), max(float(age.max()), 1.0)

    def loss(logs: Floats) -> tuple[float, Floats]:
        of_each, slopes = likelihood(np.exp(logs))
        expected, towards = _expected(logs, oldest)
        total = float(customers @ of_each) + expected
        return -total / len(repeats), -(customers @ slopes + towards) / len(repeats)

    found: list[float] = np.exp(minimize(loss, _START, jac=True, method="L-BFGS-B", bounds=_BOUNDS).x).tolist()
    return found


class Likelihood:
    """Of histories, [n] each; called with the parameters: its logarithms, [n], and their slopes over the logarithms of
    the parameters, [n, 6]."""

    def __init__(self, repeats: Floats, last: Floats, age: Floats, gaps: Gaps) -> None:
        moments, weights = moments_of_silence(last, age, SILENCE_STARTS_DAYS)
        self.repeats, self.last, self.gaps = repeats, last, gaps
        self.left_at = np.column_stack([age, last, moments])
        self.silence = self.left_at - last[:, None]
        self.log_weights = np.log(np.column_stack([np.ones((len(age), 2)), np.maximum(weights, 1e-300)]))
        self.in_between = np.arange(self.left_at.shape[1]) >= 2

    def __call__(self, parameters: Floats) -> tuple[Floats, Floats]:
        r, alpha, a, b, s, beta = parameters
        x, bought, known = self.repeats, r + self.gaps.shape * self.repeats, alpha + self.gaps.shape * self.last
        lifetime = beta + self.left_at
        log_lifetime = np.log(lifetime / beta)
        silent = bought[:, None], known[:, None], self.silence
        each = self.log_weights + self.gaps.silent(*silent) - s * log_lifetime
        each[:, 2:] += np.log(s / lifetime[:, 2:])
        each[:, 1] += np.log(a / (b + x))
        top = each.max(axis=1, keepdims=True)
        share = np.exp(each - top)
        total = share.sum(axis=1, keepdims=True)
        share /= total
        of_each = (top + np.log(total))[:, 0] + betaln(a, b + x + 1) - betaln(a, b)
        of_each += gammaln(bought) - gammaln(r) + r * np.log(alpha) - bought * np.log(known)

        with_purchase, in_between = share[:, 1], share[:, 2:].sum(axis=1)
        both = digamma(a + b) - digamma(a + b + x + 1)
        over_bought, over_known = ((share * of).sum(axis=1) for of in self.gaps.slopes_of_silent(*silent))
        slopes = np.column_stack(
            [
                digamma(bought) - digamma(r) + np.log(alpha) - np.log(known) + over_bought,
                r / alpha - bought / known + over_known,
                both + with_purchase / a,
                both + digamma(b + x + 1) - digamma(b) - with_purchase / (b + x),
                in_between / s - (share * log_lifetime).sum(axis=1),
                s / beta - (share * (s + self.in_between) / lifetime).sum(axis=1),
            ]
        )
        return of_each, slopes * parameters


def moments_of_silence(last: Floats, age: Floats, start_days: float) -> tuple[Floats, Floats]:
    """Moments between the last purchase and today, close together after it, and their weights in an integral;
    [n, SILENCE_NODES] each."""
    nodes, weights = np.polynomial.legendre.leggauss(SILENCE_NODES)
    first = np.log(start_days + last)
    span = np.expand_dims(np.log(start_days + age) - first, (1,))
    known = np.exp(np.expand_dims(first, (1,)) + span * ((nodes + 1) / 2))
    return known - start_days, span * known * (weights / 2)


def _expected(logs: Floats, oldest: float) -> tuple[float, Floats]:
    """Logarithm of the probability of parameters before customers are looked at, up to a constant, and its slopes."""
    _, _, a, b, s, beta = np.exp(logs)
    leaves = a / (a + b)
    unusual = (np.log([a + b, s, beta / oldest]) - USUAL_LOGS) / LOG_SPREADS
    towards = LEFT * (1 - leaves) - STAYED * leaves
    of_a, of_b, *of_s_and_beta = (
        -unusual[[0, 0, 1, 2]] / LOG_SPREADS[[0, 0, 1, 2]] * np.array([leaves, 1 - leaves, 1, 1])
    )
    slopes = np.array([0, 0, towards + of_a, of_b - towards, *of_s_and_beta])
    return float(LEFT * np.log(leaves) + STAYED * np.log1p(-leaves) - (unusual**2).sum() / 2), slopes
