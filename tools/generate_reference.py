# SPDX-License-Identifier: Apache-2.0
"""Writes the reference pages that are made from the code: commands, errors, fields of every file, settings.

    python tools/generate_reference.py            # into docs/reference
    python tools/generate_reference.py FOLDER     # elsewhere

A test compares the committed pages with what this gives, so that no page can fall behind the code.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from tidegate.assess.explain import FLAG_WORDS
from tidegate.assess.model import AGREEMENT_WORDS, SET_ASIDE_WORDS, Assessment
from tidegate.assess.whatif import FINDING_WORDS
from tidegate.case.checks import RULES, CaseFinding
from tidegate.case.load import CaseFile
from tidegate.case.model import SafetyCase
from tidegate.cli.app import app
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model
from tidegate.evidence.redaction import WITHHOLDABLE, RedactionFile
from tidegate.flow.decisions import DecisionFile
from tidegate.govern.critiques import Critique
from tidegate.govern.decisions import NEXT, Decision
from tidegate.govern.report_text import ReportText
from tidegate.govern.reports import Report
from tidegate.incidents.model import TIME_MEANINGS, Said
from tidegate.incidents.severity import IncidentSettings
from tidegate.kernel import errors
from tidegate.kernel.record import Record
from tidegate.ledger.entries import KINDS, Entry, KindOf, Signed, predicate_type, statement
from tidegate.obligations.model import ObligationFile, Rule, RulePack
from tidegate.obligations.rules import shipped_packs
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import shipped_frameworks
from tidegate.policy.model import Policy
from tidegate.publish.bundle import Manifest
from tidegate.publish.due_pages import rule_words
from tidegate.publish.practices import AnswerFile, ChangeFile, ModelPage, Practice, TextRedactionFile
from tidegate.publish.report_templates import ReportTemplate
from tidegate.publish.trust import Trust
from tidegate.publish.verification import CHECKS
from tidegate.store.project import ProjectRecord

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
COLUMNS = 100
"""Width of the help texts, whatever the terminal."""
MADE = "<!-- Made by `make reference`; change the code, not this page. -->\n\n"

ENVIRONMENT: dict[str, str] = {
    "TIDEGATE_PROJECT": "Folder of the project, where `--project` is not given.",
    "TIDEGATE_TODAY": "The day that counts as today, as `2026-06-01`, for tests, examples and reruns. "
    "Without it, today is today in UTC.",
    "TIDEGATE_PERSON": "Who acts, where `--as` is not given. "
    "Whether a report of noncompliance is anonymous is never read from here.",
    "TIDEGATE_KEY": "Their key, where `--key` is not given.",
    "TIDEGATE_LOG_KEY": "The log's private key, where `--log-key` is not given.",
    "TIDEGATE_PASSPHRASE": "Passphrase of the key that is used, where nobody can be asked for it.",
    "TIDEGATE_CASE_KEY": "Case key of an anonymous reporter, where `--case-key-file` is not given.",
    "SSH_AUTH_SOCK": "Socket of the key agent, as ssh-agent sets it.",
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


def records_part(*roots: type[Record], level: int = 2, beside: tuple[type[Record], ...] = ()) -> str:
    """Give the fields of records and of every record inside them, a section each, none of them twice.

    Args:
        roots: the records.
        level: level of the headings.
        beside: records whose sections stand on the same page already.
    """
    there, found = _sections(beside, level), _sections(roots, level)
    assert all(there.get(name, text) == text for name, text in found.items())
    return "\n".join(text for name, text in found.items() if name not in there)


def _sections(roots: Iterable[type[Record]], level: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for root in roots:
        schema = root.model_json_schema(by_alias=True)
        sections = {root.__name__: schema, **schema.get("$defs", {})}
        for name in _in_order(sections, root.__name__):
            made = _record_section(name, sections, level)
            assert found.setdefault(name, made) == made, f"two records on one page are called {name}"
    return found


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
    text = _prose(schema.get("description", ""))
    return f"{'#' * level} {name}\n\n{text}\n\n{_table(('Field', 'Type', 'Default', 'Meaning'), rows)}"


def _prose(docstring: str) -> str:
    """Give a docstring as Markdown with a sentence on each line."""
    paragraphs = (" ".join(part.split()).replace("``", "`") for part in docstring.split("\n\n"))
    return "\n\n".join(re.sub(r"(?<=[a-z`)][.!?]) (?=[A-Z`])", "\n", one) for one in paragraphs)


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
            f"one of [{title.lower()}](assessment-schema.md#{title.lower()})"
            if title
            else ", ".join(f"`{word}`" for word in schema["enum"])
        )
    match schema.get("type"):
        case "array":
            return _list_type(schema)
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


def _list_type(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"{' and '.join(_type(one) for one in schema['prefixItems'])}, in a list"
    return f"list of {_type(schema['items'])}".replace("list of one of", "list of")


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


# --- the ledger --------------------------------------------------------------------------------------


def ledger_page() -> str:
    """Give the page of entries: what the log holds, kind by kind."""
    head = (
        "# Entries of the ledger\n\n"
        "The list of kinds is closed: the log takes no other.\n"
        "An entry is canonical JSON (RFC 8785) of the record below; its `body` is the record of its kind.\n"
        "A kind that is signed has no effect without the actor's signature over the entry's\n"
        "[statement](predicates/index.md).\n"
        "An entry that breaks a rule stays in the log, has no effect, and `tidegate ledger verify` lists it.\n"
    )
    rows = [
        (f"[`{kind}`](#{of.body.__name__.lower()})", "yes" if of.is_signed else "", of.meaning)
        for kind, of in KINDS.items()
    ]
    kinds = f"## Kinds\n\n{_table(('Kind', 'Signed', 'What it records'), rows)}"
    return "\n".join([MADE + head, kinds, records_part(Entry, *(of.body for of in KINDS.values()))])


_PREDICATES_HEAD = """# Predicates

Whoever acts in a way that binds people signs an in-toto Statement v1 in a DSSE envelope.
`tidegate ledger show N --envelope` prints the envelope of an entry, for any tool that knows DSSE.

The subjects of a statement are what the act is about, by SHA-256 digest.
For a decision these are the decision itself, the policy, the evidence, the models, the assessment, each report and
the safety case.
Where an act is about nothing else, the act itself is the subject, under the name `act`.

The predicate has the same fields in every type:

| Field | Type | Meaning |
|---|---|---|
| `entry` | 32 hexadecimal digits | Id of the entry in the log. |
| `log` | text | Origin of the log that it was signed for; in any other it has no effect. |
| `actedAt` | RFC 3339 time in UTC | When, as the actor says; the order is that of the log. |
| `by` | id | Person who acted. |
| `act` | object | The act; its fields are those of the type's page. |

Rules for readers, as the in-toto specification has them: unknown fields are ignored, and a field that is added later
never makes a statement say less.
Numbers in an act are whole numbers; digests are written `sha256:` and 64 hexadecimal digits.

"""


def predicate_pages() -> dict[str, str]:
    """Give a page for the predicate of each signed kind, and one that lists them."""
    signed = {kind: of for kind, of in KINDS.items() if of.is_signed}
    rows = [(f"[`{kind}`]({kind}.md)", f"`{predicate_type(kind)}`", of.meaning) for kind, of in signed.items()]
    index = MADE + _PREDICATES_HEAD + _table(("Kind", "Type", "What the signer says"), rows)
    return {
        "predicates/index.md": index,
        **{f"predicates/{kind}.md": _predicate_page(kind, of) for kind, of in signed.items()},
    }


def _predicate_page(kind: str, of: KindOf) -> str:
    body = _example(of.body)
    made = Entry(
        id="0" * 32,
        kind=kind,
        acted_at="2026-11-21T09:30:00Z",
        by="ada",
        log="example.com/safety",
        over=(Signed(name="decision", digest="sha256:" + "ab" * 32),) if kind.startswith("decision.") else (),
        body=of.body.model_validate(body).model_dump(mode="json", exclude_defaults=True),
    )
    example = json.dumps(statement(made), indent=2, ensure_ascii=False)
    return (
        f"{MADE}# {kind}\n\nType: `{predicate_type(kind)}`\n\n"
        f"## Purpose\n\n{of.meaning}\n\n"
        f"## Model\n\n{_prose(of.body.__doc__ or '')}\n"
        "The signature counts if the key spoke for the person when the entry came into the log.\n\n"
        f"## Schema\n\n{records_part(of.body, level=3)}\n"
        f"## Example\n\n```json\n{example}\n```\n"
    )


_SAMPLES: dict[str, Any] = {
    "digest": "sha256:" + "cd" * 32,
    "day": "2027-05-21",
    "fingerprint": "SHA256:" + "A" * 43,
    "public_key": "ssh-ed25519 " + "A" * 68,
}


def _example(record: type[Record]) -> dict[str, Any]:
    """Give the smallest body that the record accepts."""
    schema = record.model_json_schema(by_alias=True)
    return {name: _sample(name, schema["properties"][name]) for name in schema.get("required", ())}


def _sample(name: str, schema: dict[str, Any]) -> Any:
    pattern = schema.get("pattern", "")
    known = {"^sha256": "digest", "^SHA256": "fingerprint", "^(ssh": "public_key"}
    for start, sample in known.items():
        if pattern.startswith(start):
            return _SAMPLES[sample]
    if schema.get("format") == "date":
        return _SAMPLES["day"]
    if schema.get("$ref", "").endswith("/Sealed"):
        return {"digest": _SAMPLES["digest"]}
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "integer":
            return 1
        case "boolean":
            return True
        case "array":
            return [_sample(name, schema["items"])]
        case "object":
            return {"claim-1": _SAMPLES["digest"]}
        case _:
            return {"decision": "D-1", "person": "bob", "text": "In words.", "reason": "In words."}.get(
                name, f"{name}-1"
            )


def decision_page() -> str:
    """Give the page of decision files."""
    head = (
        "# Decisions\n\n"
        "A decision is a document in canonical JSON, named by its digest: whoever signs it signs that digest, and the\n"
        "digests of everything that it rests on.\n"
        "`tidegate decide show DECISION --json` prints it.\n"
    )
    written = "## What people write\n\nThe file of `tidegate decide propose --file`.\n\n"
    written += records_part(DecisionFile, level=2, beside=(Decision,))
    states = "## States\n\n" + _table(
        ("State", "Can become"),
        (
            (f"`{state}`", ", ".join(f"`{one}`" for one in after) or "nothing: it has ended")
            for state, after in NEXT.items()
        ),
    )
    return "\n".join([MADE + head, records_part(Decision), states, written])


def bundle_page() -> str:
    """Give the page of bundles and trust files."""
    head = (
        "# Bundles and trust\n\n"
        "A bundle is a zip archive whose parts are stored uncompressed, in the order of their names, with fixed dates:\n"
        "the same content gives the same bytes, and a bundle in any other form is refused.\n"
        "`tidegate verify` makes these checks, in this order, and each gives one line:\n\n"
        + "".join(f"{number}. {name}\n" for number, (name, _) in enumerate(CHECKS, 1))
        + "\nParts: `manifest.json`, `policy.json`, `models.json`, `evidence.json`, `assessment.json`, `checkpoint`,\n"
        "`entries/` and `proofs/` of the log, and `documents/` (decisions, reports, cases) named by their digests.\n"
    )
    trust = f"## Trust files\n\n`tidegate trust` writes one.\n\n{records_part(Trust, level=3)}"
    return "\n".join([MADE + head, records_part(Manifest), trust])


# --- reports and safety cases ------------------------------------------------------------------------


def report_page() -> str:
    """Give the page of reports: what people write, critiques, and the whole report."""
    head = (
        "# Reports\n\n"
        "[Write a capability or safeguards report](../how-to/write-a-report.md) shows how they come about.\n"
        "People write the text and critiques as YAML; the report as a whole is made by the program.\n"
        "`tidegate report show REPORT --json` prints it.\n"
        "Findings, readings, records and lines in it are those of [assessments](assessment-schema.md),\n"
        "[evidence](evidence-schema.md) and [policies](policy-schema.md), and are repeated here so that the page is whole.\n"
    )
    written = f"## What people write\n\nThe file `reports/*.yaml`.\n\n{records_part(ReportText, level=3)}"
    critique = f"## Critiques\n\nThe file of `tidegate report criticise --file`.\n\n{records_part(Critique, level=3)}"
    whole = records_part(Report, level=3, beside=(ReportText, Critique))
    return "\n".join([MADE + head, written, critique, f"## The report as a whole\n\n{whole}"])


def case_page() -> str:
    """Give the page of safety cases: the rules, and the fields of a case."""
    head = (
        "# Safety cases\n\n"
        "[Build a safety case](../how-to/build-a-safety-case.md) shows how one is made, and\n"
        "[the explanation](../explanation/safety-cases.md) says what its numbers and marks mean.\n"
        "`tidegate case export --format json` prints a case, and with `--schema` its JSON schema.\n"
    )
    rules = f"## Rules\n\n`tidegate case check` applies them.\n\n{_table(('Rule', 'What it asks for'), ((f'`{code}`', said) for code, said in RULES.items()))}"
    files = (
        "## Files\n\nA case is one file or several; each has this form, and what it leaves out of the head of the case\n"
        f"comes from the files that it includes.\n\n{records_part(CaseFile, level=3)}"
    )
    whole = records_part(SafetyCase, CaseFinding, level=3, beside=(CaseFile,))
    return "\n".join([MADE + head, rules, files, f"## The case as a whole\n\n{whole}"])


# --- publication, obligations, incidents ---------------------------------------------------------------


def publication_page() -> str:
    """Give the page of what a project publishes: the files of `hub/`, and templates of reports."""
    head = (
        "# Files of publication\n\n"
        "[Publish your first transparency hub](../how-to/publish-your-hub.md) shows how they are used.\n"
        "Every file under `hub/` names its format in `schema`.\n"
    )
    practices = f"## Practices, answers, pages of models\n\n{records_part(Practice, AnswerFile, ModelPage, level=3)}"
    files = (TextRedactionFile, ChangeFile)
    register = f"## Register of redactions, and changelog\n\n{records_part(*files, level=3)}"
    templates = f"## Templates of reports\n\n{records_part(ReportTemplate, level=3)}"
    return "\n".join([MADE + head, practices, register, templates])


def obligations_page() -> str:
    """Give the page of rules: every rule that ships, and the file of a project."""
    head = (
        "# Obligations\n\n"
        "[See what is due](../how-to/see-what-is-due.md) shows how dates follow from rules and events, and\n"
        "[How dates are computed](../explanation/obligations.md) says how they are counted.\n"
        "The rules are readings in our own words, and no legal advice.\n"
    )
    heads = ("Rule", "What", "Counted", "Calendar", "Only if", "In force")
    packs = [
        f"### {pack.title}\n\nSource: **{pack.source}**\n\n{_table(heads, map(_rule_row, pack.rules))}"
        for pack in shipped_packs()
        if pack.rules
    ]
    files = f"## Files\n\nThe file `obligations.yaml`, and packs of rules.\n\n{records_part(ObligationFile, RulePack, level=3)}"
    return "\n".join([MADE + head, "## Rules that ship\n", *packs, files])


def _rule_row(rule: Rule) -> tuple[str, ...]:
    facts = ", ".join(f"`{one}`" for one in rule.only_if)
    since = rule.in_force_from.isoformat() if rule.in_force_from else ""
    return (f"`{rule.id}`", rule.title, rule_words(rule), f"`{rule.calendar}`", facts, since)


def frameworks_page() -> str:
    """Give the page of frameworks: which ship, and the fields of one."""
    head = (
        "# Frameworks\n\n"
        "Laws, codes, commitments, standards and questionnaires as data; what an item asks is in our own words.\n"
        "A project adds its own, or newer versions, under `frameworks/*.yaml`.\n"
    )
    rows = [
        (f"`{one.id}`", one.version, one.title, one.kind, one.status, str(len(one.items)))
        for one in shipped_frameworks().values()
    ]
    table = _table(("Framework", "Version", "Title", "Kind", "Status", "Items"), rows)
    return "\n".join([MADE + head, f"## Frameworks that ship\n\n{table}", records_part(Framework)])


def incident_page() -> str:
    """Give the page of incidents: the times, the questions, and what is said of an incident."""
    head = (
        "# Incidents\n\n"
        "[Handle an incident](../how-to/handle-an-incident.md) shows how one is recorded.\n"
        "The log holds a salted digest of each record below; the record itself stands outside it.\n"
    )
    times = _table(("Time", "When"), ((f"`{name}`", said) for name, said in TIME_MEANINGS.items()))
    settings = f"## incidents.yaml\n\n{records_part(IncidentSettings, level=3)}"
    return "\n".join([MADE + head, f"## Times\n\n{times}", records_part(Said), settings])


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
| `evidence/redactions.yaml` | words withheld from outsiders, with their salts, written by `tidegate evidence redact` |
| `reports/*.yaml` | what people write in capability and safeguards reports |
| `obligations.yaml` | facts of the organisation, its own promises and rules, calendars, events that no log holds |
| `incidents.yaml` | scales of severity that the organisation sets for its incidents |
| `hub/**/*.yaml` | practices, answers and pages of models, for publication |
| `hub/redactions.yaml` | register of words withheld from publication, written by `tidegate publish redact` |
| `hub/changelog.yaml`, `hub/archive/*.json` | what changed in the hub, and its state by half-year, written by `tidegate publish hub` |
| `frameworks/*.yaml` | own frameworks, or newer versions of those that ship |
| `cases/*/` | safety cases: `generated.yaml` is made, `case.yaml` is written by hand |
| `ledger/checkpoint` | the newest checkpoint of the log, written by `tidegate ledger checkpoint` |
| `ledger/ledger.db` | the log, unless `tidegate.yaml` names another database; it is not for git |

All but the log itself are text, belong into version control, and are reviewed like code.
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
    project = f"## tidegate.yaml\n\n{records_part(ProjectRecord, level=3)}"
    models = f"## Model files\n\n{records_part(Model, level=3)}"
    fields = "".join(f"- `{one}`\n" for one in WITHHOLDABLE)
    withheld = (
        "## evidence/redactions.yaml\n\n"
        "`tidegate evidence redact` writes it; the salts in it are as secret as the words.\n"
        f"These fields of a record may be withheld, because no rule reads them:\n\n{fields}\n"
        f"{records_part(RedactionFile, level=3)}"
    )
    return "\n".join([MADE + head, environment, _LAYOUT, project, models, withheld])


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
        "ledger-entries.md": ledger_page(),
        "decision-schema.md": decision_page(),
        "bundle-schema.md": bundle_page(),
        "report-schema.md": report_page(),
        "safety-case.md": case_page(),
        "publication-schema.md": publication_page(),
        "obligations.md": obligations_page(),
        "frameworks.md": frameworks_page(),
        "incident-schema.md": incident_page(),
        **predicate_pages(),
    }


def write(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
