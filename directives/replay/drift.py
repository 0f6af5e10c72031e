"""Whether the requests that come still look like those that came."""

from __future__ import annotations

import numpy as np

from directives.replay.data import Floats

__all__ = ["Watch"]

_FALSE_ALARM = 1e-5
"""Probability of a false alarm per look; with six looks an hour, one in two years."""


class Watch:
    """Counts requests by what can be seen of them, and tells when their shares have changed.

    Pearson's chi-squared test of homogeneity between the newest stretch and all since the last change.
    """

    def __init__(self) -> None:
        self._seen: Floats | None = None

    @property
    def seen(self) -> Floats | None:
        """Requests by kind since the last change; None before the first."""
        return self._seen

    def changed(self, counts: Floats) -> bool:
        """Count the newest stretch; True where it differs from those before, which are then forgotten."""
        if self._seen is not None and not _differ(self._seen, counts):
            self._seen = self._seen + counts
            return False
        self._seen = counts.astype(float)
        return True


def _differ(old: Floats, new: Floats) -> bool:
    from scipy.special import chdtri  # takes a while to load

    both = old + new
    met = both > 0
    n_old, n_new = old.sum(), new.sum()
    if min(n_old, n_new) == 0 or met.sum() < 2:
        return False
    gap = np.sqrt(n_new / n_old) * old[met] - np.sqrt(n_old / n_new) * new[met]
    return bool((gap**2 / both[met]).sum() > chdtri(met.sum() - 1, _FALSE_ALARM))
