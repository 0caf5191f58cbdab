# SPDX-License-Identifier: Apache-2.0
"""Projects: make one, in the layout that every command expects."""

from pathlib import Path

import yaml

from tidegate.policy.load import LoadedPolicy, load_pack
from tidegate.store.project import PROJECT_FILE, create_project

_README = """# {organisation}: frontier safety

This project is run with Tidegate. All of it lives in git and is reviewed like code.

| where | what |
|---|---|
| `tidegate.yaml` | the organisation, and the adopted policy pinned by its digest |
| `policy/` | own policies: a pack with overrides (`extends: {pack}`), or written from scratch; rule locks |
| `models/` | what is assessed: models, snapshots, effective compute, deployments |
| `evidence/` | what was observed; `tidegate evidence import FILE` keeps records under `evidence/records/` |
| `safeguards/` | control checks and gateway pipelines |
| `obligations.yaml` | what is so of the organisation, which decides what laws ask of it; its own promises |
| `hub/` | practices for publication |

First steps: `tidegate policy show`, `tidegate policy lock`, `tidegate evidence import FILE`, `tidegate assess`.
Then `tidegate due`, and `tidegate publish hub` once there is something to say.
"""

_MODEL = """schema: tidegate/model/v1
id: my-model
name: My model
developer: {organisation}
# Names under which evaluation tools know it, such as openai/my-model.
aliases: []
# Oldest first; the newest is assessed. Effective compute may be in any unit that is used throughout.
snapshots: []
"""

_OBLIGATIONS = """schema: tidegate/obligations/v1
# What is so of the organisation. It decides which rules of laws, codes and standards apply, so that nothing is asked
# while nothing is stated: `tidegate due rules` lists every rule with the facts that it waits for.
facts: []
# Own promises: what has to be done, who answers for it, by when or how often, and what shows it.
rules: []
"""

_GITIGNORE = """# The log's database is backed up, and its checkpoint is in git; private keys belong to people.
/ledger/*.db*
*.key
/site/
"""

_PLACEHOLDERS = {
    "policy/README.md": "Own policies. `tidegate policy check` checks them; `tidegate policy diff OLD NEW` compares versions.\n",
    "evidence/README.md": "Records are kept here by `tidegate evidence import`. Do not edit them: restate them.\n",
    "safeguards/README.md": "Control checks and gateway pipelines.\n",
    "hub/README.md": "Practices for publication, each with evidence and commitments.\n",
}


def project_file(organisation: str, pack: str, loaded: LoadedPolicy) -> str:
    """Give the text of a `tidegate.yaml` that adopts a pack, pinned by its digest."""
    data = {
        "schema": "tidegate/project/v1",
        "organisation": organisation,
        "policy": {"pack": pack, "digest": loaded.policy.digest},
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def new_project(directory: Path, pack: str, organisation: str) -> tuple[str, ...]:
    """Make a project that adopts a pack; give the names of the files written.

    Raises:
        PolicyError: POL008, there is no such pack.
        ProjectError: PRJ002, the folder is in use; nothing was written.
    """
    loaded = load_pack(pack)
    quoted = yaml.safe_dump(organisation, allow_unicode=True, width=10_000).strip().removesuffix("...").strip()
    files = {
        PROJECT_FILE: project_file(organisation, pack, loaded),
        "README.md": _README.format(organisation=organisation, pack=pack),
        "models/my-model.yaml": _MODEL.format(organisation=quoted),
        "obligations.yaml": _OBLIGATIONS,
        ".gitignore": _GITIGNORE,
        **_PLACEHOLDERS,
    }
    create_project(directory, files)
    return tuple(files)
