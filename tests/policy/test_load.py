# SPDX-License-Identifier: Apache-2.0
"""Loading of policies: every problem at once, each with its code, its place and what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.kernel.documents import MAX_BYTES, MAX_DEPTH, parse_document
from tidegate.kernel.errors import DocumentError, PolicyError, Problem, TidegateError
from tidegate.policy import load, load_pack, load_policy, load_policy_text, pack_names, refuse_label_reuse
from tidegate.policy.load import MAX_EXTENDS, items_by_id
from tidegate.policy.model import LADDER, Commitment, Indicator, Modal, modals_in

MINIMAL = """\
schema: tidegate/policy/v1
id: acme
version: "1"
title: Acme policy
publisher: Acme
domains:
  - id: bio
thresholds:
  - id: bio-1
    domain: bio
"""
"""Ten lines: what follows begins on line 11."""

INDICATOR = """\
    indicators:
      - id: quiz
        evaluation: quiz
        falsifier: A trial that shows uplift.
        rule: {rule_out: {value: 0.5}}
"""


def refused(text: str | bytes, file: str = "p.yaml") -> tuple[Problem, ...]:
    with pytest.raises(TidegateError) as caught:
        load_policy_text(text, file)
    return caught.value.problems


# --- one problem each ------------------------------------------------------------------------------

PROBLEMS: list[tuple[str, str, str, str | None]] = [
    ("not well-formed", "title: [\n", "DOC004 p.yaml:2:1", None),
    ("key twice", MINIMAL + "id: other\n", "DOC005 p.yaml:11:1", "keep one of them"),
    ("nested", MINIMAL + "definitions: " + "[" * (MAX_DEPTH + 1) + "\n", f"DOC006 p.yaml:11:{14 + MAX_DEPTH - 1}", None),
    ("unknown key", MINIMAL + "treshold: x\n", "DOC007 p.yaml:11:1", "did you mean 'thresholds'?"),
    ("unknown nested key", MINIMAL + "    combin: {}\n", "DOC007 p.yaml:11:5", "did you mean 'combine'?"),
    ("unknown key, nothing near", MINIMAL + "scope: {zzzz: 1}\n", "DOC007 p.yaml:11:9", "known here: jurisdictions"),
    ("missing", MINIMAL.replace("publisher: Acme\n", ""), "DOC008 p.yaml:1:1", "add 'publisher'"),
    ("missing in a member", MINIMAL + "  - domain: bio\n", "DOC008 p.yaml:11:5", "add 'id'"),
    ("number for text", MINIMAL.replace('"1"', "1"), "DOC009 p.yaml:3:1", 'put it in quotes: "1"'),
    ("literal", MINIMAL + "status: in_efect\n", "DOC009 p.yaml:11:1", "did you mean 'in_effect'?"),
    ("date", MINIMAL + "effective: soon\n", "DOC009 p.yaml:11:1", None),
    ("duration", MINIMAL + "commitments: [{id: c, force: must, cadence: 6M}]\n", "DOC009 p.yaml:11:36", None),
    ("duration out of order", MINIMAL + "commitments: [{id: c, force: must, cadence: P1D1Y}]\n", "DOC009 p.yaml:11:36", None),
    ("id with a space", MINIMAL.replace("id: acme", "id: a b"), "DOC009 p.yaml:2:1", None),
    ("number too large", MINIMAL + "scope: {minimum_training_flop: 1e999}\n", "DOC009 p.yaml:11:32", None),
    ("no list", MINIMAL + "roles: board\n", "DOC009 p.yaml:11:1", None),
    ("no mapping", "- a\n", "DOC009 p.yaml:1:1", None),
    ("nothing", "", "DOC009 p.yaml:1:1", None),
    ("compute event without ratio", MINIMAL + "triggers: [{id: t, force: must, starts: a, events: [{on: effective_compute}]}]\n", "DOC009 p.yaml:11:53", None),
    ("time event without interval", MINIMAL + "triggers: [{id: t, force: must, starts: a, events: [{on: elapsed_time}]}]\n", "DOC009 p.yaml:11:53", None),
    ("quorum", MINIMAL + "approvals: [{id: a, force: must, act: b, quorum: 2}]\n", "DOC009 p.yaml:11:13", None),
    ("requirement without target", MINIMAL + "    requirements: [{id: r, force: must, kind: standard, actions: [general]}]\n", "DOC008 p.yaml:11:20", "add target or security_level"),
    ("tag", MINIMAL + "definitions: !!python/object:os.system {}\n", "DOC010 p.yaml:11:14", None),
    ("merge key", MINIMAL + "definitions: &d {a: b}\nscope: {<<: *d}\n", "DOC007 p.yaml:12:9", None),
    ("id twice", MINIMAL + "  - id: bio-1\n    domain: bio\n", "POL001 p.yaml:11:5", "the first is on line 9"),
    ("id of two kinds", MINIMAL + "roles: [{id: bio-1}]\n", "POL001 p.yaml:11:10", "the first is on line 9"),
    ("domain twice", MINIMAL.replace("  - id: bio\n", "  - id: bio\n  - id: bio\n"), "POL001 p.yaml:8:5", None),
    ("unknown domain", MINIMAL.replace("domain: bio", "domain: bios"), "POL002 p.yaml:10:5", "did you mean 'bio'?"),
    ("unknown role", MINIMAL + "commitments: [{id: c, force: must, actor: [board]}]\n", "POL002 p.yaml:11:44", "known: none"),
    ("unknown signer", MINIMAL + "roles: [{id: board}]\napprovals: [{id: a, force: must, act: b, signers: [bord]}]\n", "POL002 p.yaml:12:52", "did you mean 'board'?"),
    ("unknown discretion", MINIMAL + "triggers: [{id: t, force: must, starts: a, events: [{on: discretion, by: ceo}]}]\n", "POL002 p.yaml:11:70", None),
    ("unknown standard", MINIMAL + "    requirements: [{id: r, force: must, kind: standard, target: s, actions: [general]}]\n", "POL002 p.yaml:11:57", None),
    ("unknown safeguard", MINIMAL + "baseline: [{id: r, force: must, kind: safeguard, target: s, actions: [general]}]\n", "POL002 p.yaml:11:50", None),
    ("unknown level", MINIMAL + "    requirements: [{id: r, force: must, kind: standard, security_level: s, actions: [general]}]\n", "POL002 p.yaml:11:57", None),
    ("unknown standard of a level", MINIMAL + "security_levels: [{id: l, standard: s}]\n", "POL002 p.yaml:11:27", None),
    ("unknown indicator", MINIMAL + INDICATOR + "    alerts: [{indicator: quizz, action: tell}]\n", "POL002 p.yaml:16:15", "did you mean 'quiz'?"),
    ("unknown parent", MINIMAL + "standards: [{id: s, criteria: [{id: c, force: must, parent: d}]}]\n", "POL002 p.yaml:11:53", None),
    ("no falsifier", MINIMAL + INDICATOR.replace("        falsifier: A trial that shows uplift.\n", ""), "POL003 p.yaml:12:9", "say which observation"),
    ("printed lines without falsifier", MINIMAL + "    printed_lines: true\n", "POL003 p.yaml:9:5", "say which observation"),
    ("no modal verb", MINIMAL + "commitments: [{id: c, text: We publish.}]\n", "POL005 p.yaml:11:15", "add force"),
    ("contrary modal verb", MINIMAL + "commitments: [{id: c, text: We may publish., force: must}]\n", "POL005 p.yaml:11:15", "make the two agree"),
    ("lines in opposite directions", MINIMAL + INDICATOR.replace("0.5}", '0.5}, reach: {value: 0.8, crossed_when: "<="}'), "POL006 p.yaml:15:40", None),
    ("lines exchanged", MINIMAL + INDICATOR.replace("0.5}", "0.5}, reach: {value: 0.2}"), "POL006 p.yaml:15:40", "exchange the two values"),
    ("too many needed", MINIMAL + INDICATOR + "    combine: {rule_out: 2}\n", "POL006 p.yaml:16:15", "use at most 1"),
    ("rules itself out", MINIMAL + "    rules_out: [bio-1]\n", "POL007 p.yaml:9:5", "break the circle"),
    ("includes itself", MINIMAL + "standards: [{id: s, includes: [s]}]\n", "POL007 p.yaml:11:13", "break the circle"),
    ("no such pack", "extends: startr-x\n", "POL008 p.yaml:1:1", None),
    ("pack of another type", "extends: [a]\n", "POL008 p.yaml:1:1", None),
    ("ends too early", MINIMAL + "effective: 2026-02-01\nended: 2026-01-01\n", "POL009 p.yaml:12:1", None),
    ("no cadence", MINIMAL + "commitments: [{id: c, force: must, cadence: P0M0D}]\n", "POL009 p.yaml:11:36", "give a length"),
    ("no interval", MINIMAL + "triggers: [{id: t, force: must, starts: a, events: [{on: elapsed_time, every: P0D}]}]\n", "POL009 p.yaml:11:72", "give a length"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "hint"), [case[1:] for case in PROBLEMS], ids=[case[0] for case in PROBLEMS])
def test_a_problem_has_its_code_its_place_and_a_hint(text: str, place: str, hint: str | None) -> None:
    found = refused(text)
    assert [f"{problem.code} {problem.where}" for problem in found] == [place]
    assert hint is None or hint in str(found[0].hint)


def test_a_longer_circle_is_shown_at_each_of_its_items() -> None:
    text = MINIMAL + "    rules_out: [bio-2]\n  - {id: bio-2, domain: bio, rules_out: [bio-1]}\n"
    assert [str(problem.where) for problem in refused(text)] == ["p.yaml:9:5", "p.yaml:12:5"]
    parents = "standards: [{id: s, criteria: [{id: a, force: must, parent: b}, {id: b, force: must, parent: a}]}]\n"
    assert [problem.code for problem in refused(MINIMAL + parents)] == ["POL007", "POL007"]


def test_all_problems_are_shown_at_once_in_the_order_of_the_text() -> None:
    text = MINIMAL.replace('version: "1"\n', "").replace("publisher: Acme", "publishr: Acme") + "status: old\n"
    assert {problem.code for problem in refused(text)} == {"DOC007", "DOC008", "DOC009"}
    text = MINIMAL + "    threat_models: [x]\ncommitments: [{id: c}, {id: c, force: must}]\n"
    found = refused(text)
    assert [problem.code for problem in found] == ["POL002", "POL005", "POL001"]
    assert [problem.where.line for problem in found if problem.where] == [11, 12, 12]


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    assert [(p.code, str(p.where)) for p in refused(b"id: a\nx: \xff\n")] == [("DOC003", "p.yaml:2")]
    assert [p.code for p in refused(b"x" * (MAX_BYTES + 1))] == ["DOC002"]
    path = tmp_path / "p.yaml"
    with pytest.raises(DocumentError, match="DOC001"):
        load_policy(path)
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(DocumentError, match="DOC002"):
        load_policy(path)
    path.write_text(MINIMAL)
    assert load_policy(path).policy.label == "acme@1"


def test_a_bomb_of_aliases_is_refused() -> None:
    levels = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 10)}]\n" for n in range(1, 9))
    found = refused("b0: &b0 [x]\n" + levels)
    assert [problem.code for problem in found] == ["DOC006"]
    assert found[0].where is not None
    assert found[0].where.line == 7


# --- what loads ------------------------------------------------------------------------------------


def test_items_know_their_places() -> None:
    loaded = load_policy_text(MINIMAL + INDICATOR)
    assert str(loaded.where("quiz")) == "policy.yaml:12:9"
    assert str(loaded.where("nothing")) == "policy.yaml:1:1"
    assert set(items_by_id(loaded.policy)) == {"bio-1", "quiz"}


def test_dates_and_words_keep_their_meaning() -> None:
    loaded = load_policy_text(MINIMAL + "effective: 2025-05-14\ndefinitions: {a: no, b: yes, c: 2025-05-14}\n")
    assert loaded.policy.definitions == {"a": "no", "b": "yes", "c": "2025-05-14"}
    assert loaded.policy.effective is not None
    assert loaded.policy.effective.isoformat() == "2025-05-14"


def test_formatting_does_not_change_the_version_and_content_does() -> None:
    first = load_policy_text(MINIMAL)
    as_json = load_policy_text(json.dumps(parse_document(MINIMAL, "p").data))
    assert first.policy.version_id == as_json.policy.version_id
    other = load_policy_text(MINIMAL + "    title: Uplift\n", "other.yaml")
    assert other.policy.label == first.policy.label
    assert other.policy.version_id != first.policy.version_id
    refuse_label_reuse([first, as_json])
    with pytest.raises(PolicyError, match=r"other\.yaml:3:1: error POL004") as caught:
        refuse_label_reuse([first, other])
    assert first.policy.digest[:19] in str(caught.value)
    assert other.policy.digest[:19] in str(caught.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We will publish.", ("will",)),
        ("Acme must and shall.", ("must",)),
        ("It aims to, and may.", ("aim", "may")),
        ("It commits to this.", ("will",)),
        ("It plans to, or might.", ("intend", "could")),
        ("Developers should.", ("recommend",)),
        ("A mustard.", ()),
        ("WILL", ("will",)),
    ],
)
def test_modal_verbs_are_parsed_from_the_text(text: str, found: tuple[Modal, ...]) -> None:
    assert modals_in(text) == found
    content = MINIMAL + f"commitments: [{{id: c, text: {json.dumps(text)}}}]\n"
    if not found:
        assert [problem.code for problem in refused(content)] == ["POL005"]
        return
    commitment = load_policy_text(content).policy.commitments[0]
    assert commitment.force == max(found, key=LADDER.__getitem__)


def test_a_given_force_may_be_any_of_the_verbs_in_the_text() -> None:
    text = MINIMAL + "commitments: [{id: c, text: It will test and may publish., force: could}]\n"
    assert load_policy_text(text).policy.commitments[0].force == "could"


@pytest.mark.parametrize("force", list(LADDER))
def test_only_firm_verbs_bind(force: Modal) -> None:
    assert Commitment(id="c", force=force).binds == (force in ("must", "will"))


# --- locks and placeholders ------------------------------------------------------------------------

LOCKED = (
    MINIMAL
    + INDICATOR
    + """\
locks:
  - {threshold: bio-1, indicator: quiz, evaluation: old-quiz, digest: "sha256:0", locked_on: 2026-01-01}
"""
)


def test_a_replaced_evaluation_needs_a_recorded_change() -> None:
    found = refused(LOCKED)
    assert [(problem.code, str(problem.where)) for problem in found] == [("POL010", "p.yaml:13:9")]
    assert "evaluation_changes" in str(found[0].hint)
    change = "evaluation_changes: [{threshold: bio-1, was: old-quiz, now: quiz, on: 2026-02-01, reason: better}]\n"
    assert load_policy_text(LOCKED + change).policy.evaluation_changes[0].now == "quiz"
    other = change.replace("now: quiz", "now: exam")
    assert [problem.code for problem in refused(LOCKED + other)] == ["POL010"]
    aliased = LOCKED.replace("evaluation: quiz", "evaluation: quiz\n        aliases: [old-quiz]")
    assert load_policy_text(aliased).notices == ()


def test_a_placeholder_is_a_notice_and_no_error() -> None:
    text = MINIMAL + INDICATOR + "        placeholder: true\n"
    (notice,) = load_policy_text(text).notices
    assert (notice.code, notice.severity, str(notice.where)) == ("POL010", "warning", "policy.yaml:12:9")


def test_the_digest_of_a_rule_changes_with_what_decides_and_with_nothing_else() -> None:
    base: dict[str, Any] = {"id": "i", "evaluation": "e", "rule": {"rule_out": {"value": 0.5}}}
    plain = Indicator.model_validate(base).rule_digest
    deciding = [
        {"rule": {"rule_out": {"value": 0.6}}},
        {"elicitation": ["tools"]},
        {"minimum_n": 5},
        {"falsifier": "f"},
    ]
    assert len({plain, *(Indicator.model_validate(base | change).rule_digest for change in deciding)}) == 5
    assert Indicator.model_validate(base | {"title": "t", "note": "n", "id": "j"}).rule_digest == plain


# --- packs and overrides ---------------------------------------------------------------------------


def test_packs_are_found_by_name_and_others_suggested() -> None:
    assert pack_names() == tuple(sorted(pack_names()))
    with pytest.raises(PolicyError, match="POL008") as caught:
        load_pack("rsp-v2")
    assert "did you mean 'rsp-v" in str(caught.value)


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_loads_and_says_where_it_comes_from(name: str) -> None:
    loaded = load_pack(name)
    assert loaded.document.file == f"packs/{name}.yaml"
    assert loaded.policy.sources


@pytest.fixture
def base() -> str:
    assert "rsp-v2.2" in pack_names()
    return "rsp-v2.2"


def test_an_override_changes_fields_and_keeps_the_rest(base: str) -> None:
    original = load_pack(base).policy
    first = original.thresholds[0]
    text = f'extends: {base}\nversion: "9"\nthresholds:\n  - id: {first.id}\n    title: Ours\n  - id: new\n    domain: {first.domain}\n'
    loaded = load_policy_text(text, "ours.yaml")
    assert loaded.policy.version == "9"
    assert loaded.policy.thresholds[0] == first.model_copy(update={"title": "Ours"})
    assert [item.id for item in loaded.policy.thresholds] == [*(item.id for item in original.thresholds), "new"]
    assert loaded.policy.standards == original.standards
    places = {str(loaded.where(name)).rsplit(":", 2)[0] for name in (first.id, "new")}
    assert places == {"ours.yaml"}
    assert str(loaded.where(first.id)) == "ours.yaml:4:5"
    assert str(loaded.where(original.thresholds[1].id)).startswith(f"packs/{base}.yaml:")
    assert loaded.document.where(("thresholds", 0, "domain")).file == f"packs/{base}.yaml"


def test_removing_an_item_moves_the_places_of_those_after_it(base: str) -> None:
    original = load_pack(base)
    commitments = original.policy.commitments
    loaded = load_policy_text(f'extends: {base}\nversion: "9"\nremove: [{commitments[0].id}]\n')
    assert [item.id for item in loaded.policy.commitments] == [item.id for item in commitments[1:]]
    for item in commitments[1:]:
        assert loaded.where(item.id) == original.where(item.id)


def test_an_error_in_what_an_override_combines_is_shown_in_the_file_that_has_it(base: str) -> None:
    original = load_pack(base).policy
    domain = original.thresholds[0].domain
    found = refused(f"extends: {base}\nremove: [{domain}]\n")
    assert {problem.code for problem in found} == {"POL002"}
    assert {problem.where.file for problem in found if problem.where} == {f"packs/{base}.yaml"}


@pytest.mark.parametrize(
    ("overrides", "place"),
    [
        ("remove: [nothing]", "POL002 p.yaml:2:10"),
        ("remove: nothing", "DOC009 p.yaml:2:1"),
        ("remove: [[a]]", "DOC009 p.yaml:2:1"),
        ("thresholds: 3", "DOC009 p.yaml:2:1"),
        ("commitments: [{id: c, force: must}, {id: c, force: may}]", "POL001 p.yaml:2:38"),
        ("commitments: [{id: c}]", "POL005 p.yaml:2:15"),
        ("treshold: []", "DOC007 p.yaml:2:1"),
    ],
)
def test_a_wrong_override_is_shown_at_its_place(base: str, overrides: str, place: str) -> None:
    assert [f"{problem.code} {problem.where}" for problem in refused(f"extends: {base}\n{overrides}\n")] == [place]


def test_an_override_with_an_id_that_is_no_text_is_refused(base: str) -> None:
    found = refused(f"extends: {base}\nroles: [{{id: [1]}}]\n")
    assert [f"{problem.code} {problem.where}" for problem in found] == ["DOC009 p.yaml:2:10"]


def test_a_chain_of_policies_that_extend_each_other_ends() -> None:
    document = parse_document("extends: rsp-v2.2\n", "p.yaml")
    with pytest.raises(PolicyError, match=r"p\.yaml:1:1: error POL007"):
        load._extended(document, MAX_EXTENDS)
