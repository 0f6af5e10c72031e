"""From the name of an engine to the engine; each is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import util
from typing import TYPE_CHECKING, Any, Final

from sprout_like.errors import SettingError
from sprout_like.jobs.engines.engine import BatchEngine

if TYPE_CHECKING:
    from sprout_like.settings import Settings

__all__ = ["ENGINES", "open_batch_engine"]

ENGINES: Final = ("auto", "padded", "continuous", "openai", "ray")
"""What `--engine` may be."""

_IN_PROCESS: Final = "sprout_like.jobs.engines.in_process:open_in_process"


def open_batch_engine(
    kind: str,
    *,
    model: str | None,
    settings: Settings,
    actor_options: Mapping[str, Any] | None = None,
) -> BatchEngine:
    """An engine for jobs; no model is loaded yet.

    Args:
        kind: one of `ENGINES`; `auto` is in this process, padded or continuous, whichever suits the device.
        model: name or folder; None for the demonstration's, or for the only one that a server has.
        settings: resolved settings.
        actor_options: of Ray's actors.

    Raises:
        SettingError: there is no such engine, or what it needs is not set or not installed.
    """
    match kind:
        case "auto" | "padded" | "continuous":
            from sprout_like.jobs.engines.in_process import open_in_process

            return open_in_process(model, kind=kind)
        case "openai":
            return _server(model, settings)
        case "ray":
            return _pool(model, settings, actor_options)
    near = get_close_matches(kind, ENGINES, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Use one of {', '.join(ENGINES)}"
    raise SettingError("engine", f"there is no {kind!r}", hint)


def _server(model: str | None, settings: Settings) -> BatchEngine:
    from sprout_like.jobs.engines.counters import whole_machine
    from sprout_like.jobs.engines.openai_server import OpenAIServer
    from sprout_like.meters import open_accounts

    url, key = settings.engine_url, settings.engine_key
    if url is None:
        raise SettingError(
            "engine_url", "it is not set, and the engine openai asks there", "Set it, as in http://localhost:8000/v1"
        )
    token = None if key is None else key.get_secret_value()
    return OpenAIServer(
        url,
        model or _only_model(url, token),
        key=token,
        j_per_token=settings.engine_j_per_token,
        host_devices=whole_machine(open_accounts(settings.meter, settings=settings).devices),
    )


def _only_model(url: str, key: str | None) -> str:
    from sprout_like.jobs.engines.openai_server import models_of

    models = models_of(url, key=key)
    if len(models) == 1:
        return models[0]
    problem = (
        f"the server has several: {', '.join(models)}"
        if models
        else "none is given, and the server at engine_url does not answer, or does not say which it has"
    )
    raise SettingError("model", problem, "Give the model's name, as the server knows it")


def _pool(model: str | None, settings: Settings, actor_options: Mapping[str, Any] | None) -> BatchEngine:
    if util.find_spec("ray") is None:
        raise SettingError("engine", "ray is not installed", "Run: pip install 'sprout-like[ray]'")
    from sprout_like.demo.model import MODEL_NAME
    from sprout_like.jobs.engines.ray_actor import MadeBy, MeterOnNode
    from sprout_like.jobs.engines.ray_pool import RayPool

    return RayPool(
        MadeBy(path=_IN_PROCESS, arguments={"model": model}),
        model=model or MODEL_NAME,
        actors=settings.ray_actors,
        address=settings.ray_address,
        actor_options=actor_options,
        meter=MeterOnNode(
            meter=settings.meter,
            cpu_watts_per_core=settings.cpu_watts_per_core,
            dram_watts_per_gib=settings.dram_watts_per_gib,
            account_period_s=settings.account_period_s,
        ),
    )
