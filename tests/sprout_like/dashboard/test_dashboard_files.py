"""The page's own files: nothing from elsewhere, nothing inline, the plots as their makers published them."""

from __future__ import annotations

import json
import posixpath
import re
from importlib.resources import files
from pathlib import Path

import pytest

from sprout_like.dashboard.assets import read_assets
from sprout_like.dashboard.span import SPANS

STATIC = Path(str(files("sprout_like.dashboard") / "static"))
OURS = sorted(path for path in STATIC.rglob("*") if path.is_file() and "vendor" not in path.parts)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_asked_of_another_server_and_nothing_is_read_as_html(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(
        r"https?://|//[a-z0-9-]+\.[a-z]+/|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text
    )
    if path.suffix == ".html":
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style|javascript:", text)


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix in (".js", ".css")], ids=lambda path: path.name)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 250


def test_every_module_that_is_imported_is_served() -> None:
    assets = read_assets()
    named = {
        posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        for path, asset in assets.items()
        if asset.media_type.startswith(("text/html", "text/javascript"))
        for name in re.findall(r"(?:from |src=|href=)\"([/.][^\"]+)\"", asset.content.decode())
    }
    assert len(named) > 10
    assert named <= assets.keys()


def test_a_browser_asks_for_the_files_of_a_release_once(serve, ledger) -> None:
    served = serve(ledger)
    page = served.get("/")
    assert page.headers["Cache-Control"] == "no-cache"
    named = re.findall(r"=\"(/[^\"]+)\"", page.text)
    assert named
    for path in named:
        answer = served.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert "private" in answer.headers["Cache-Control"]


def test_the_page_offers_the_spans_that_there_are() -> None:
    assert json.dumps(list(SPANS)) in (STATIC / "main.js").read_text("utf-8")


def test_uplot_is_there_with_its_version_and_licence() -> None:
    vendored = STATIC / "vendor" / "uplot"
    version = (vendored / "VERSION").read_text("utf-8").strip()
    assert f"(v{version})" in (vendored / "uPlot.esm.js").read_text("utf-8")[:500]
    assert "MIT" in (vendored / "LICENSE").read_text("utf-8")
