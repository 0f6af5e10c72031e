"""The variants and who of them is loaded: on first use, never twice, given back when idle or when memory is short."""

from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import torch

from directives import Variant
from sprout_like.engines.engine import Host, Overhead
from sprout_like.engines.variants.host import VariantHost
from sprout_like.engines.variants.loading import Source, open_source
from sprout_like.engines.variants.memory import free_bytes, give_back
from sprout_like.errors import VariantUnavailable

__all__ = ["RETRY_AFTER_S", "VariantPool"]

_LOG = logging.getLogger("sprout_like")

RETRY_AFTER_S = 60.0
"""How long a failed load is remembered: its variant is refused instead of being tried at every request."""

_SUPPLIED_IDLE_S = 600.0
_GIB = 2**30


@dataclass(slots=True, eq=False)
class _Slot:
    """One variant: its model while it is kept, whether it still lives somewhere after that, and what it was made of."""

    name: str
    host: VariantHost
    source: Source
    idle_s: float
    kept: Any = None
    living: weakref.ref[Any] | None = None
    made_of: object | None = None
    used_s: float = 0.0
    failure: str | None = None
    failed_s: float = 0.0

    def model(self) -> Any:
        """The model, also one that was let go while somebody still runs it; None where there is none."""
        return self.kept if self.kept is not None or self.living is None else self.living()


class VariantPool:
    """All variants of one wrapped model.

    A plan that runs a variant keeps a reference to its model; the pool gives up its own when the variant is idle, so
    memory is freed when the last one goes, and a model that still lives is found again instead of being loaded twice.

    Args:
        own: the wrapped model.
        described: variants of the catalogue, by name.
        supplied: by name, `(model, tokenizer)` or a function that returns that; they go before what is described. A
            function is called once here, as its tokenizer is not known before, and again after an eviction; a pair
            belongs to the caller and is never evicted.
        headroom_bytes: memory that a load must leave free on every device it uses, and on the host.
        monotonic_s: clock, in s.
        free: memory left on a device, in bytes.

    Raises:
        SettingError: a supplied variant is neither of the two, or its function failed.
    """

    def __init__(
        self,
        own: Host,
        described: Mapping[str, Variant],
        supplied: Mapping[str, Any],
        *,
        headroom_bytes: float = 0.0,
        monotonic_s: Callable[[], float] = time.perf_counter,
        free: Callable[[torch.device], int] = free_bytes,
    ) -> None:
        self._headroom_bytes = headroom_bytes
        self._monotonic_s = monotonic_s
        self._free = free
        self._slots: dict[str, _Slot] = {}
        self._problems: dict[str, str] = {}
        # One load at a time, so that each sees the memory that the one before has left. Bookkeeping never waits for it.
        self._loading = threading.RLock()
        self._state = threading.Lock()
        for name in {**described, **supplied}:
            self._open(name, own, described.get(name), supplied.get(name))

    def host(self, name: str) -> VariantHost:
        """The variant as a host: tokenizer and config without loading, `model()` loads.

        Raises:
            VariantUnavailable: there is none of that name, or it can never be loaded.
        """
        return self._slot(name).host

    def misfit(self, key: str, name: str) -> str | None:
        """Why the variant can never be used, beginning with the directive's key; None where it can.

        Args:
            key: `variant` or `draft.assistant`.
            name: what it says.
        """
        problem = self._problem(name)
        return None if problem is None else f"{key} {name!r}: {problem}"

    def refusal(self, name: str) -> str | None:
        """Why the variant cannot be used now: it never can, or its last load has failed a short while ago."""
        slot = self._slots.get(name)
        if slot is None:
            return f"variant {name!r}: {self._problem(name)}"
        return self._remembered(slot)

    def ready(self, name: str) -> Any | None:
        """The variant's model; None where it is not loaded, or what it was made of has changed since.

        Raises:
            VariantUnavailable: there is none of that name, or it can never be loaded.
        """
        slot = self._slot(name)
        return None if self._outdated(slot) else self._taken(slot)

    def load(self, name: str, overhead: Overhead = nullcontext) -> Any:
        """The variant's model, loaded where it is not, or not any more as it should be.

        Args:
            name: the variant's.
            overhead: opened around the loading itself, not around the wait for what it needs.

        Raises:
            VariantUnavailable: it cannot be loaded.
        """
        slot = self._slot(name)
        if (model := self.ready(name)) is not None:
            return model
        with self._loading:
            # Whoever waited for another thread's load finds its model, or its failure.
            if (model := self.ready(name)) is not None:
                return model
            if (failure := self._remembered(slot)) is not None:
                raise VariantUnavailable(failure)
            with slot.source.hold(), overhead():
                return self._loaded(slot)

    def loaded(self) -> dict[str, Any]:
        """The models that are loaded now, by the variants' names."""
        return {slot.name: model for slot in self._slots.values() if (model := slot.model()) is not None}

    def tick(self) -> None:
        """Give back what has been idle for long enough."""
        now_s = self._monotonic_s()
        for slot in self._slots.values():
            if slot.kept is not None and slot.idle_s < now_s - slot.used_s and self._evict(slot):
                _LOG.info("variant %s was idle for %.0f s; its memory is given back", slot.name, slot.idle_s)

    def close(self) -> None:
        """Give back everything; what still runs is freed when it ends."""
        with self._state:
            for slot in self._slots.values():
                slot.kept = None
        give_back()

    def _open(self, name: str, own: Host, variant: Variant | None, supplied: Any) -> None:
        try:
            source = open_source(name, own, variant, supplied)
        except VariantUnavailable as exc:
            self._problems[name] = str(exc)
            return
        idle_s = _SUPPLIED_IDLE_S if variant is None else variant.idle_s
        host = VariantHost(name, source, lambda: self._model(name))
        self._slots[name] = _Slot(name, host, source, idle_s)
        if supplied is not None:
            self._model(name)  # it is there already

    def _problem(self, name: str) -> str | None:
        if name in self._slots:
            return None
        if name in self._problems:
            return self._problems[name]
        known = [*self._slots, *self._problems]
        near = get_close_matches(name, known, n=2) or known
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "describe it as [variant.NAME]"
        return f"there is no variant of that name; {hint}"

    def _slot(self, name: str) -> _Slot:
        if name not in self._slots:
            raise VariantUnavailable(f"variant {name!r}: {self._problem(name)}")
        return self._slots[name]

    def _model(self, name: str) -> Any:
        # Not asked again whether it is outdated: a plan is made with one model from beginning to end.
        model = self._taken(self._slot(name))
        return self.load(name) if model is None else model

    def _outdated(self, slot: _Slot) -> bool:
        if slot.made_of is None:
            return False
        made_of = slot.source.made_of()
        return made_of is not None and made_of is not slot.made_of

    def _taken(self, slot: _Slot) -> Any:
        with self._state:
            slot.kept = slot.model()
            slot.used_s = self._monotonic_s()
            return slot.kept

    def _loaded(self, slot: _Slot) -> Any:
        if slot.model() is not None:  # outdated: it lives on in the plans that run it, and nowhere else
            with self._state:
                slot.kept = slot.living = None
            gc.collect()
        try:
            made_of = slot.source.made_of()
            self._make_room(slot)
            model = slot.source.load()
        except Exception as exc:
            # A loader may be anyone's code; files, packages and memory fail in ways of their own.
            reason = str(exc) if isinstance(exc, VariantUnavailable) else f"{type(exc).__qualname__}: {exc}"
            slot.failure = f"variant {slot.name!r} could not be loaded: {reason}"
            slot.failed_s = self._monotonic_s()
            raise VariantUnavailable(slot.failure) from exc
        with self._state:
            slot.kept, slot.living, slot.made_of, slot.failure = model, weakref.ref(model), made_of, None
            slot.used_s = self._monotonic_s()
        return model

    def _remembered(self, slot: _Slot) -> str | None:
        if slot.failure is None or self._monotonic_s() - slot.failed_s >= RETRY_AFTER_S:
            return None
        return slot.failure

    def _make_room(self, wanted: _Slot) -> None:
        """Evict, the longest unused first, until the variant fits and the headroom stays free.

        Raises:
            VariantUnavailable: it does not fit even so.
        """
        needs = wanted.source.needed_bytes()
        for place, needed in ({torch.device("cpu"): 0, **needs} if needs else needs).items():
            while (short := needed + self._headroom_bytes - self._free(place)) > 0:
                if not self._evict_longest_unused(place):
                    raise VariantUnavailable(
                        f"it needs {needed / _GIB:.2f} GiB on {place}, which leaves {short / _GIB:.2f} GiB less than "
                        f"the headroom of {self._headroom_bytes / _GIB:.2f} GiB. Free memory, or lower "
                        "variant_headroom_gib"
                    )

    def _evict_longest_unused(self, place: torch.device) -> bool:
        there = (s for s in self._slots.values() if s.kept is not None and place in s.source.needed_bytes())
        for slot in sorted(there, key=lambda s: s.used_s):
            if self._evict(slot):
                _LOG.info("variant %s made room for another", slot.name)
                return True
        return False

    def _evict(self, slot: _Slot) -> bool:
        """Free the variant's memory, unless somebody else holds its model: then it is in use, or theirs, and stays."""
        with self._state:
            slot.kept = None
        if slot.model() is not None:
            gc.collect()
        with self._state:
            slot.kept = slot.model()
            slot.used_s = slot.used_s if slot.kept is None else self._monotonic_s()
            freed = slot.kept is None
        give_back()
        return freed
