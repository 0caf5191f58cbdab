# SPDX-License-Identifier: Apache-2.0
"""A house with people who handle reports of noncompliance, and one who makes them."""

from dataclasses import replace
from pathlib import Path

import yaml

from house import House, a_house, a_signer
from tidegate.flow.ledgers import Act, record_act
from tidegate.kernel.clock import system_ids
from tidegate.ledger.acts import KeyAdded
from tidegate.ledger.signing import proof_bytes
from tidegate.store.project import PROJECT_FILE

STAFF = {
    "mia": ("Mia Manager", ("case-manager",)),
    "max": ("Max Meier", ("case-manager",)),
    "rita": ("Rita Reporter", ()),
    "carl": ("Carl Culprit", ()),
}


def an_office(folder: Path, *, keyless: tuple[str, ...] = ("carl",)) -> House:
    """Give a house with `STAFF`; whoever is keyless has no key in the log."""
    house = replace(a_house(folder), ids=system_ids)
    file = house.root / PROJECT_FILE
    settings = yaml.safe_load(file.read_text())
    settings["people"] += [{"id": one, "name": name, "roles": list(roles)} for one, (name, roles) in STAFF.items()]
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    for name, (_, roles) in STAFF.items():
        house.signers[name] = signer = a_signer()
        if name not in keyless:
            proof = signer.sign(proof_bytes(name, roles, signer.public_key))
            body = KeyAdded(person=name, roles=roles, public_key=signer.public_key, proof=proof)
            record_act(house.world(), Act("key.added", body, house.actor("ada")))
    return house


def bytes_of(house: House) -> bytes:
    """Give everything that the log's database has on disk."""
    return b"".join(path.read_bytes() for path in sorted((house.root / "ledger").rglob("*")) if path.is_file())
