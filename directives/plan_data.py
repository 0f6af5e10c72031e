"""Plans, constraints and evidence as plain data for JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from directives.constraints import Constraints
from directives.errors import PolicyError
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.plan import Expected, Plan
from directives.workload import Bin

__all__ = [
    "constraints_from_data",
    "constraints_to_data",
    "evidence_from_data",
    "evidence_to_data",
    "plan_from_data",
    "plan_to_data",
]

Data = Mapping[str, Any]


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """Of dictionaries, lists, strings, numbers and None alone."""
    return {
        "edges_g_per_kwh": list(plan.edges_g_per_kwh),
        "levels": [[_row(home, shares=dict(shares)) for home, shares in level.items()] for level in plan.levels],
        "explored": [_row(home, directives=list(names)) for home, names in plan.explored.items()],
        "explore_share": plan.explore_share,
        "control_share": plan.control_share,
        "pinned": dict(plan.pinned),
        "expected": asdict(plan.expected),
        "binding": list(plan.binding),
        "version": plan.version,
    }


def plan_from_data(data: Data) -> Plan:
    """The plan that became these data.

    Raises:
        PolicyError: they are no plan's.
    """
    with _Reading("plan"):
        return Plan(
            edges_g_per_kwh=tuple(data["edges_g_per_kwh"]),
            levels=tuple({Bin(**row["bin"]): dict(row["shares"]) for row in level} for level in data["levels"]),
            explored={Bin(**row["bin"]): tuple(row["directives"]) for row in data["explored"]},
            explore_share=data["explore_share"],
            control_share=data["control_share"],
            pinned=dict(data["pinned"]),
            expected=Expected(**data["expected"]),
            binding=tuple(data["binding"]),
            version=data["version"],
        )


def constraints_to_data(constraints: Constraints) -> dict[str, Any]:
    """Of dictionaries, lists, strings, numbers and None alone."""
    data = {field.name: getattr(constraints, field.name) for field in fields(constraints)}
    forbidden = {task: sorted(names) for task, names in constraints.forbidden.items()}
    limits, pinned = dict(constraints.latency_limit_s), dict(constraints.pinned)
    return {**data, "forbidden": forbidden, "latency_limit_s": limits, "pinned": pinned}


def constraints_from_data(data: Data) -> Constraints:
    """The constraints that became these data.

    Raises:
        PolicyError: they are no constraints', or a value is outside its range.
    """
    with _Reading("constraints"):
        return Constraints(
            **{**data, "forbidden": {task: frozenset(names) for task, names in data["forbidden"].items()}}
        )


def evidence_to_data(evidence: Evidence) -> dict[str, Any]:
    """Of dictionaries, lists, strings, numbers and None alone."""
    return {
        "cells": [asdict(cell) for cell in evidence.cells],
        "mix": [_row(home, share=share) for home, share in evidence.mix.items()],
        "intensities_g_per_kwh": list(evidence.intensities_g_per_kwh),
        "requests_per_day": evidence.requests_per_day,
    }


def evidence_from_data(data: Data) -> Evidence:
    """The evidence that became these data.

    Raises:
        PolicyError: they are no evidence's.
    """
    with _Reading("evidence"):
        return Evidence(
            cells=tuple(_cell(cell) for cell in data["cells"]),
            mix={Bin(**row["bin"]): row["share"] for row in data["mix"]},
            intensities_g_per_kwh=tuple(data["intensities_g_per_kwh"]),
            requests_per_day=data["requests_per_day"],
        )


def _row(home: Bin, **content: Any) -> dict[str, Any]:
    return {"bin": asdict(home), **content}


def _cell(data: Data) -> Known:
    return Known(
        directive=data["directive"],
        bin=Bin(**data["bin"]),
        lossless=data["lossless"],
        energy_j=_built(Estimate, data["energy_j"]),
        time_s=_built(Estimate, data["time_s"]),
        quality=_built(Quality, data["quality"]),
    )


def _built(kind: type[Any], data: Data | None) -> Any:
    return None if data is None else kind(**data)


class _Reading:
    """Says what was being read where it does not fit."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError | TypeError | AttributeError):
            raise PolicyError(
                f"{self._what}: the stored data are not one ({kind.__name__ if kind else ''}: {error}); "
                "they were written by another release: tune again"
            ) from error
