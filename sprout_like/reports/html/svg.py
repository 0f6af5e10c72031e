"""Figures of matplotlib as SVG inside a page: text as text, colours and styles by the page's own style sheet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as Tree

from sprout_like.printable import printable
from sprout_like.reports.html.palette import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

__all__ = ["Names", "Styles", "inline", "writable"]

_SVG: Final = "{http://www.w3.org/2000/svg}"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_VARIABLES: Final = {role.light: f"var(--{role.name})" for role in ROLES}
_UNKNOWN_TO_CSS: Final = frozenset({"none", "url"})
_SAID: Final = 2000
_POINTED_AT: Final = 300
"""Characters of a name that was cut which show on pointing at it."""

# Type is the page's business: matplotlib's own sizes would be those of its screen, not of the reader's.
_LEFT_TO_THE_PAGE: Final = frozenset({"font", "font-family", "font-size", "font-style"})


def writable(text: str) -> str:
    """The text without what turns its direction and what a page cannot hold: controls, halves of surrogate pairs."""
    return printable(text).encode("utf-8", "replace").decode("utf-8")


class Names:
    """Names in a plot that others chose.

    matplotlib sees a stand-in and so neither measures, parses nor refuses them.
    """

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, int]] = {}

    def stand_in(self, name: str, longest: int) -> str:
        """What to draw for the name, of so many characters at most; `inline` puts it back."""
        stand_in = f"name:{len(self._names)}"
        self._names[stand_in] = (name, longest)
        return stand_in

    def put_back(self, drawn: Tree.Element) -> None:
        """Set the name for which this text stands, cut where it is long; its beginning shows on pointing at it."""
        if drawn.text not in self._names:
            return
        name, longest = self._names[drawn.text]
        line = " ".join(writable(name).split())
        drawn.text = line if len(line) <= longest else f"{line[: longest - 1]}…"
        if drawn.text != line:
            Tree.SubElement(drawn, "title").text = line[:_POINTED_AT]


class Styles:
    """The declarations that the plots of one page use, each set once, under a class of its own."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}

    def class_of(self, declarations: str) -> str:
        """The class that stands for them."""
        return self._classes.setdefault(declarations, f"s{len(self._classes)}")

    def rules(self) -> str:
        """The style sheet."""
        return "\n".join(f".{name}{{{declarations}}}" for declarations, name in self._classes.items())


def inline(figure: Figure, name: str, description: str, styles: Styles, names: Names) -> str:
    """The figure as an `svg` element: no style of its own, no identifier that another plot could have.

    Args:
        figure: drawn in colours of the palette only, which the page then shows as its own, light or dark.
        name: of the plot, unique in its page.
        description: what a reader who cannot see it is told.
        styles: of the page.
        names: that were drawn by their stand-ins.

    Raises:
        ValueError: the figure has a colour that is not in the palette.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    # What matplotlib has just written.
    root = Tree.fromstring(drawn.getvalue())  # noqa: S314
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{_SVG}style" or (child.tag == f"{_SVG}defs" and not len(child)):
                parent.remove(child)
    used = set(_references(root))
    for element in root.iter():
        _adapt(element, styles, used)
        if element.tag == "text":
            names.put_back(element)
    width, height = (root.get("viewBox") or "").split()[2:]
    root.attrib.clear()
    root.attrib.update({"id": name, "class": "plot", "viewBox": f"0 0 {width} {height}", "role": "img"})
    root.set("aria-label", writable(description[:_SAID]))
    for element in root.iter():
        element.tail = None
        element.text = element.text if element.tag in ("text", "title") else None
    return Tree.tostring(root, encoding="unicode")


def _adapt(element: Tree.Element, styles: Styles, used: set[str]) -> None:
    element.tag = element.tag.removeprefix(_SVG)
    if _HREF in element.attrib:
        element.set("href", element.attrib.pop(_HREF))
    if element.get("id") not in used:
        element.attrib.pop("id", None)
    if "rotate(-0 " in element.get("transform", ""):
        del element.attrib["transform"]
    if "d" in element.attrib:
        element.set("d", " ".join(_short(word) for word in element.attrib["d"].split()))
    for key in ("x", "y", "width", "height"):
        if key in element.attrib:
            element.set(key, _short(element.attrib[key]))
    declared = [part.partition(":")[::2] for part in element.attrib.pop("style", "").split(";") if part.strip()]
    declared += [(key, element.attrib.pop(key)) for key in ("fill", "stroke") if key in element.attrib]
    kept = [(key.strip(), value.strip()) for key, value in declared if key.strip() not in _LEFT_TO_THE_PAGE]
    if kept:
        element.set("class", styles.class_of(";".join(f"{key}:{_value(key, value)}" for key, value in kept)))


def _value(key: str, value: str) -> str:
    if key not in ("fill", "stroke") or value.partition("(")[0] in _UNKNOWN_TO_CSS:
        return value
    if value not in _VARIABLES:
        raise ValueError(f"{value} is not a colour of the palette")
    return _VARIABLES[value]


def _short(word: str) -> str:
    """A coordinate to a tenth of a unit, which is a tenth of a pixel; a command of a path as it is."""
    try:
        return f"{float(word):.1f}".removesuffix(".0")
    except ValueError:
        return word


def _references(root: Tree.Element) -> Iterator[str]:
    """Identifiers that something in the figure points to: clip paths, hatches, markers."""
    for element in root.iter():
        for value in element.attrib.values():
            if value.startswith("#"):
                yield value[1:]
            for part in value.split("url(#")[1:]:
                yield part.partition(")")[0]
