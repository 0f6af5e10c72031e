"""From the setting `judge` to a judge."""

from __future__ import annotations

from pathlib import Path

from grid.errors import SourceSpecError
from grid.http.credentials import is_sendable
from sprout_like.errors import SettingError
from sprout_like.judges.answerer import Answerer
from sprout_like.judges.endpoint import Endpoint
from sprout_like.judges.judge import Judge
from sprout_like.judges.own import open_function
from sprout_like.judges.references import SCORERS, ReferenceJudge
from sprout_like.judges.rotation import ModelJudge
from sprout_like.meters.accounts import Accounts
from sprout_like.meters.charge import charged_devices
from sprout_like.settings import Settings

__all__ = ["open_judge"]

_FORMS = "Give endpoint:MODEL, local:FOLDER, exact, numeric, contains, or FILE.py:FUNCTION"


def open_judge(spec: str, settings: Settings, *, accounts: Accounts | None = None) -> Judge:
    """The judge that a text names. Loads a local model; connects nowhere yet.

    Args:
        spec: as in the setting `judge`.
        settings: address, key and energy of an endpoint.
        accounts: meter a local model; None leaves its energy unknown.

    Raises:
        SettingError: the text names no judge, or what it names cannot be had; what to do.
    """
    kind, _, rest = spec.strip().partition(":")
    if spec.strip() in SCORERS:
        return ReferenceJudge(spec.strip())
    match kind:
        case "endpoint" if rest:
            return ModelJudge(_endpoint(rest, settings))
        case "local" if rest:
            return ModelJudge(_local(rest, accounts))
        case _ if kind.endswith(".py") and rest:
            return open_function(Path(kind), rest)
    raise SettingError("judge", f"{spec!r} names no judge", _FORMS)


def _endpoint(model: str, settings: Settings) -> Endpoint:
    if settings.judge_url is None:
        raise SettingError(
            "judge_url",
            "it is not set, so the endpoint's address is unknown",
            "Give the base URL of an OpenAI-compatible endpoint, such as http://localhost:8000/v1",
        )
    key = None if settings.judge_key is None else settings.judge_key.get_secret_value()
    if key is not None and not is_sendable(key):
        raise SettingError("judge_key", "it is empty, or holds what no header can hold", "Set it anew")
    try:
        return Endpoint(model, settings.judge_url, key=key, j_per_token=settings.judge_j_per_token)
    except SourceSpecError as exc:
        raise SettingError("judge_url", str(exc), "Such as http://localhost:8000/v1") from None


def _local(folder: str, accounts: Accounts | None) -> Answerer:
    from sprout_like.calibrate.model import load_model
    from sprout_like.engines.places import device_id, places
    from sprout_like.judges.local import LocalModel

    if not Path(folder).is_dir():
        raise SettingError(
            "judge", f"there is no folder {folder!r}", "Download the model first, and name the folder that it is in"
        )
    try:
        model, tokenizer = load_model(folder)
    except SettingError as exc:
        raise SettingError("judge", exc.problem, exc.fix) from exc
    if getattr(tokenizer, "chat_template", None) is None:
        raise SettingError(
            "judge", f"{folder!r} has no chat template", "Name a model that was tuned to follow instructions"
        )
    if accounts is None:
        return LocalModel(model, tokenizer, name=folder)
    sits_on = [device_id(device) for device in places(model)]
    charged = charged_devices(accounts.devices, sits_on) or ()
    return LocalModel(model, tokenizer, name=folder, open_window=lambda: accounts.open(charged))
