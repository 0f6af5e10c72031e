"""A report as one file that opens without a network: plots, tables and styles are inside, scripts nowhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from sprout_like.reports.html import palette
from sprout_like.reports.html.canvas import check_plots, drawing
from sprout_like.reports.html.parts import (
    cost,
    counters,
    groups,
    headline,
    jobs,
    method,
    mix,
    quality,
    saving,
    standards,
    time,
)
from sprout_like.reports.html.svg import Styles, writable
from sprout_like.reports.html.units import moment
from sprout_like.reports.html.view import Section
from sprout_like.reports.report import Report, Span

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["page"]

_TEMPLATE: Final = "report.html.jinja"
_SHEET: Final = "report.css"
_TITLE: Final = "Carbon report"


def page(report: Report) -> str:
    """The page, the same to the byte for the same report.

    It is HTML 5 for a current browser, in its reader's own light or dark, on a screen of 320 px or more and on paper.
    Its policy (Content-Security-Policy) lets nothing be loaded and nothing be run.

    Raises:
        ReportError: matplotlib is not installed.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    check_plots()
    styles = Styles()
    with drawing():
        sections = list(_sections(report, styles))
    sheet = f"{_variables()}\n{_resource(_SHEET)}\n{styles.rules()}\n"
    environment = Environment(
        autoescape=True,
        finalize=_finalized,
        loader=FunctionLoader(_resource),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["prose"] = _prose
    return environment.get_template(_TEMPLATE).render(
        title=_TITLE,
        span=_span(report.span),
        named=report.span.period,
        sections=sections,
        sheet=Markup(sheet),  # noqa: S704 - ours alone: no name of others is in it
        policy=f"default-src 'none'; style-src 'sha256-{_digest(sheet)}'; base-uri 'none'; form-action 'none'",
        version=report.version,
        drawn=Markup,
    )


def _sections(report: Report, styles: Styles) -> Iterator[Section]:
    yield headline.section(report)
    yield time.section(report, styles)
    yield mix.section(report, styles)
    yield saving.section(report, styles)
    yield quality.section(report, styles)
    yield cost.section(report)
    grouped = groups.section(report, styles)
    if grouped is not None:
        yield grouped
    yield jobs.section(report, styles)
    yield counters.section(report, styles)
    yield standards.section(report)
    yield method.section(report)


def _span(span: Span) -> str:
    """Which time the report is about, as a sentence."""
    if span.since_utc is not None and span.until_utc is not None:
        asked = f"From {moment(span.since_utc)} to {moment(span.until_utc)} UTC, the end not included."
    elif span.since_utc is not None:
        asked = f"From {moment(span.since_utc)} UTC on."
    elif span.until_utc is not None:
        asked = f"Until {moment(span.until_utc)} UTC, not included."
    else:
        asked = "All that the ledger holds."
    if span.first_utc is None or span.last_utc is None:
        return asked
    return f"{asked} The first request began on {moment(span.first_utc)}, the last on {moment(span.last_utc)} UTC."


def _variables() -> str:
    """The colours; paper is light whatever the screen is."""
    light, dark = palette.variables(dark=False), palette.variables(dark=True)
    return (
        f":root{{color-scheme:light;{light}}}\n@media screen and "
        f"(prefers-color-scheme:dark){{:root:not(:has(#light:checked)){{color-scheme:dark;{dark}}}}}\n@media "
        f"screen{{:root:has(#dark:checked){{color-scheme:dark;{dark}}}}}"
    )


def _resource(name: str) -> str:
    return files("sprout_like.reports.html").joinpath("templates", name).read_text("utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _finalized(value: Any) -> Any:
    """What the template writes: texts that are not markup already, as a page can hold them."""
    return writable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _prose(sentence: str) -> Markup:
    """A sentence, what stands between backquotes as code."""
    from markupsafe import Markup, escape

    parts = writable(sentence).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if place % 2 else part for place, part in enumerate(parts))
