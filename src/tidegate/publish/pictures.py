# SPDX-License-Identifier: Apache-2.0
"""Drawings that may stand on a page: shapes and text, nothing that runs, loads or leads anywhere."""

import re
from typing import NamedTuple
from xml.etree import ElementTree as ET

from tidegate.kernel.errors import Problem, PublicationError
from tidegate.publish.words import clean, one_line

MAX_SVG = 2_000_000
"""Characters; a chart of a hundred rows has a tenth of this."""
MAX_DEPTH = 100
"""Nested groups; a chart has about ten."""
MAX_SIDE = 20_000.0
"""Pixels; a longer side is a mistake, and would take all memory where it is drawn."""
ELEMENTS = frozenset(
    {
        *("svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "title"),
        *("desc", "defs", "clipPath", "mask", "pattern", "symbol", "use", "marker", "linearGradient"),
        *("radialGradient", "stop"),
    }
)
"""Elements of SVG that draw, or describe what is drawn."""

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_UNSAFE_STYLE = re.compile(r"url\(\s*['\"]?(?!['\"]?#)|@|expression|javascript|\\", re.IGNORECASE)
_REFERENCE = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")
_NUMBER = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]*)?)\s*(?:px)?\s*\Z")


class Size(NamedTuple):
    """Width and height in pixels."""

    width: float
    height: float


def safe_svg(svg: str, alt: str, prefix: str) -> str:
    """Give a drawing as one SVG element that has a name for those who do not see it.

    Its ids begin with the prefix, so that two drawings on one page do not meet.

    Raises:
        PublicationError: PUB008, it is no SVG, is too large, or holds what does more than draw.
    """
    root = _parsed(svg)
    ids = {name: f"{prefix}-{name}" for one in root.iter() if (name := one.get("id"))}
    for one in root.iter():
        _renamed(one, ids)
    for name in ("aria-labelledby", "aria-describedby", "aria-hidden"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", one_line(alt))
    root.set("focusable", "false")
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode")


def words_of(svg: str) -> str:
    """Give the words in a drawing, tooltips among them.

    Raises:
        PublicationError: PUB008, as `safe_svg`.
    """
    return " ".join(one for text in _parsed(svg).itertext() if (one := text.strip()))


def size_of(svg: str) -> Size:
    """Give the size that a drawing says it has; 640 by 360 if it says nothing.

    Raises:
        PublicationError: PUB008, as `safe_svg`.
    """
    root = _parsed(svg)
    box = [float(one) for one in re.findall(r"-?[0-9]+(?:\.[0-9]+)?", root.get("viewBox", ""))[2:4]]
    sides = [
        float(found.group(1)) if (found := _NUMBER.match(root.get(name, ""))) else None for name in ("width", "height")
    ]
    width, height = (side or (box[at] if len(box) == 2 else usual) for at, (side, usual) in enumerate(_usual(sides)))
    return Size(min(max(width, 1.0), MAX_SIDE), min(max(height, 1.0), MAX_SIDE))


def _usual(sides: list[float | None]) -> list[tuple[float | None, float]]:
    return list(zip(sides, (640.0, 360.0), strict=True))


def _parsed(svg: str) -> ET.Element:
    if len(svg) > MAX_SVG:
        raise _refused(f"it has {len(svg):,} characters, and {MAX_SVG:,} are allowed")
    if "<!" in re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL):
        # Entities are declared there, and could expand without limit or read files.
        raise _refused("it holds a declaration")
    try:
        root = ET.fromstring(svg)  # noqa: S314 - it holds no declaration, and so no entities
    except ET.ParseError:
        raise _refused("it is not well-formed XML") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise _refused("it is no SVG")
    _check(root, 0)
    return root


def _check(element: ET.Element, depth: int) -> None:
    name = element.tag.removeprefix(f"{{{_SVG}}}") if isinstance(element.tag, str) else "?"
    if name not in ELEMENTS:
        raise _refused(f"it holds an element that does not draw ({one_line(name)[:40]})")
    if depth > MAX_DEPTH:
        raise _refused(f"its elements are nested more than {MAX_DEPTH} deep")
    for key, value in element.attrib.items():
        if _is_unsafe(key, value):
            raise _refused(f"the attribute {one_line(key)[:40]} of an element leads out of it, or runs something")
    element.text = clean(element.text) if element.text else element.text
    for child in element:
        child.tail = clean(child.tail) if child.tail else child.tail
        _check(child, depth + 1)


def _is_unsafe(key: str, value: str) -> bool:
    if key in ("href", _XLINK):
        return not value.startswith("#")
    if key.startswith("{"):
        return not key.startswith("{http://www.w3.org/XML/1998/namespace}")
    is_style = key == "style" or "url(" in value
    return key.casefold().startswith("on") or (is_style and _UNSAFE_STYLE.search(value) is not None)


def _renamed(element: ET.Element, ids: dict[str, str]) -> None:
    for key, value in list(element.attrib.items()):
        if key == "id":
            element.set(key, ids[value])
        elif key in ("href", _XLINK):
            element.set(key, f"#{ids.get(value[1:], value[1:])}")
        elif "url(" in value:
            element.set(key, _REFERENCE.sub(lambda found: f"url(#{ids.get(found[1], found[1])})", value))


def _refused(reason: str) -> PublicationError:
    hint = "draw it with shapes and text only"
    return PublicationError(Problem("PUB008", f"a picture cannot be shown: {reason}", None, hint))
