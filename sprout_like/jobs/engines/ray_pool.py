"""Model actors on a Ray cluster: batches are cut into parts, and each goes to whichever actor is free."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from directives import Directive
from sprout_like.engines.engine import Pausable
from sprout_like.errors import BatchTooLarge, EngineUnavailable
from sprout_like.jobs.engines.engine import Ask, Outcome
from sprout_like.jobs.engines.ray_actor import EngineActor, MadeBy, MeterOnNode
from sprout_like.jobs.engines.ray_parts import Part, Parts

__all__ = ["RayPool"]

_INSTALL: Final = "Run: pip install 'sprout-like[ray]'"


class RayPool:
    """Actors on an existing Ray cluster, each with an engine of its own.

    Ray restarts an actor whose process or node is lost, on a node that has room, and runs its part again there. A part
    whose actor cannot be brought back goes to another one, once. Without any actor left the pool is unavailable.

    Each actor meters where it runs. What a counter that several actors share told, such as the CPU's of their node, is
    divided equally among those that were active: together they are never charged more than it counted. What an actor
    draws while it loads or idles is in no row: no ledger is open there.

    The nodes need this package and the model under the same path or name. `refusal`, `prompt_tokens` and `run` load
    the pool where it is not loaded.

    Args:
        made_by: makes each actor's engine.
        model: the model's name or path, for the rows.
        actors: how many there are to be; None for one on each GPU of the cluster, or 2 where it has none.
        address: of the cluster, as in `ray.init`; None for the one that this process or this machine is connected to;
            `local` starts one on this machine that ends with the pool.
        at_once: prompts that an actor runs together at most.
        actor_options: of Ray's actors, e.g. `{"num_gpus": 2}`; they win over ours, a GPU each where there are any.
        meter: what the actors meter by.
        start_s: how long the actors may take to be placed and load, in s.
    """

    name = "ray"

    def __init__(
        self,
        made_by: MadeBy,
        *,
        model: str,
        actors: int | None = None,
        address: str | None = None,
        at_once: int = 16,
        actor_options: Mapping[str, Any] | None = None,
        meter: MeterOnNode | None = None,
        start_s: float = 600.0,
    ) -> None:
        self.model = model
        self._made_by = made_by
        self._actors_n = actors
        self._address = address
        self._at_once = at_once
        self._options = {"max_restarts": 3, "max_task_retries": 1, "num_cpus": 1, **(actor_options or {})}
        self._meter = meter or MeterOnNode()
        self._start_s = start_s
        self._family: str | None = None
        self._actors: list[Any] = []
        self._connected = self._closed = False

    @property
    def family(self) -> str | None:
        """The engine's, once it was loaded."""
        return self._family

    def devices(self) -> tuple[str, ...] | None:
        """None: the outcome says what it took."""
        return None

    def load(self) -> None:
        """Connect to the cluster, place the actors and load their models.

        Raises:
            EngineUnavailable: there is no cluster, it has no room for all actors in time, or a model cannot be loaded.
        """
        if self._closed:
            raise EngineUnavailable(f"{self.name}: closed")
        if self._actors:
            return
        ray = self._connect()
        gpus = int(ray.cluster_resources().get("GPU", 0))
        actors_n = self._actors_n or gpus or 2
        options = {**({"num_gpus": 1} if gpus else {}), **self._options}
        remote = ray.remote(**options)(EngineActor)
        self._actors = [remote.remote(self._made_by, self._meter) for _ in range(actors_n)]
        try:
            families = ray.get([actor.load.remote() for actor in self._actors], timeout=self._start_s)
        except ray.exceptions.GetTimeoutError as exc:
            self.unload()
            wanted = ", ".join(f"{name}={value}" for name, value in options.items() if name.startswith("num_"))
            said = f"the cluster did not start {actors_n} actors with {wanted} each within {self._start_s:g} s"
            raise EngineUnavailable(f"{self.name}: {said}. Ask for fewer actors, or see `ray status`") from exc
        except ray.exceptions.RayError as exc:
            self.unload()
            raise EngineUnavailable(f"{self.name}: an actor cannot load {self.model}: {_cause(exc)}") from exc
        except BaseException:
            self.unload()
            raise
        self._family = families[0]

    def unload(self) -> None:
        """End the actors, and the connection where this made it."""
        actors, self._actors = self._actors, []
        if not (actors or self._connected):
            return
        import ray

        if ray.is_initialized():  # somebody may have ended the connection
            for actor in actors:
                ray.kill(actor)
        if self._connected:
            self._connected = False
            ray.shutdown()

    def prompt_tokens(self, ask: Ask) -> int | None:
        """As an actor's engine tells."""
        tokens: int | None = self._of_any("prompt_tokens", ask)
        return tokens

    def refusal(self, directive: Directive, ask: Ask) -> str | None:
        """As an actor's engine tells."""
        reason: str | None = self._of_any("refusal", directive, ask)
        return reason

    def run(self, asks: Sequence[Ask], window: Pausable) -> Outcome:  # noqa: ARG002 - the actors have their own
        """Answer them in parts, on whichever actor is free; a part that does not fit into memory is halved.

        Where no actor is left before all parts were run, the prompts of the others fail, not for good.

        Raises:
            EngineUnavailable: no actor is left, or none of their engines is available, and nothing was answered.
        """
        if not asks:
            return Outcome(answers=())
        self.load()
        parts = Parts(asks, at_once=self._at_once)
        try:
            fault = self._run_parts(parts)
        except BaseException:
            self.unload()  # or the actors would go on with what nobody waits for
            raise
        return parts.outcome(f"{self.name}: {fault}")

    def close(self) -> None:
        """End the actors, for good."""
        self.unload()
        self._closed = True

    def _run_parts(self, parts: Parts) -> str:
        """Run as many as can be run; tells why an actor was not free any more."""
        import ray

        fault = "no actor is left"
        free = deque(self._actors)
        underway: dict[Any, tuple[Any, Part]] = {}
        while underway or (parts.waiting and free):
            while parts.waiting and free:
                actor, (part, asks) = free.popleft(), parts.take()
                underway[actor.run.remote(asks)] = actor, part
            (done, *_), _ = ray.wait([*underway])
            actor, part = underway.pop(done)
            try:
                parts.done(part, ray.get(done))
            except ray.exceptions.RayActorError as exc:
                fault = f"an actor is lost ({type(exc).__name__}); see `ray status` and the logs of its node"
                self._actors.remove(actor)
                ray.kill(actor)  # where only the way to it is broken
                parts.lost(part)
                continue
            except ray.exceptions.OutOfMemoryError:  # the node's, where Ray ended the process before the system did
                parts.too_large(part)
            except ray.exceptions.RayTaskError as exc:
                match exc.cause:
                    case BatchTooLarge():
                        parts.too_large(part)
                    case EngineUnavailable():
                        fault = str(exc.cause)
                        parts.not_run(part)
                        continue
                    case _:
                        raise
            free.append(actor)
        return fault

    def _of_any(self, question: str, *of: Any) -> Any:
        self.load()
        import ray

        for actor in self._actors:
            try:
                return ray.get(getattr(actor, question).remote(*of))
            except ray.exceptions.RayActorError:
                continue
        raise EngineUnavailable(f"{self.name}: no actor answers; see `ray status`")

    def _connect(self) -> Any:
        try:
            import ray
        except ImportError as exc:
            raise EngineUnavailable(f"{self.name}: ray is not installed. {_INSTALL}") from exc
        except Exception as exc:  # what stops a library from importing may be anything
            said = f"ray is installed, but cannot be imported ({type(exc).__name__}: {exc})"
            raise EngineUnavailable(f"{self.name}: {said}. Run `python -c 'import ray'` to see why") from exc
        if not ray.is_initialized():
            address = self._address or "auto"
            ours = {"include_dashboard": False} if address == "local" else {}
            try:
                ray.init(address=address, log_to_driver=False, logging_level="ERROR", **ours)
            except (ConnectionError, RuntimeError, ValueError) as exc:
                said = f"there is no Ray cluster at {address!r} ({type(exc).__name__})"
                fix = "Start one with `ray start --head`, or give its address; `local` starts one on this machine"
                raise EngineUnavailable(f"{self.name}: {said}. {fix}") from exc
            self._connected = True
        return ray


def _cause(error: Exception) -> str:
    """What went wrong in the actor, in one line; Ray gives it with the whole traceback."""
    cause = getattr(error, "cause", None)
    return str(error).strip().rpartition("\n")[2] if cause is None else f"{type(cause).__name__}: {cause}"
