"""What Prometheus is told of the moment of a scrape: the intensity, where rows wait, who chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from sprout_like.choosing.breaker import OPEN
from sprout_like.exports.labels import Capped
from sprout_like.feed import Live, Subscription
from sprout_like.ledger import SqlLedger

__all__ = ["Standing"]


class Standing:
    """A collector of gauges, read from memory when it is asked; what is unknown has no sample.

    Args:
        live: whose. subscription: its rows' way to the metrics. labels: counted for values that became `other`.
    """

    def __init__(self, live: Live, subscription: Subscription, labels: Mapping[str, Capped]) -> None:
        self._live = live
        self._subscription = subscription
        self._labels = labels

    def collect(self) -> Iterator[Metric]:
        """The gauges now."""
        yield _labelled("build_info", "1", {"version": version("sprout-like"), "meter": self._live.meter}, 1)
        yield from self._grid()
        yield from self._policy()
        yield from self._ledger()
        yield from self._export()

    def _grid(self) -> Iterator[Metric]:
        zone, look = self._live.grid.zone, self._live.grid.look()
        now = look.intensity
        yield _labelled(
            "grid_intensity_known",
            "1 while requests have an intensity to go by.",
            {"zone": zone},
            float(now is not None),
        )
        if now is not None:
            provenance = {"kind": now.kind, "factors": now.factors, "status": now.status, "source": now.source}
            yield _labelled(
                "grid_intensity_grams_per_kwh",
                "Grid intensity that requests go by, in g CO2e per kWh; absent while it is unknown.",
                {"zone": zone, **provenance},
                now.g_per_kwh,
            )
            yield _labelled(
                "grid_intensity_stale", "1 while it is held beyond its span.", {"zone": zone}, float(look.stale)
            )

    def _policy(self) -> Iterator[Metric]:
        if self._live.policy is None:
            return
        policy = getattr(self._live.policy, "current", self._live.policy)
        who = {"model": self._live.model}
        yield _labelled("policy_info", "1", {**who, "policy": policy.name, "version": policy.version}, 1)
        yield _labelled(
            "breaker_open",
            "1 while full is served because verdicts no longer show the quality floor.",
            who,
            float(policy.version.endswith(OPEN)),
        )

    def _ledger(self) -> Iterator[Metric]:
        ledger = self._live.ledger
        if not isinstance(ledger, SqlLedger):
            return
        status = ledger.status()
        yield _plain("ledger_up", "1 while the database takes rows.", float(status.problem is None))
        for name, what, rows in (
            ("ledger_pending_rows", "Rows in the spool that wait for the database.", status.pending),
            ("ledger_memory_rows", "Rows in memory alone; lost if the process ends now.", status.in_memory),
            ("ledger_refused_rows", "Rows that the database will never take, set aside.", status.refused),
        ):
            if rows is not None:
                yield _plain(name, what, rows)
        yield CounterMetricFamily(
            "sprout_like_ledger_outages", "How often the database went away.", value=status.outages
        )

    def _export(self) -> Iterator[Metric]:
        for name, what, rows in (
            ("dropped", "Rows that are not in these metrics because too many waited.", self._subscription.dropped),
            ("failed", "Rows that are not in these metrics because adding them up failed.", self._subscription.failed),
        ):
            yield CounterMetricFamily(f"sprout_like_export_{name}_rows", what, value=rows)
        others = CounterMetricFamily(
            "sprout_like_export_other_values", "Label values booked as 'other', by label.", labels=("label",)
        )
        for label, capped in self._labels.items():
            others.add_metric((label,), capped.others)
        yield others


def _plain(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"sprout_like_{name}", what, value=value)


def _labelled(name: str, what: str, labels: Mapping[str, str], value: float) -> Metric:
    family = GaugeMetricFamily(f"sprout_like_{name}", what, labels=tuple(labels))
    clean = Capped()
    family.add_metric([clean(text) for text in labels.values()], value)
    return family
