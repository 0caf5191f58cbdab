# SPDX-License-Identifier: Apache-2.0
"""The documentation says everything that there is to say, and the generated pages are those of the code."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command

from tidegate.assess.model import Assessment
from tidegate.case.checks import RULES
from tidegate.case.load import CaseFile
from tidegate.case.model import SafetyCase
from tidegate.cli.app import app
from tidegate.evidence.formats import FORMATS
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model
from tidegate.evidence.redaction import WITHHOLDABLE, RedactionFile
from tidegate.flow.decisions import DecisionFile
from tidegate.govern.critiques import Critique
from tidegate.govern.decisions import NEXT, Decision
from tidegate.govern.report_text import ReportText
from tidegate.govern.reports import Report
from tidegate.incidents.model import Said
from tidegate.incidents.severity import IncidentSettings
from tidegate.kernel.errors import CODES
from tidegate.kernel.record import Record
from tidegate.ledger.entries import KINDS, STATEMENT_TYPE, Entry, predicate_type
from tidegate.obligations.model import ObligationFile, RulePack
from tidegate.obligations.rules import shipped_rules
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import shipped_frameworks
from tidegate.policy.model import Policy
from tidegate.publish.bundle import Manifest
from tidegate.publish.practices import AnswerFile, ChangeFile, ModelPage, Practice, TextRedactionFile
from tidegate.publish.report_templates import ReportTemplate
from tidegate.publish.trust import Trust
from tidegate.publish.verification import CHECKS
from tidegate.store.project import ProjectRecord

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SOURCE = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py"))}
TESTS = {
    path: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    if path.name != "test_docs.py"
}
ENVIRONMENT = re.compile(r"""(?:os\.environ(?:\.get\(|\[)|os\.getenv\(|envvar=)\s*["']([A-Z_]+)["']""")
HOW_TOS = {
    "tidegate": "write-evidence-by-hand.md",
    "reported": "import-reported-figures.md",
    "run-table": "import-run-tables.md",
}
"""Format -> how-to, where its name is not ``import-<format>.md``."""


def generator() -> ModuleType:
    spec = spec_from_file_location("generate_reference", ROOT / "tools" / "generate_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = generator()
PAGES: dict[str, str] = REFERENCE.pages()


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def commands(command: Any, path: str = "tidegate") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


def records(kind: type[Record]) -> dict[str, type[Record]]:
    """Give a record and every record in its fields, by name."""
    found: dict[str, type[Record]] = {}

    def visit(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, Record) and annotation.__name__ not in found:
            found[annotation.__name__] = annotation
            for field in annotation.model_fields.values():
                visit(field.annotation)
        for inner in getattr(annotation, "__args__", ()):
            visit(inner)

    visit(kind)
    return found


def section(text: str, title: str) -> str:
    """Give the text under a heading, to the next heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_those_of_the_code(name):
    assert page(name) == PAGES[name], f"docs/reference/{name} is behind the code: run `make reference`"


def test_every_command_and_option_is_documented():
    text = page("commands.md")
    for path, command in commands(get_command(app)):
        shown = section(text, path)
        assert shown, f"{path} has no section"
        for parameter in command.params:
            for option in [one for one in parameter.opts if one.startswith("-")]:
                assert option in shown, f"{path} {option} is not documented"


def test_every_command_says_what_it_does():
    for path, command in commands(get_command(app)):
        assert command.help, f"{path} has no help"
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{path} {parameter.name} has no help"


def test_every_error_code_is_documented():
    text = page("errors.md")
    assert [code for code, meaning in CODES.items() if f"| `{code}` | {meaning} |" not in text] == []


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_is_raised_and_tested(code):
    raised = [
        path for path, text in SOURCE.items() if f'"{code}"' in text and path.parts[-2:] != ("kernel", "errors.py")
    ]
    assert raised, f"nothing raises {code}: delete it, or raise it"
    assert [path for path, text in TESTS.items() if code in text], f"no test provokes {code}"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("policy-schema.md", Policy),
        ("evidence-schema.md", EvidenceSet),
        ("assessment-schema.md", Assessment),
        ("settings.md", ProjectRecord),
        ("settings.md", Model),
        ("settings.md", RedactionFile),
        ("report-schema.md", ReportText),
        ("report-schema.md", Critique),
        ("report-schema.md", Report),
        ("safety-case.md", CaseFile),
        ("safety-case.md", SafetyCase),
        ("decision-schema.md", Decision),
        ("decision-schema.md", DecisionFile),
        ("bundle-schema.md", Manifest),
        ("bundle-schema.md", Trust),
        ("publication-schema.md", Practice),
        ("publication-schema.md", AnswerFile),
        ("publication-schema.md", ModelPage),
        ("publication-schema.md", TextRedactionFile),
        ("publication-schema.md", ChangeFile),
        ("publication-schema.md", ReportTemplate),
        ("obligations.md", ObligationFile),
        ("obligations.md", RulePack),
        ("frameworks.md", Framework),
        ("incident-schema.md", Said),
        ("incident-schema.md", IncidentSettings),
        ("ledger-entries.md", Entry),
        *(("ledger-entries.md", of.body) for of in KINDS.values()),
        *((f"predicates/{kind}.md", of.body) for kind, of in KINDS.items() if of.is_signed),
    ],
)
def test_every_field_is_documented(name, kind):
    text = page(name)
    for record_name, record in records(kind).items():
        shown = section(text, record_name)
        assert shown, f"{name}: {record_name} has no section"
        for field, about in record.model_fields.items():
            row = next((line for line in shown.splitlines() if line.startswith(f"| `{about.alias or field}` |")), "")
            assert row, f"{name}: {record_name}.{field} is not documented"
            assert row.split(" | ")[-1].strip(" |"), f"{name}: {record_name}.{field} has no meaning"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_entry_is_listed_with_its_body(kind):
    of = KINDS[kind]
    row = next((line for line in page("ledger-entries.md").splitlines() if line.startswith(f"| [`{kind}`](#")), "")
    assert f"(#{of.body.__name__.lower()})" in row
    assert row.endswith(f"| {'yes' if of.is_signed else ''} | {of.meaning} |")


def test_every_signed_kind_and_no_other_has_a_predicate_page():
    signed = {kind for kind, of in KINDS.items() if of.is_signed}
    there = {path.name.removesuffix(".md") for path in (DOCS / "reference" / "predicates").glob("*.md")} - {"index"}
    assert there == signed
    index = page("predicates/index.md")
    assert [kind for kind in signed if f"[`{kind}`]({kind}.md) | `{predicate_type(kind)}`" not in index] == []


@pytest.mark.parametrize("kind", [kind for kind, of in KINDS.items() if of.is_signed])
def test_the_example_of_a_predicate_is_a_statement_of_its_type(kind):
    text = page(f"predicates/{kind}.md")
    shown = json.loads(text.partition("```json\n")[2].partition("```")[0])
    assert (shown["_type"], shown["predicateType"]) == (STATEMENT_TYPE, predicate_type(kind))
    assert all(len(one["digest"]["sha256"]) == 64 for one in shown["subject"])
    KINDS[kind].body.model_validate(shown["predicate"]["act"])
    fields = re.findall(r"^\| `(\w+)` \|", page("predicates/index.md"), re.MULTILINE)
    assert sorted(fields) == sorted(shown["predicate"]), "the index lists other fields than statements have"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_safety_cases_is_explained(rule):
    assert f"| `{rule}` | {RULES[rule]} |" in page("safety-case.md")
    explained = (DOCS / "explanation" / "safety-cases.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| {rule} \| \S+", explained, re.MULTILINE)


def test_every_check_of_a_bundle_is_explained():
    how_to = (DOCS / "how-to" / "verify-a-bundle.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([a-z ]+) \| [A-Z]", how_to, re.MULTILINE) == [name for name, _ in CHECKS]
    listed = re.findall(r"^\d+\. (.+)$", page("bundle-schema.md"), re.MULTILINE)
    assert listed == [name for name, _ in CHECKS]


def test_every_state_and_every_field_that_may_be_withheld_is_listed():
    states = section(page("decision-schema.md"), "States")
    assert [state for state in NEXT if not re.search(rf"^\| `{state}` \|", states, re.MULTILINE)] == []
    settings = page("settings.md")
    assert [one for one in WITHHOLDABLE if f"- `{one}`\n" not in settings] == []


def test_every_rule_and_framework_that_ships_is_listed():
    rules, frameworks = page("obligations.md"), page("frameworks.md")
    assert [one.id for one in shipped_rules() if f"| `{one.id}` |" not in rules] == []
    assert [one for one in shipped_frameworks() if f"| `{one}` |" not in frameworks] == []


def test_every_environment_variable_is_documented():
    used = {name for text in SOURCE.values() for name in ENVIRONMENT.findall(text)}
    assert "TIDEGATE_TODAY" in used
    assert "TIDEGATE_PROJECT" in used
    shown = section(page("settings.md"), "Environment")
    assert {name for name in used if f"`{name}`" not in shown} == set()
    # NO_COLOR is read by a library, and the others only where they are used.
    assert set(REFERENCE.ENVIRONMENT) - used == {"NO_COLOR"}


@pytest.mark.parametrize("name", FORMATS)
def test_every_importer_has_a_how_to(name):
    path = DOCS / "how-to" / HOW_TOS.get(name, f"import-{name}.md")
    assert path.is_file(), f"there is no {path.name}"
    assert "tidegate evidence import" in path.read_text(encoding="utf-8")


def documents() -> list[Path]:
    return sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        there = path if not name else (path.parent / name).resolve()
        assert there.exists(), f"{path.name} links to {target}"
        if anchor and there.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^a-z0-9 _-]", "", head.lower()).replace(" ", "-") for head in heads}, target


SHOWN = re.compile(r"^\s*(?:\$ |- run: )?(tidegate [^\n]*)$|`(tidegate [^`\n]+)`", re.MULTILINE)
"""A command in an example, or in a line of text."""


def mistakes(line: str) -> Iterator[str]:
    """Give what is wrong with a command that a document shows: it does not exist, or has no such option."""
    for part in re.split(r"&&|\||>", line.partition("  #")[0]):
        words = shlex.split(part)
        command, at = get_command(app), 1
        if words[:1] != ["tidegate"]:
            continue
        while at < len(words) and words[at] in getattr(command, "commands", {}):
            command, at = command.commands[words[at]], at + 1
        if getattr(command, "commands", {}) and at < len(words) and not words[at].startswith("-"):
            yield f"there is no command {' '.join(words[: at + 1])}"
        known = {"-h", "--help"} | {one for given in command.params for one in (*given.opts, *given.secondary_opts)}
        for word in words[at:]:
            if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known:
                yield f"{' '.join(words[:at])} has no option {word}"


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_are_shown_exist(path):
    if path == DOCS / "reference" / "commands.md":
        pytest.skip("made from the commands themselves")
    text = path.read_text(encoding="utf-8").replace("\\\n>", "")
    lines = [one or other for one, other in SHOWN.findall(text)]
    assert [mistake for line in lines for mistake in mistakes(line)] == []


def test_commands_that_help_texts_show_exist():
    texts = {path: re.sub(r"\s+", " ", command.help or "") for path, command in commands(get_command(app))}
    lines = [(path, other) for path, text in texts.items() for _, other in SHOWN.findall(text) if other]
    assert len(lines) > len(texts) // 2
    assert [f"{path}: {mistake}" for path, line in lines for mistake in mistakes(line)] == []


def pages_in(nav: Any) -> Iterator[str]:
    """Give the pages that a navigation names, at any depth."""
    if isinstance(nav, str):
        yield nav
    else:
        for inner in nav.values() if isinstance(nav, dict) else nav:
            yield from pages_in(inner)


def test_the_navigation_holds_every_page():
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    named = sorted(pages_in(site["project"]["nav"]))
    assert named == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def test_the_checks_check():
    text = "# A\n\nx\n\n## B\n\n| `y` | text |  | Why. |\n"
    assert "`y`" in section(text, "B")
    assert section(text, "C") == ""
    assert ENVIRONMENT.findall('os.environ.get(\'A\'), os.environ["B"], f(envvar="C")') == ["A", "B", "C"]
    assert {"Threshold", "Line", "RuleLock"} <= set(records(Policy))
    assert SHOWN.findall("$ tidegate a\nsee `tidegate b`\n- run: tidegate c") == [
        ("tidegate a", ""),
        ("", "tidegate b"),
        ("tidegate c", ""),
    ]
    assert list(mistakes("tidegate decide sign D-1 --as ada --key a.key  # --no")) == []
    assert list(mistakes("tidegate gate m && tidegate decide sing D-1")) == ["there is no command tidegate decide sing"]
    assert list(mistakes("tidegate ledger record --as ada")) == ["tidegate ledger record has no option --as"]
