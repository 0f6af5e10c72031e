"""A policy as a picture: which share of the requests gets which directive, the dirtier the grid."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from directives import FULL
from directives.policies.contextual import ContextualPolicy
from directives.workload import Bin
from sprout_like.tuning.log import inside
from sprout_like.tuning.store import StoredPolicy

__all__ = ["plot", "shares_by_level"]

_INK: Final = "#1f2933"
_MUTED: Final = "#8a94a0"
_OTHERS: Final = "#d5dae0"
_LEAST_SHOWN: Final = 0.005
"""Of the requests, at any level; what has less is drawn together."""


def shares_by_level(policy: StoredPolicy) -> list[Mapping[str, float]]:
    """Share of all requests by directive, per level, under the mix the policy was made for, where every one fits."""
    contextual = ContextualPolicy(policy.plan)
    candidates = sorted(contextual.reach)
    found: list[Mapping[str, float]] = []
    for intensity in inside(policy.plan.edges_g_per_kwh):
        shares: defaultdict[str, float] = defaultdict(float)
        for home, weight in (policy.evidence.mix or {Bin(): 1.0}).items():
            for name, chance in contextual.chances(home, intensity, candidates).items():
                shares[name] += weight * chance
        found.append(dict(shares))
    return found


def plot(policy: StoredPolicy, file: Path) -> None:
    """Draw it; the format follows the file's ending."""
    # Not pyplot, which would keep state and look for a display.
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    levels = shares_by_level(policy)
    names = sorted({name for level in levels for name, share in level.items() if share >= _LEAST_SHOWN})
    names.sort(key=lambda name: (name != FULL.name, -math.fsum(level.get(name, 0.0) for level in levels)))
    figure = Figure(figsize=(9, 5), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots()
    colours = mpl.colormaps["tab10" if len(names) <= 11 else "tab20"].colors  # type: ignore[attr-defined]
    bottom = [0.0] * len(levels)
    drawn = {name: [100 * level.get(name, 0.0) for level in levels] for name in names}
    rest = [100 - math.fsum(part) for part in zip(*drawn.values(), strict=True)]
    if max(rest) > 0.05:
        drawn["others, tried out"] = rest
    for place, (name, heights) in enumerate(drawn.items()):
        colour = colours[(place - 1) % len(colours)] if name in names else _OTHERS
        if name == FULL.name:
            colour = _MUTED
        axes.bar(range(len(levels)), heights, bottom=bottom, label=name, color=colour, width=0.7)
        for x, height in enumerate(heights):
            if height >= 4:
                middle = bottom[x] + height / 2
                axes.text(x, middle, f"{height:.0f} %", ha="center", va="center", color="white", fontsize=9)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.set_xticks(range(len(levels)), _labels(policy))
    axes.set_ylim(0, 100)
    axes.set_xlabel("grid intensity, g CO2e per kWh", color=_INK)
    axes.set_ylabel("share of the requests, %", color=_INK)
    axes.set_title(f"Policy {policy.number} ({policy.state}): what is served", loc="left", fontsize=12, color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9, reverse=True)
    figure.savefig(file, dpi=150)


def _labels(policy: StoredPolicy) -> list[str]:
    edges = policy.plan.edges_g_per_kwh
    if not edges:
        return ["any"]
    between = [f"{low:.0f} – {high:.0f}" for low, high in pairwise(edges)]
    return [f"< {edges[0]:.0f}", *between, f"≥ {edges[-1]:.0f}"]
