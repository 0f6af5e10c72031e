"""Policies on a terminal of 80 columns, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from directives.plan import Plan, Shares
from directives.plan_data import constraints_to_data, plan_to_data
from directives.workload import Bin
from sprout_like.printable import label
from sprout_like.reports.figures import UNKNOWN_MARK, grams, number, percent
from sprout_like.tuning.propose import Proposal
from sprout_like.tuning.store import StoredPolicy

__all__ = ["compared", "listed", "policy_data", "proposal_data", "proposed", "shown"]


def listed(policies: Sequence[StoredPolicy]) -> RenderableType:
    """One line per policy."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("policy", justify="right")
    for heading in ("tuned (UTC)", "state", "saving", "quality", "why"):
        table.add_column(heading)
    for policy in policies:
        expected = policy.plan.expected
        table.add_row(
            str(policy.number),
            f"{policy.created_utc:%Y-%m-%d %H:%M}",
            policy.state,
            percent(_saving(policy.estimate)),
            percent(expected.quality) if expected.quality is not None else "as full",
            policy.reason,
        )
    return table


def shown(policy: StoredPolicy) -> RenderableType:
    """What it does, what was expected of it, and why it is in its state."""
    title = f"Policy {policy.number}, {policy.state}: {policy.reason}"
    return Group(Text(title), *_plan(policy.plan), *map(Text, _lines(policy.plan, policy.estimate)))


def proposed(proposal: Proposal) -> RenderableType:
    """The outcome of `tune`."""
    match proposal.state, proposal.stored:
        case None, _:
            head = f"Nothing new: {proposal.reason}."
        case "active", None:
            head = f"Would be promoted (dry run): {proposal.reason}."
        case "active", stored if stored is not None:
            head = f"Policy {stored.number} is active now: {proposal.reason}."
        case _, None:
            head = f"Would be rejected (dry run): {proposal.reason}."
        case _, stored:
            head = f"Policy {stored.number} is rejected: {proposal.reason}."
    read = proposal.estimate["read"]
    left = [
        f"{read[key]:,} {what}"
        for key, what in (
            ("without_energy", "of unknown energy"),
            ("without_propensity", "without propensity"),
            ("of_other_models_or_catalogues", "of other models or catalogues"),
            ("evaluations_of_unknown_carbon", "evaluations of unknown carbon, which are not taken off"),
        )
        if read[key]
    ]
    source = f"From {read['requests']:,} requests since {read['since_utc'][:16]}."
    return Group(
        Text(head),
        *_plan(proposal.plan),
        *map(Text, _lines(proposal.plan, proposal.estimate)),
        Text(source + (f" Left out: {', '.join(left)}." if left else "")),
    )


def compared(one: StoredPolicy, other: StoredPolicy) -> RenderableType:
    """Where two policies differ: shares, expectations, constraints."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for policy in (one, other):
        table.add_column(f"policy {policy.number}, {policy.state}")
    for heading, of in _EXPECTED.items():
        table.add_row(heading, *(of(policy.plan) for policy in (one, other)))
    ours, theirs = (constraints_to_data(policy.constraints) for policy in (one, other))
    for name in ours:
        if ours[name] != theirs[name]:
            table.add_row(name, str(ours[name]), str(theirs[name]))
    for home in sorted({home for policy in (one, other) for level in policy.plan.levels for home in level}):
        for place in range(max(len(one.plan.levels), len(other.plan.levels))):
            cells = [_shares(_at(policy.plan, place, home)) for policy in (one, other)]
            if cells[0] != cells[1]:
                table.add_row(Text(f"{_named(home)}; level {place + 1}"), *cells)
    return table


def policy_data(policy: StoredPolicy) -> dict[str, Any]:
    """A policy in JSON's own types, without the evidence it was solved from."""
    return {
        "number": policy.number,
        "policy_id": policy.policy_id,
        "state": policy.state,
        "reason": policy.reason,
        "created_utc": policy.created_utc,
        "activated_utc": policy.activated_utc,
        "model": policy.model,
        "catalogue_version": policy.catalogue_version,
        "constraints": constraints_to_data(policy.constraints),
        "plan": plan_to_data(policy.plan),
        "estimate": policy.estimate,
    }


def proposal_data(proposal: Proposal) -> dict[str, Any]:
    """The outcome of `tune` in JSON's own types."""
    return {
        "state": proposal.state,
        "reason": proposal.reason,
        "number": None if proposal.stored is None else proposal.stored.number,
        "running": None if proposal.running is None else proposal.running.number,
        "constraints": constraints_to_data(proposal.constraints),
        "plan": plan_to_data(proposal.plan),
        "estimate": proposal.estimate,
    }


def _plan(plan: Plan) -> Iterator[RenderableType]:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("workload")
    for heading in _spans(plan.edges_g_per_kwh):
        table.add_column(heading)
    for home in sorted({home for level in plan.levels for home in level}):
        table.add_row(Text(_named(home)), *(_shares(level.get(home)) for level in plan.levels))
    yield table
    besides = [f"{percent(plan.control_share)} always full (control group)"]
    if plan.explored:
        tried = sorted({name for names in plan.explored.values() for name in names})
        besides.append(f"{percent(plan.explore_share)} to try {', '.join(tried)}")
    yield Text(f"Besides: {'; '.join(besides)}.")
    if plan.pinned:
        pinned = (f"{label(task) or 'no task'} {name}" for task, name in plan.pinned.items())
        yield Text(f"Pinned: {', '.join(pinned)}.")
    if plan.binding:
        yield Text(f"Kept from saving more by: {', '.join(plan.binding)}.")


def _lines(plan: Plan, estimate: Mapping[str, Any]) -> Iterator[str]:
    expected = plan.expected
    if expected.quality is not None:
        yield f"Quality planned: {percent(expected.quality)} of full's, at least {percent(expected.quality_low)}."
    for key, unit, of in (("carbon_g", grams, "operational carbon"), ("energy_j", _joules, "energy")):
        found = estimate.get(key)
        if not found:
            continue
        candidate, full = found["candidate"], found["full"]
        yield (
            f"Per request, {of}: {unit(candidate['mean'])} ({unit(candidate['low'])} to {unit(candidate['high'])}), "
            f"full {unit(full['mean'])}. Saving {percent(found['saving'])} "
            f"({percent(found['saving_low'])} to {percent(found['saving_high'])})"
            + (", evaluations taken off." if found["evaluation"] else ".")
        )
        if found["saving"] is not None and found["saving"] < 0 < -found["from_full"]["mean"]:
            taken = found["evaluation"] * estimate["read"]["rows"] / -found["from_full"]["mean"]
            yield f"  what evaluations took is earned back in {number(taken, 0)} requests."
        by_log = found["candidate_by_log"]
        if by_log is not None:
            sure = number(by_log["effective_n"], 0)
            yield f"  by the log alone {unit(by_log['mean'])}, as sure as from {sure} requests of its own."
    unseen: Mapping[str, float] = next(
        (estimate[key]["candidate"]["unseen"] for key in ("energy_j", "carbon_g") if estimate.get(key)), {}
    )
    if unseen:
        names = ", ".join(sorted(unseen, key=lambda name: (-unseen[name], name)))
        share = percent(math.fsum(unseen.values()))
        yield f"On {share} of the requests it serves what the log never did there, at costs known otherwise: {names}."
    live = estimate.get("live_quality")
    if live is not None:
        yield (
            f"Answers judged live, as it would serve them: {percent(live['mean'])} of full's quality "
            f"({percent(live['low'])} to {percent(live['high'])})."
        )


def _saving(estimate: Mapping[str, Any]) -> float | None:
    found = estimate.get("carbon_g") or estimate.get("energy_j") or {}
    saving: float | None = found.get("saving")
    return saving


def _joules(value: float | None) -> str:
    return UNKNOWN_MARK if value is None else f"{number(value, 2)} J"


def _spans(edges: Sequence[float]) -> Iterable[str]:
    if not edges:
        return ["any intensity"]
    between = [f"{low:.0f} to {high:.0f}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:.0f} g/kWh", *between, f"from {edges[-1]:.0f}"]


def _named(home: Bin) -> str:
    """A bin of a plan; one without lengths serves what has no bin of its own."""
    if home != Bin(task=home.task):
        return str(replace(home, task=label(home.task)))
    return f"{label(home.task)}, any other" if home.task else "anything else"


def _at(plan: Plan, place: int, home: Bin) -> Shares | None:
    return plan.levels[place].get(home) if place < len(plan.levels) else None


def _shares(shares: Shares | None) -> str:
    if shares is None:
        return UNKNOWN_MARK
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(name if share > 0.9995 else f"{name} {100 * share:.0f} %" for name, share in ordered if share > 0)


_EXPECTED: Final[Mapping[str, Callable[[Plan], str]]] = {
    "quality": lambda plan: percent(plan.expected.quality) if plan.expected.quality is not None else "as full",
    "at least": lambda plan: percent(plan.expected.quality_low),
    "carbon per request": lambda plan: grams(plan.expected.carbon_g),
    "energy per request": lambda plan: _joules(plan.expected.energy_j),
    "version": lambda plan: plan.version,
}
