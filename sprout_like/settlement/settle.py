"""The driver: what is provisional, what was published for it since, and what that makes of the grams.

A request is settled by the published actuals of its own zone, kind and factors, and only where one source covers its
whole span without a gap. Its energy is taken as even over that span, so that the settled intensity is the mean weighted
by time. What was logged stays as it was; the settled figures stand beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from grid import FallbackSource, Intensity, Source
from grid.clock import UtcNow, utc_now
from sprout_like.carbon import operational_g
from sprout_like.settlement.asking import Asking, briefly
from sprout_like.settlement.figures import Group, Provisional, Scope, Settled
from sprout_like.settlement.published import Published
from sprout_like.settlement.report import SettlementReport, Tally
from sprout_like.settlement.spans import Span
from sprout_like.settlement.store import SettlementStore

__all__ = ["settle", "settled_by"]


def settle(
    store: SettlementStore,
    source: Source,
    *,
    scope: Scope | None = None,
    accept_estimated: bool = False,
    refresh: bool = False,
    dry_run: bool = False,
    now_utc: UtcNow = utc_now,
) -> SettlementReport:
    """Settle what can be settled now. A second run changes nothing; one that was cut short is taken up by the next.

    The ledger's own readings come first; the source is asked for the rest, before any request is settled, so that the
    outcome does not depend on the order of the requests.

    Args:
        store: the ledger; what it does in a dry run is its own affair.
        source: whom to ask for actuals that the ledger does not hold.
        scope: which requests; None for all.
        accept_estimated: settle by estimated figures where there is no actual; the next run replaces them.
        refresh: ask for the spans of settled requests too, since published figures get corrected.
        dry_run: whether the store writes nothing; for the report.
        now_utc: the clock.
    """
    scope = scope or Scope()
    asking = Asking(source, store.keep, now_utc)
    for group, spans in _missing(store, source, scope, asking, refresh=refresh).items():
        asking.ask(group, spans)

    tally = Tally(store.totals_g(scope))
    settled_utc = now_utc()  # one for the whole run: ledgers store what requests were settled by once for all of them
    for page in store.provisional(scope):
        published = Published(_published_for(store, page), estimated=accept_estimated)
        changes = []
        for row in page:
            group = row.group(source)
            settled = settled_by(published, row, source, settled_utc)
            if settled is not None and not settled.repeats(row):
                changes.append(settled)
                tally.settled(group, row, settled)
            elif row.settled_g_per_kwh is not None:
                tally.unchanged(group)
            else:
                tally.open(group, asking.why(group, row.started_utc, row.ended_utc))
        if changes:
            store.apply(changes)
    return tally.report(source=source.name, questions=asking.asked, problem=asking.problem, dry_run=dry_run)


def settled_by(published: Published, row: Provisional, source: Source, settled_utc: datetime) -> Settled | None:
    """The row's settled figures; None where its span is not covered.

    Of several sources that cover it, the first is the one that was logged, then the one it was settled by, then
    `source`, a chain's members in their order: figures of two sources differ, and none of them is to come and go with
    what else happens to be stored.
    """
    group = row.group(source)
    preferred = (row.intensity_source, row.settled_source, *_names(source))
    figure = published.over(group, row.started_utc, row.ended_utc, preferred=preferred)
    if figure is None:
        return None
    return Settled(
        request_id=row.request_id,
        settled_g_per_kwh=figure.g_per_kwh,
        settled_kind=group.kind,
        settled_factors=group.factors,
        settled_status=figure.status,
        settled_source=figure.source,
        settled_operational_g=operational_g(row.energy_j, figure.g_per_kwh, row.pue),
        settled_utc=settled_utc,
    )


def _missing(
    store: SettlementStore, source: Source, scope: Scope, asking: Asking, *, refresh: bool
) -> Mapping[Group, Sequence[Span]]:
    """The spans to ask for: those for which the ledger holds no actual."""
    missing: defaultdict[Group, list[Span]] = defaultdict(list)
    for page in store.provisional(scope):
        published = Published([] if refresh else _published_for(store, page))
        for row in page:
            group, span = row.group(source), (row.started_utc, row.ended_utc)
            if asking.obstacle(group) is None and published.over(group, *span) is None:
                missing[group].append(span)
        for group, spans in missing.items():
            missing[group] = briefly(spans)  # a ledger of any length fits in memory
    return missing


def _names(source: Source) -> Iterator[str]:
    """What its readings carry as their source; a chain's carry those of its members."""
    if isinstance(source, FallbackSource):
        for member in source.sources:
            yield from _names(member)
    else:
        yield source.name


def _published_for(store: SettlementStore, page: Sequence[Provisional]) -> Sequence[Intensity]:
    start_utc, end_utc = min(row.started_utc for row in page), max(row.ended_utc for row in page)
    return store.published({row.zone for row in page}, start_utc, end_utc)
