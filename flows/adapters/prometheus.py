"""The API's counts in the format of Prometheus."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from functions.churn_api.counts import Counts, Histogram


@dataclass(eq=False)
class ApiMetrics(Collector):
    """`version`: of the model that serves. `waiting`: files of predictions that are not in the warehouse yet."""

    counts: Counts
    version: Callable[[], str]
    waiting: Callable[[], int]

    def as_text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        counts = self.counts
        requests = CounterMetricFamily("churn_requests", "Requests answered", labels=["route", "method", "status"])
        for (route, method, status), number in list(counts.requests.items()):
            requests.add_metric([route, method, str(status)], number)
        yield requests
        seconds = HistogramMetricFamily("churn_request_seconds", "Seconds to an answer", labels=["route"])
        for route, histogram in list(counts.seconds.items()):
            seconds.add_metric([route], _buckets(histogram), histogram.total)
        yield seconds
        predicted = HistogramMetricFamily("churn_probability", "Churn probabilities that were answered")
        predicted.add_metric([], _buckets(counts.churn_probability), counts.churn_probability.total)
        yield predicted
        yield CounterMetricFamily("churn_not_stored", "Predictions answered but not stored", counts.not_stored)
        yield CounterMetricFamily("churn_refused_rows", "Rows of batches that were refused", counts.refused_rows)
        yield GaugeMetricFamily("churn_outbox_files", "Files waiting to be merged", self.waiting())
        model = GaugeMetricFamily("churn_model_info", "The model that serves", labels=["model_version"])
        model.add_metric([self.version()], 1)
        yield model


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds, so_far = [*map(str, histogram.bounds), "+Inf"], 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip(bounds, list(histogram.counts), strict=True):
        so_far += count
        buckets.append((bound, so_far))
    return buckets
