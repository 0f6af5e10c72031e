"""The addresses of the page and of its data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from directives import DirectiveError
from sprout_like.dashboard.access import Access
from sprout_like.dashboard.assets import read_assets
from sprout_like.dashboard.data import Data
from sprout_like.dashboard.database import NotThereYet
from sprout_like.dashboard.guard import Guard, Hosts
from sprout_like.dashboard.span import SPANS
from sprout_like.errors import SproutError
from sprout_like.printable import printable
from sprout_like.reports.machine import plain

__all__ = ["build_app"]


def build_app(data: Data, hosts: Hosts, access: Access | None) -> ASGIApp:
    """The application.

    Args:
        data: what it tells.
        hosts: names by which it may be asked for.
        access: who may look; None for everybody who reaches it.
    """
    routes = [
        Route("/api/page", _told(lambda _: data.page())),
        Route("/api/now", _told(lambda _: data.now())),
        Route("/api/traffic", _told(lambda request: data.traffic(_span(request)))),
        Route("/api/saving", _told(lambda request: data.saving(_span(request)))),
        Route("/api/jobs", _told(lambda _: data.jobs())),
        Route("/api/health", _told(lambda _: data.health())),
        Route("/{path:path}", _asset()),
    ]
    return Guard(Starlette(routes=routes), hosts, access)


class _NoSuchSpan(ValueError):
    """A span that the page never asks for."""


def _span(request: Request) -> str:
    name = request.query_params.get("span", "day")
    if name not in SPANS:
        raise _NoSuchSpan(f"span: there is none of that name. Use one of: {', '.join(SPANS)}")
    return name


def _told(find: Callable[[Request], Mapping[str, Any]]) -> Callable[[Request], Any]:
    """An address that answers with what `find` gives, called in a thread; 304 where the browser has that already."""

    async def answer(request: Request) -> Response:
        try:
            found = await run_in_threadpool(find, request)
        except _NoSuchSpan as exc:
            return _json({"error": str(exc)}, HTTPStatus.BAD_REQUEST)
        except (SproutError, DirectiveError) as exc:
            problem = {"error": str(exc), "empty": isinstance(exc, NotThereYet)}
            return _json(problem, HTTPStatus.SERVICE_UNAVAILABLE)
        return _fresh(request, _json(found))

    return answer


def _asset() -> Callable[[Request], Any]:
    assets = read_assets()

    async def answer(request: Request) -> Response:
        asset = assets.get(request.url.path)
        if asset is None:
            return Response("Not Found\n", HTTPStatus.NOT_FOUND, media_type="text/plain")
        headers = {"ETag": asset.etag, "Cache-Control": asset.keep}
        return _fresh(request, Response(asset.content, headers=headers, media_type=asset.media_type))

    return answer


def _json(data: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    text = json.dumps(plain(data), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair, which a tag may hold, has no UTF-8.
    content = printable(text).encode("utf-8", "replace")
    etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    return Response(content, status, {"ETag": etag, "Cache-Control": "no-cache"}, "application/json")


def _fresh(request: Request, response: Response) -> Response:
    etag = response.headers["ETag"]
    if request.headers.get("If-None-Match") != etag:
        return response
    kept = {"ETag": etag, "Cache-Control": response.headers["Cache-Control"]}
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)
