"""One life of a manager of transformers' continuous batching, from its start to its stop or its failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from itertools import count
from typing import Any, Final

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig
from transformers.generation.continuous_batching import ContinuousBatchingManager
from transformers.generation.continuous_batching.model_runner import infer_max_single_request_tokens

from sprout_like.engines.continuous.asking import Ask
from sprout_like.engines.continuous.rules import RULES, rules_by_row
from sprout_like.errors import BatchFailed

__all__ = ["MOST_TOKENS", "Session", "SessionOver"]

_BLOCK_TOKENS: Final = 256
_MOST_BLOCKS: Final = 64
MOST_TOKENS: Final = _MOST_BLOCKS * _BLOCK_TOKENS
"""Room for the tokens of all rows under way, where there is memory for it."""
_STEP_TOKENS: Final = 1024
"""Prompts are computed in pieces of so many tokens, between which answers under way go on."""
_LOOK_S: Final = 0.5
"""How soon the end of a manager's thread is noticed that did not come with its results."""
_STOP_WAIT_S: Final = 30.0


class SessionOver(Exception):
    """It takes no more rows."""


class Session:
    """Computes rows together; they may be handed in from any thread at any time.

    Args:
        model: a model that fits, see `misfit`.

    Raises:
        BatchFailed: there is no memory for it.
    """

    def __init__(self, model: Any) -> None:
        self._model_name = type(model).__name__
        self._lock = threading.Lock()
        self._waiting: dict[str, Future[list[int]]] = {}
        self._over = self._stopped = False
        self._names = count()
        self._manager, self._tokens = _open_manager(model, self._fail)
        started = threading.Event()
        threading.Thread(target=self._collect, args=(started,), name="sprout-like-batch", daemon=True).start()
        started.wait()

    @property
    def is_over(self) -> bool:
        """Whether it takes no more rows."""
        return self._over

    @property
    def is_busy(self) -> bool:
        """Whether rows are under way."""
        return bool(self._waiting)

    def submit(self, ask: Ask) -> tuple[str, Future[list[int]]]:
        """Hand in a row.

        Returns:
            Its name, and what becomes of it: the new tokens, or `BatchFailed`.

        Raises:
            SessionOver: it takes no more.
            BatchFailed: the row is longer than the room that memory was found for.
        """
        if len(ask.prompt) + ask.limit_tokens > self._tokens:
            raise BatchFailed(
                f"continuous batching of {self._model_name}: a prompt of {len(ask.prompt)} tokens and an answer of up "
                f"to {ask.limit_tokens} need more room than the {self._tokens} tokens that memory was found for. Ask "
                'for less, free memory, or use engine="transformers"'
            )
        name, future = f"row-{next(self._names)}", Future[list[int]]()
        with self._lock:
            if self._over or self._manager.background_thread_status.can_accept_new_requests() is not None:
                raise SessionOver
            self._waiting[name] = future
        rules: Mapping[str, Any] = {} if ask.rules is None else {RULES: ask.rules}
        self._manager.add_request(
            list(ask.prompt), request_id=name, max_new_tokens=ask.limit_tokens, eos_token_id=list(ask.ends), **rules
        )
        return name, future

    def cancel(self, names: Collection[str]) -> None:
        """Give up rows that nobody waits for any more."""
        with self._lock:
            unfinished = [name for name in names if self._waiting.pop(name, None) is not None]
        for name in unfinished:
            self._manager.cancel_request(name)

    def stop(self) -> None:
        """Stop; rows still under way fail."""
        with self._lock:
            self._over = self._stopped = True
        self._manager.stop(block=True, timeout=_STOP_WAIT_S, hard_stop=True)

    def _collect(self, started: threading.Event) -> None:
        # A thread is a daemon where the thread that starts it is one: else a program that forgets to close its
        # `CarbonAware` would never end.
        try:
            self._manager.start()
        finally:
            started.set()
        while True:
            result = self._manager.get_result(timeout=_LOOK_S)
            if result is not None:
                self._deliver(result)
            elif not self._manager.is_running():
                break
        with self._lock:
            self._over = True
            left, self._waiting = self._waiting, {}
        for future in left.values():
            future.set_exception(self._failure("its thread has ended"))

    def _deliver(self, result: Any) -> None:
        with self._lock:
            future = self._waiting.pop(result.request_id, None)
        if future is None:
            return  # given up
        if result.error is None:
            future.set_result(result.generated_tokens)
        else:
            future.set_exception(self._failure("it was closed" if self._stopped else result.error))

    def _fail(self, name: str, error: Exception) -> None:
        """End a row with an error of its own, as `generate` would raise it."""
        with self._lock:
            future = self._waiting.pop(name, None)
        if future is not None:
            self._manager.cancel_request(name)
            future.set_exception(error)

    def _failure(self, why: str) -> BatchFailed:
        return BatchFailed(
            f"continuous batching of {self._model_name}: it broke off ({why}), and all requests in it with it. The "
            'next request begins a new one; if that fails too, use engine="transformers"'
        )


def _open_manager(model: Any, fail: Callable[[str, Exception], None]) -> tuple[Any, int]:
    """A manager with as much room as there is memory for, and the longest row that it holds, in tokens."""
    devices = [model.device] if model.device.type == "cuda" else []
    blocks = _MOST_BLOCKS
    while True:
        # Settings are each row's own: these are those that ask for nothing.
        settings = GenerationConfig(do_sample=False, eos_token_id=-1)
        config = ContinuousBatchingConfig(
            page_size=_BLOCK_TOKENS,
            num_blocks=blocks,
            max_batch_tokens=_STEP_TOKENS,
            max_requests_per_batch=blocks,
            # Beginnings that requests share are the `reuse` knob's: a control group that shares them would be none, and
            # they would outlive a change of the weights.
            allow_block_sharing=False,
            # Flash attention rounds differently from the caller's.
            auto_switch_to_flash=False,
            use_cuda_graph=False,
            use_async_batching=False,
        )
        manager = ContinuousBatchingManager(model, settings, config)
        manager.logit_processor = rules_by_row(fail)
        try:
            with torch.random.fork_rng(devices=devices):  # it seeds the process's generator
                manager.warmup()
        except (MemoryError, torch.OutOfMemoryError) as exc:
            if blocks == 1:
                raise BatchFailed(
                    f"continuous batching of {type(model).__name__}: no memory for the cache of one request. Free "
                    'some, or use engine="transformers"'
                ) from exc
            blocks //= 2
        else:
            return manager, infer_max_single_request_tokens(manager.batch_processor.cache)
