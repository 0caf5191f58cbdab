# SPDX-License-Identifier: Apache-2.0
"""Writes the reference pages that are made from the code: commands, errors, fields of every file, settings.

    python tools/generate_reference.py            # into docs/reference
    python tools/generate_reference.py FOLDER     # elsewhere

A test compares the committed pages with what this gives, so that no page can fall behind the code.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from tidegate.assess.explain import FLAG_WORDS
from tidegate.assess.model import AGREEMENT_WORDS, SET_ASIDE_WORDS, Assessment
from tidegate.assess.whatif import FINDING_WORDS
from tidegate.cli.app import app
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model
from tidegate.kernel import errors
from tidegate.kernel.record import Record
from tidegate.policy.model import Policy
from tidegate.store.project import ProjectRecord

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
COLUMNS = 100
"""Width of the help texts, whatever the terminal."""
MADE = "<!-- Made by `make reference`; change the code, not this page. -->\n\n"

ENVIRONMENT: dict[str, str] = {
    "TIDEGATE_PROJECT": "Folder of the project, where `--project` is not given.",
    "TIDEGATE_TODAY": "The day that counts as today, as `2026-06-01`, for tests, examples and reruns. "
    "Without it, today is today in UTC.",
    "COLUMNS": "Width of tables that go to a file or a pipe; 100 if it is not set. "
    "A terminal's own width counts first.",
    "GITHUB_ACTIONS": "If `true`, as GitHub sets it, problems and findings are printed as annotations, too.",
    "NO_COLOR": "If set, nothing is printed in colour; read by the library that draws the tables.",
}
"""Environment variable -> what it does."""


# --- commands ----------------------------------------------------------------------------------------


def helps() -> Iterator[tuple[str, str]]:
    """Give every command, groups first, with its help text."""
    command = get_command(app)
    yield from _helps(command, _context(command, "tidegate", None))


def _context(command: Any, name: str, parent: Any) -> Any:
    width = {"terminal_width": COLUMNS, "max_content_width": COLUMNS}
    return command.context_class(command, info_name=name, parent=parent, **{**command.context_settings, **width})


def _helps(command: Any, context: typer.Context) -> Iterator[tuple[str, str]]:
    command.rich_markup_mode = None
    yield context.command_path, command.get_help(context)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, _context(inner, name, context))


def commands_page() -> str:
    """Give the page of commands."""
    head = (
        "# Commands\n\n"
        "Every command exits with 0 for yes, 1 for no (a gate is closed, a check found something),\n"
        "and 2 if the question could not be answered.\n"
        "With `--json` it prints one JSON document, problems included.\n"
        "A project is found from the working folder upward, unless `--project` names it.\n"
    )
    sections = (
        f"{'##' if name.count(' ') < 2 else '###'} {name}\n\n```text\n{text.strip()}\n```\n" for name, text in helps()
    )
    return "\n".join([MADE + head, *sections])


# --- errors ------------------------------------------------------------------------------------------

_ERRORS_HEAD = """# Errors

Every problem that Tidegate shows has a code, a place (`file:line:column`), what was expected, and mostly a hint.
A code keeps its meaning in later versions, so scripts may rely on it.
All problems of a file are shown at once, and a command that meets an error exits with 2.

A policy with three mistakes:

```yaml title="policy.yaml"
schema: tidegate/policy/v1
id: house
version: "1"
title: House policy
publisher: Example Lab
domain: [{id: cyber, title: Cyber attack}]
thresholds: [{id: CY-1}]
```

```console
$ tidegate policy check policy.yaml
policy.yaml:1:1: error DOC008: 'domains' is missing
  hint: add 'domains'
policy.yaml:7:14: error DOC008: 'domain' is missing
  hint: add 'domain'
policy.yaml:6:1: error DOC007: unknown key 'domain'
  hint: did you mean 'domains'?
$ echo $?
2
```

A problem is an `error`, a `warning` or a `note`.
With `--json`, problems come as data: `{"problems": [{"code": ..., "message": ..., "where": ..., "hint": ...}]}`.
"""


def errors_page() -> str:
    """Give the page of error codes."""
    kinds = {kind.prefix: kind for kind in errors.TidegateError.__subclasses__()}
    parts = [MADE + _ERRORS_HEAD]
    for prefix, kind in kinds.items():
        rows = [(f"`{code}`", meaning) for code, meaning in errors.CODES.items() if code.startswith(prefix)]
        parts.append(f"## {prefix}: {(kind.__doc__ or '').rstrip('.').lower()}\n\n{_table(('Code', 'Meaning'), rows)}")
    return "\n".join(parts)


# --- records -----------------------------------------------------------------------------------------


def records_part(root: type[Record], level: int = 2) -> str:
    """Give the fields of a record and of every record inside it, a section each."""
    schema = root.model_json_schema(by_alias=True)
    sections = {root.__name__: schema, **schema.get("$defs", {})}
    reached = _in_order(sections, root.__name__)
    return "\n".join(_record_section(name, sections, level) for name in reached)


def _in_order(sections: dict[str, Any], root: str) -> list[str]:
    """Order the records as a reader meets them."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in found:
            return
        found[name] = None
        for inner in _references(sections[name].get("properties", {})):
            visit(inner)

    visit(root)
    return list(found)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _record_section(name: str, sections: dict[str, Any], level: int) -> str:
    schema = sections[name]
    required = set(schema.get("required", ()))
    rows = [
        (f"`{field}`", _type(inner), "required" if field in required else _default(inner), _meaning(inner, sections))
        for field, inner in schema["properties"].items()
    ]
    text = "\n".join(line.strip() for line in schema.get("description", "").splitlines())
    return f"{'#' * level} {name}\n\n{text}\n\n{_table(('Field', 'Type', 'Default', 'Meaning'), rows)}"


def _meaning(schema: dict[str, Any], sections: dict[str, Any]) -> str:
    # A description that only repeats the record's own is left out of a JSON schema.
    said = schema.get("description") or next((sections[name]["description"] for name in _references(schema)), "")
    return " ".join(said.replace("``", "`").split()).replace("|", "\\|")


def _default(schema: dict[str, Any]) -> str:
    match schema.get("default"):
        case bool(value):
            return f"`{str(value).lower()}`"
        case None | "" | [] | {}:  # a record's own defaults stand in its section
            return ""
        case value:
            return f"`{value}`"


_VOCABULARIES: tuple[tuple[str, str, dict[Any, str]], ...] = (
    ("Findings", "Whatever is not `ruled_out` behaves as reached.", FINDING_WORDS),
    ("Objections", "Why a record is set aside from a rule-out; it can still speak against safety.", SET_ASIDE_WORDS),
    ("Flags", "What a reader of a finding should know; flags do not change it.", FLAG_WORDS),
    ("Agreements", "How the developer's conclusion relates to the printed evidence.", AGREEMENT_WORDS),
)
"""Vocabularies that have a section of their own on the page of assessments: title, what they are, words."""


def _type(schema: dict[str, Any]) -> str:
    """Give a JSON schema in words."""
    if "anyOf" in schema:
        # What may be left out needs no word for it; what is required and may be empty does.
        null = "" if "default" in schema else " or `null`"
        return " or ".join(_type(one) for one in schema["anyOf"] if one.get("type") != "null") + null
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        title = next((title for title, _, words in _VOCABULARIES if set(words) == set(schema["enum"])), None)
        return (
            f"one of [{title.lower()}](#{title.lower()})"
            if title
            else ", ".join(f"`{word}`" for word in schema["enum"])
        )
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema['items'])}".replace("list of one of", "list of")
        case "object":
            return f"map of names to {_type(schema['additionalProperties'])}" if _is_typed(schema) else "map"
        case "string":
            return _text_type(schema)
        case "integer" | "number" as kind:
            return {"integer": "whole number", "number": "number"}[kind] + _range(schema)
        case "boolean":
            return "`true` or `false`"
        case _:
            return "anything"


def _is_typed(schema: dict[str, Any]) -> bool:
    return isinstance(schema.get("additionalProperties"), dict)


def _text_type(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date":
        return "day"
    pattern = schema.get("pattern", "")
    known = {
        "^P(": "duration, such as `P6M`",
        r"^\d{4}": "day, month or year",
        "^sha256": "digest",
        "^[A-Za-z0-9]": "id",
    }
    return next((words for start, words in known.items() if pattern.startswith(start)), "text")


def _range(schema: dict[str, Any]) -> str:
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    limits = [f"{said} {schema[key]:g}" for key, said in words.items() if key in schema]
    return f" {', '.join(limits)}" if limits else ""


def policy_page() -> str:
    """Give the page of the policy schema."""
    head = (
        "# Policy files\n\n"
        "Every field of a policy, record by record.\n"
        "[Write a policy](../how-to/write-a-policy.md) shows how they are used, and\n"
        "[indicators and rules](indicators-and-rules.md) explains the part that decides.\n"
        "`tidegate policy schema` prints the same as JSON schema, for editors.\n"
        "Unknown keys and duplicate keys are refused.\n\n"
        "Besides the fields of [Policy](#policy), a file may have two keys that are resolved when it is loaded:\n"
        "`extends`, the name of a pack that it changes, and `remove`, ids of that pack's top-level items to take out.\n"
    )
    return f"{MADE}{head}\n{records_part(Policy)}"


def evidence_page() -> str:
    """Give the page of the evidence schema."""
    head = (
        "# Evidence files\n\n"
        "Every field of evidence, record by record.\n"
        "Importers fill them in; a file of this shape can also be\n"
        "[written by hand](../how-to/write-evidence-by-hand.md) and imported.\n"
        "A record that states no `provenance` gets that of its file.\n"
    )
    return f"{MADE}{head}\n{records_part(EvidenceSet)}"


def assessment_page() -> str:
    """Give the page of the assessment schema."""
    head = (
        "# Assessments\n\n"
        "Every field of what `tidegate assess --json` prints.\n"
        "[Evidence and findings](../explanation/evidence-and-findings.md) says what they mean.\n"
        "`tidegate assess --schema` prints the same as JSON schema.\n"
        "The printed document has one key more, `digest`: the digest of the rest.\n"
    )
    vocabularies = (
        f"## {title}\n\n{said}\n\n{_table(('Word', 'Meaning'), ((f'`{word}`', words[word]) for word in words))}"
        for title, said, words in _VOCABULARIES
    )
    return "\n".join([MADE + head, records_part(Assessment), *vocabularies])


# --- settings ----------------------------------------------------------------------------------------

_LAYOUT = """## Files of a project

| Where | What |
|---|---|
| `tidegate.yaml` | the organisation, and the adopted policy |
| `policy/*.yaml` | own policies |
| `policy/rules.lock.yaml` | the decision rules fixed so far, written by `tidegate policy lock` |
| `models/*.yaml` | what is assessed, a file per model |
| `evidence/records/*.json` | what was imported, a file per import, written by `tidegate evidence import` |
| `evidence/restatements.yaml` | restatements and retractions, written by `tidegate evidence restate` |

All of them are text, belong into version control, and are reviewed like code.
"""


def settings_page() -> str:
    """Give the page of settings: environment, project file, model files."""
    head = (
        "# Settings and project files\n\n"
        "There is no settings file besides the project's own.\n"
        "What a verdict depends on stands in the project, and never in the environment, except for the day.\n"
    )
    rows = [(f"`{name}`", meaning) for name, meaning in ENVIRONMENT.items()]
    environment = f"## Environment\n\n{_table(('Variable', 'Meaning'), rows)}"
    project = f"## tidegate.yaml\n\n{records_part(ProjectRecord, 3)}"
    models = f"## Model files\n\n{records_part(Model, 3)}"
    return "\n".join([MADE + head, environment, _LAYOUT, project, models])


# --- writing -----------------------------------------------------------------------------------------


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def pages() -> dict[str, str]:
    """Give every generated page: file name -> text."""
    return {
        "commands.md": commands_page(),
        "errors.md": errors_page(),
        "policy-schema.md": policy_page(),
        "evidence-schema.md": evidence_page(),
        "assessment-schema.md": assessment_page(),
        "settings.md": settings_page(),
    }


def write(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
