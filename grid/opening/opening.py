"""What a source is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grid.clock import UtcNow, utc_now
from grid.errors import SourceSpecError
from grid.intensity import Factors, checked_factors
from grid.opening.keys import Keys
from grid.source import Source

__all__ = ["OpenSource", "Opening"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a source is made from: the parts of `NAME:ARGUMENT+BASE_URL?OPTION=VALUE&…`, and what all share.

    Attributes:
        name: the source's name.
        argument: what follows the colon; None where nothing does.
        base_url: in place of the source's own; None for that.
        options: what follows the question mark.
        zone: the zone it will be asked for; None where that is not known yet.
        keys: who we are.
        timeout_s: limit on an attempt to get an answer from the network, in s.
        now_utc: the clock.
    """

    name: str
    argument: str | None = None
    base_url: str | None = field(default=None, repr=False)  # what is written there may hold a password
    options: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    keys: Keys = field(default_factory=Keys)
    timeout_s: float = 10.0
    now_utc: UtcNow = utc_now

    def only(self, *, options: Iterable[str] = (), argument: bool = False, base_url: bool = True) -> Opening:
        """This, checked for parts that the source does not know.

        Raises:
            SourceSpecError: there is one.
        """
        known = tuple(options)
        for option in self.options:
            if option not in known:
                hint = f"it knows {', '.join(known)}" if known else "it knows none"
                raise SourceSpecError(f"{self.name}: there is no option {option!r}; {hint}")
        if self.argument is not None and not argument:
            raise SourceSpecError(f"{self.name}: nothing may follow its name after a colon")
        if self.base_url is not None and not base_url:
            raise SourceSpecError(f"{self.name}: it has no base URL that could be replaced")
        return self

    @property
    def factors(self) -> Factors | None:
        """The option `factors`; None where it is not there.

        Raises:
            SourceSpecError: it is neither `direct` nor `lifecycle`.
        """
        said = self.options.get("factors")
        return None if said is None else checked_factors(said, self.name)

    def http(self) -> dict[str, Any]:
        """The arguments of every source that asks over HTTP."""
        shared: dict[str, Any] = {"timeout_s": self.timeout_s, "now_utc": self.now_utc}
        return shared if self.base_url is None else {**shared, "base_url": self.base_url}


OpenSource = Callable[[Opening], Source]
"""Makes a source; what a package offers under the entry points `sprout_like.grid_sources`."""
