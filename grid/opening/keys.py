"""The keys of sources that want one, in one object that does not show them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from grid.errors import SourceSpecError

__all__ = ["Keys"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Keys:
    """Keys by source; None where there is none. Reprs name the keys that are set, never their values.

    Attributes:
        electricity_maps_key: `auth-token` of Electricity Maps.
        watttime_user, watttime_password: WattTime account.
        entsoe_token: security token of the ENTSO-E Transparency Platform.
        eia_key: API key of the U.S. Energy Information Administration.
    """

    electricity_maps_key: str | None = None
    watttime_user: str | None = None
    watttime_password: str | None = None
    entsoe_token: str | None = None
    eia_key: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Keys:
        """The variables `SPROUT_ELECTRICITY_MAPS_KEY`, `SPROUT_WATTTIME_USER` and so on; an empty one counts as unset.

        Args:
            environ: None for this process' own.
        """
        known = os.environ if environ is None else environ
        return cls(**{field.name: known.get(_variable(field.name)) or None for field in fields(cls)})

    def required(self, name: str, source: str) -> str:
        """The key of that name.

        Raises:
            SourceSpecError: there is none; the message says how to set it.
        """
        key: str | None = getattr(self, name)
        if not key or not key.strip():
            raise SourceSpecError(f"{source}: it needs a key: set {name}, or {_variable(name)}, or use another source")
        return key.strip()

    def __repr__(self) -> str:
        there = [field.name for field in fields(self) if getattr(self, field.name)]
        return f"Keys({', '.join(f'{name}=***' for name in there)})"


def _variable(name: str) -> str:
    return f"SPROUT_{name.upper()}"
