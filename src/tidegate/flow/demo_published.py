# SPDX-License-Identifier: Apache-2.0
"""The demo's third part: what the made-up house owes, and what it says in public."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.flow.hub import HubOptions, PublishedHub, publish_hub
from tidegate.flow.obligations import standing
from tidegate.flow.outputs import write_output
from tidegate.flow.public_reports import make_haip, make_report
from tidegate.flow.publishing import collect
from tidegate.flow.world import World
from tidegate.obligations.model import Duty
from tidegate.publish.inventory import Badge, worth

REPORT = "sb53-transparency"
OPEN_STATES = ("unclear", "late", "due_soon", "due")


@dataclass(frozen=True)
class PublishedDemo:
    """What the third part of the demo did."""

    duties: tuple[Duty, ...]
    """What is owed, nearest first."""
    badges: Mapping[Badge, int]
    """How many public statements are worth what."""
    hub: PublishedHub
    site: Path
    """First page of the hub."""
    haip: tuple[Path, ...]
    """The answered questionnaire, as Markdown and PDF."""
    haip_status: str
    report: Path
    report_status: str


def build_published_demo(world: World) -> PublishedDemo:
    """Publish the hub, the HAIP report and a transparency report of the house, beside its project."""
    owed = tuple(one for one in standing(world).duties if one.state in OPEN_STATES)
    content = collect(world).content
    badges = Counter(
        worth(said, practice, content.inventory, content.at).badge
        for practice in content.publication.practices
        for said in practice.statements
    )
    site, published = world.root / "site", world.root / "published"
    hub = publish_hub(world, site, HubOptions(bundles=True))
    forms = ("md", "pdf")
    made = [make_haip(world, form, final=True) for form in forms]
    haip = tuple(published / f"haip.{form}" for form in forms)
    for path, one in zip(haip, made, strict=True):
        write_output(path, one.data)
    report = make_report(world, REPORT, None, "html")
    write_output(published / f"{REPORT}.html", report.data)
    return PublishedDemo(
        duties=owed,
        badges=badges,
        hub=hub,
        site=site / "index.html",
        haip=haip,
        haip_status=made[0].summary,
        report=published / f"{REPORT}.html",
        report_status=report.summary,
    )
