"""Recommenders of implicit with their usual settings, what was bought included: `given.npz answer.npz`."""

import sys

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from scipy import sparse
from threadpoolctl import threadpool_limits


def main(given: str, answer: str) -> None:
    data = np.load(given)
    shape = int(data["shape"][0]), int(data["shape"][1])
    times = sparse.csr_matrix((data["times"].astype(np.float32), (data["customer"], data["product"])), shape)
    recommenders = {
        "ALS (implicit)": AlternatingLeastSquares(factors=64, random_state=0),
        "BM25 between products (implicit)": BM25Recommender(K=40),
        "cosine between products (implicit)": CosineRecommender(K=40),
    }
    found = {}
    with threadpool_limits(1, "blas"):
        for name, recommender in recommenders.items():
            recommender.fit(times, show_progress=False)
            found[name], _ = recommender.recommend(
                data["customers"], times[data["customers"]], N=10, filter_already_liked_items=False,
                filter_items=data["not_sold"],
            )  # fmt: skip
    np.savez(answer, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
