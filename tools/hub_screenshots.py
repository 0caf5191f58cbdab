# SPDX-License-Identifier: Apache-2.0
"""Takes pictures of a transparency hub for the documentation, in Chromium, on a wide screen and on a phone.

    python tools/hub_screenshots.py SITE              # into docs/images
    python tools/hub_screenshots.py SITE --output DIR

SITE is the folder that `tidegate publish hub` wrote. A page that it does not have is left out.
"""

import argparse
import shutil
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDTHS = {"desktop": 1280, "phone": 390}
HEIGHTS = {"desktop": 1100, "phone": 844}
PALETTE = 64
"""Colours that are kept: text on paper needs no more, and the files stay small."""


class Picture(NamedTuple):
    """A page, as it is shown in the documentation."""

    name: str
    page: str
    """A pattern of pages; the first that the site has is taken."""
    screen: str
    scheme: str = "light"
    selector: str | None = None
    """Element that the picture begins at; the top of the page if none."""


PICTURES = (
    Picture("hub-front", "index.html", "desktop"),
    Picture("hub-practices", "sections/risk.html", "desktop"),
    Picture("hub-model", "models/[!i]*.html", "desktop", selector="#gates"),
    Picture("hub-decision", "decisions/*.html", "desktop"),
    Picture("hub-commitment", "commitments/sb53.html", "desktop", selector="#items"),
    Picture("hub-dark", "sections/risk.html", "desktop", "dark"),
    Picture("hub-front-phone", "index.html", "phone"),
    Picture("hub-practices-phone", "sections/risk.html", "phone", selector="article"),
    Picture("hub-model-phone", "models/[!i]*.html", "phone", "dark", "#gates"),
)


def take(site: Path, output: Path) -> list[Path]:
    """Write every picture that the site allows, and give their paths."""
    written = []
    with sync_playwright() as run:
        browser = run.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for one in PICTURES:
            pages = sorted(path for path in site.glob(one.page) if "evaluations" not in path.name)
            if not pages:
                continue
            size = {"width": WIDTHS[one.screen], "height": HEIGHTS[one.screen]}
            page = browser.new_page(viewport=size, color_scheme=one.scheme, reduced_motion="reduce")
            page.goto(pages[0].resolve().as_uri())
            if one.selector:
                page.locator(one.selector).first.evaluate("(one) => window.scrollTo(0, one.offsetTop - 24)")
            path = output / f"{one.name}.png"
            path.write_bytes(smaller(page.screenshot()))
            page.close()
            written.append(path)
        browser.close()
    return written


def smaller(png: bytes) -> bytes:
    """Give the same picture with a palette: its most frequent colours, and the nearest of these for the others."""
    width, height, pixels = _pixels(png)
    colours, places, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    palette = colours[np.argsort(-counts, kind="stable")[:PALETTE]]
    distances = ((colours[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2)
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = distances.argmin(axis=1)[places.reshape(-1)].reshape(height, width)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    named = (
        (b"IHDR", header),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in (*named, (b"IEND", b"")))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _pixels(png: bytes) -> tuple[int, int, np.ndarray]:
    """Read a PNG of eight bits, with three or four channels, as Chromium writes it."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    channels = {2: 3, 6: 4}[kind]
    data, place = b"", 8
    while place < len(png):
        length, name = struct.unpack(">I4s", png[place : place + 8])
        if name == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += length + 12
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * channels)
    found = np.zeros((height, width * channels), np.int32)
    above = np.zeros(width * channels, np.int32)
    for number in range(height):
        above = found[number] = _unfiltered(int(rows[number, 0]), rows[number, 1:].astype(np.int32), above, channels)
    return width, height, found.reshape(height, width, channels)[:, :, :3]


def _unfiltered(kind: int, row: np.ndarray, above: np.ndarray, channels: int) -> np.ndarray:
    if kind == 0:
        return row
    if kind == 2:
        return (row + above) % 256
    made = row.copy()
    for place in range(len(row)):
        left = int(made[place - channels]) if place >= channels else 0
        up = int(above[place])
        corner = int(above[place - channels]) if place >= channels else 0
        made[place] = (int(row[place]) + _predicted(kind, left, up, corner)) % 256
    return made


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 3:
        return (left + up) // 2
    guess = left + up - corner
    return min((left, up, corner), key=lambda one: abs(guess - one))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path)
    parser.add_argument("--output", type=Path, default=IMAGES)
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    for path in take(chosen.site, chosen.output):
        print(f"{path} {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
