# SPDX-License-Identifier: Apache-2.0
"""Keys: what is a key, what is a signature, and what OpenSSH says of the same bytes."""

import base64
import hashlib
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from tidegate.kernel.errors import SigningError
from tidegate.ledger.keys import (
    MAX_ROUNDS,
    TOKEN,
    file_public_key,
    fingerprint,
    load_signer,
    new_private_key,
    public_parts,
    public_text,
    put_string,
    verify_signature,
)

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
KEY_KIND = b"ssh-ed25519"


def seeded(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def text_of(key: Ed25519PrivateKey) -> str:
    return public_text(key.public_key().public_bytes_raw())


def blob_text(kind: str, *parts: bytes) -> str:
    return f"{kind} {base64.b64encode(b''.join(parts)).decode()}"


def token_text(point: bytes, application: bytes = b"ssh:") -> str:
    return blob_text(TOKEN, put_string(TOKEN.encode()), put_string(point), put_string(application))


def token_signature(key: Ed25519PrivateKey, data: bytes, *, flags: int = 1, counter: int = 7) -> str:
    """Sign as a FIDO2 token does for OpenSSH."""
    state = struct.pack(">BI", flags, counter)
    made = key.sign(hashlib.sha256(b"ssh:").digest() + state + hashlib.sha256(data).digest())
    return base64.b64encode(put_string(made) + state).decode()


def open_ssh(key: object, passphrase: bytes | None = None, rounds: int = 4) -> bytes:
    encryption = (
        serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(rounds).build(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption)


def problem_of(function, *args):
    with pytest.raises(SigningError) as refused:
        function(*args)
    return refused.value.problems[0]


# --- public keys --------------------------------------------------------------------------------------


def test_the_fingerprint_is_that_of_cryptography():
    key = seeded(1).public_key()
    told = serialization.ssh_key_fingerprint(key, hashes.SHA256())
    assert fingerprint(text_of(seeded(1))) == "SHA256:" + base64.b64encode(told).decode().rstrip("=")
    written = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    assert written == text_of(seeded(1))


def test_the_fingerprint_is_that_of_ssh_keygen(tmp_path: Path):
    tool = shutil.which("ssh-keygen")
    if tool is None:
        pytest.skip("ssh-keygen is not on this machine")
    for name, text in (("a", text_of(seeded(2))), ("b", token_text(seeded(3).public_key().public_bytes_raw()))):
        (tmp_path / name).write_text(f"{text} somebody\n")
        told = subprocess.run([tool, "-l", "-f", tmp_path / name], capture_output=True, text=True, check=True).stdout
        assert told.split()[1] == fingerprint(text)


def test_a_key_is_taken_apart():
    point = seeded(3).public_key().public_bytes_raw()
    parts = public_parts(token_text(point))
    assert (parts.kind, parts.point, parts.application) == (TOKEN, point, b"ssh:")
    assert parts.text == token_text(point)
    assert public_parts(text_of(seeded(3))).application is None


POINT = seeded(1).public_key().public_bytes_raw()
GOOD = put_string(KEY_KIND) + put_string(POINT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "supported kind"),
        ("ssh-rsa AAAA", "supported kind"),
        ("ssh-ed25519", "cut short"),
        (text_of(seeded(1)) + "\n", "base64"),
        (text_of(seeded(1)) + " comment", "base64"),
        (text_of(seeded(1)).replace(" ", "  "), "base64"),
        (text_of(seeded(1))[:-1], "base64"),
        (blob_text("ssh-ed25519", GOOD, b"x"), "follows"),
        (blob_text("ssh-ed25519", GOOD[:-1]), "cut short"),
        (blob_text("ssh-ed25519", put_string(KEY_KIND), put_string(POINT[:-1])), "canonical"),
        (blob_text("ssh-ed25519", put_string(KEY_KIND), put_string(POINT + b"\0")), "canonical"),
        (blob_text("ssh-ed25519", put_string(b"ssh-rsa"), put_string(POINT)), "another kind"),
        (blob_text(TOKEN, GOOD), "another kind"),
        (token_text(POINT, b"https://example.org"), "else than SSH"),
        (token_text(POINT, b""), "else than SSH"),
        (blob_text(TOKEN, put_string(TOKEN.encode()), put_string(POINT)), "cut short"),
        (token_text(POINT, b"ssh:" + b"x" * 400), "supported kind"),
        ("ssh-ed25519 " + "é" * 70, "base64"),
    ],
)
def test_what_is_no_public_key_is_refused(text, said):
    found = problem_of(public_parts, text)
    assert found.code == "KEY001"
    assert said in found.message
    assert verify_signature(text, b"x", "A" * 88) is False


def test_base64_has_one_form():
    # The last character of this text has two bits that no decoder looks at.
    text = token_text(POINT, b"ssh:")
    assert text.endswith("=")
    body = text.rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + "=" * text.count("=")
    assert base64.b64decode(other.split()[1]) == base64.b64decode(text.split()[1])
    assert "base64" in problem_of(public_parts, other).message


def doubled(x: int, y: int) -> tuple[int, int]:
    """Add a point of the curve to itself (RFC 8032, section 5.1.4, in affine form)."""
    product = D * x * x * y * y % P
    return 2 * x * y * pow(1 + product, -1, P) % P, (y * y + x * x) * pow(1 - product, -1, P) % P


def recovered(y: int) -> int | None:
    """Give an x of the curve for a y (RFC 8032, section 5.1.3), or none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if (root * root - square) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    return root if (root * root - square) % P == 0 else None


def order_is_small(y: int) -> bool:
    x = recovered(y)
    assert x is not None
    point = (x, y)
    for _ in range(3):
        point = doubled(*point)
    return point == (0, 1)


WEAK = [0, 1, P - 1, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826]
WEAK.append(P - WEAK[3])


@pytest.mark.parametrize("y", WEAK, ids=["4", "1", "2", "8", "8 too"])
@pytest.mark.parametrize("sign", [0, 1])
def test_weak_keys_are_refused(y, sign):
    assert order_is_small(y)
    found = problem_of(public_text, (y | sign << 255).to_bytes(32, "little"))
    assert (found.code, "weak" in found.message) == ("KEY001", True)


def test_a_weak_key_would_sign_everything():
    """Why weak keys are refused: one signature under the neutral point holds over every message."""
    neutral = Ed25519PublicKey.from_public_bytes((1).to_bytes(32, "little"))
    forged = (1).to_bytes(32, "little") + bytes(32)
    for message in (b"yes", b"no"):
        neutral.verify(forged, message)
    text = blob_text("ssh-ed25519", put_string(KEY_KIND), put_string((1).to_bytes(32, "little")))
    assert verify_signature(text, b"yes", base64.b64encode(forged).decode()) is False


def test_only_canonical_points_are_keys():
    for y in range(2, 60):
        is_point = recovered(y) is not None and not order_is_small(y)
        encoded = y.to_bytes(32, "little")
        if is_point:
            assert public_parts(public_text(encoded)).point == encoded
        else:
            assert problem_of(public_text, encoded).code == "KEY001"
    # The same points, written with a y beyond the field.
    for y in range(P, 2**255):
        assert problem_of(public_text, y.to_bytes(32, "little")).code == "KEY001"


@given(st.integers(0, 255))
def test_every_real_key_is_accepted(number):
    point = seeded(number).public_key().public_bytes_raw()
    assert public_parts(public_text(point)).point == point


@given(st.binary(max_size=120))
def test_noise_is_refused_in_an_orderly_way(data):
    for kind in ("ssh-ed25519", TOKEN):
        text = blob_text(kind, data)
        assert problem_of(public_parts, text).code == "KEY001"


# --- signatures ---------------------------------------------------------------------------------------


def test_a_signature_holds_for_its_key_and_message_only():
    key = seeded(5)
    made = base64.b64encode(key.sign(b"message")).decode()
    assert verify_signature(text_of(key), b"message", made)
    assert not verify_signature(text_of(key), b"another", made)
    assert not verify_signature(text_of(seeded(6)), b"message", made)


@pytest.mark.parametrize(
    "change",
    [lambda s: s + "\n", lambda s: s[:-2], lambda s: s[:-4], lambda s: "", lambda s: "é" + s],
    ids=["newline", "padding", "shorter", "empty", "letter"],
)
def test_a_signature_has_one_text(change):
    key = seeded(5)
    made = base64.b64encode(key.sign(b"message")).decode()
    assert not verify_signature(text_of(key), b"message", change(made))


def test_a_signature_has_one_value():
    """A second value of S that fits the same equation is refused (RFC 8032, section 5.1.7)."""
    order = 2**252 + 27742317777372353535851937790883648493
    key = seeded(5)
    made = key.sign(b"message")
    other = made[:32] + (int.from_bytes(made[32:], "little") + order).to_bytes(32, "little")
    assert not verify_signature(text_of(key), b"message", base64.b64encode(other).decode())


def test_a_token_signs():
    key = seeded(7)
    text = token_text(key.public_key().public_bytes_raw())
    assert verify_signature(text, b"message", token_signature(key, b"message"))
    assert verify_signature(text, b"message", token_signature(key, b"message", flags=5))
    assert not verify_signature(text, b"another", token_signature(key, b"message"))


@pytest.mark.parametrize("flags", [0, 4, 0x80])
def test_a_token_has_to_be_touched(flags):
    key = seeded(7)
    made = token_signature(key, b"message", flags=flags)
    assert not verify_signature(token_text(key.public_key().public_bytes_raw()), b"message", made)


@pytest.mark.parametrize("at", [0, 3, 4, 40, 68, 69, 72])
def test_a_changed_token_signature_does_not_hold(at):
    key = seeded(7)
    made = bytearray(base64.b64decode(token_signature(key, b"message", flags=3)))
    made[at] ^= 2
    text = token_text(key.public_key().public_bytes_raw())
    assert not verify_signature(text, b"message", base64.b64encode(made).decode())


def test_one_kind_of_signature_does_not_stand_for_the_other():
    key = seeded(7)
    point = key.public_key().public_bytes_raw()
    assert not verify_signature(token_text(point), b"m", base64.b64encode(key.sign(b"m")).decode())
    assert not verify_signature(text_of(key), b"m", token_signature(key, b"m"))
    longer = base64.b64encode(base64.b64decode(token_signature(key, b"m")) + b"\0").decode()
    assert not verify_signature(token_text(point), b"m", longer)


def test_a_token_signature_is_that_of_ssh_keygen(tmp_path: Path):
    """OpenSSH itself verifies what the simulated token signed, wrapped in the armour of ``ssh-keygen -Y``."""
    tool = shutil.which("ssh-keygen")
    if tool is None:
        pytest.skip("ssh-keygen is not on this machine")
    key = seeded(9)
    text = token_text(key.public_key().public_bytes_raw())
    head = put_string(b"file") + put_string(b"") + put_string(b"sha512")
    signed = b"SSHSIG" + head + put_string(hashlib.sha512(b"message").digest())
    made = token_signature(key, signed)
    assert verify_signature(text, signed, made)
    blob = put_string(TOKEN.encode()) + base64.b64decode(made)
    armoured = (
        b"SSHSIG" + struct.pack(">I", 1) + put_string(base64.b64decode(text.split()[1])) + head + put_string(blob)
    )
    lines = base64.b64encode(armoured).decode()
    (tmp_path / "sig").write_text(f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n")
    (tmp_path / "allowed").write_text(f"ada {text}\n")
    verify = [tool, "-Y", "verify", "-f", "allowed", "-I", "ada", "-n", "file", "-s", "sig"]
    done = subprocess.run(verify, input=b"message", cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert subprocess.run(verify, input=b"other", cwd=tmp_path, capture_output=True, check=False).returncode != 0


# --- private key files --------------------------------------------------------------------------------


def test_a_new_key_is_read_again_with_its_passphrase():
    data, text = new_private_key(b"correct horse", rounds=4)
    signer = load_signer(data, lambda: b"correct horse", "k")
    assert signer.public_key == text == file_public_key(data, "k")
    assert signer.fingerprint == fingerprint(text)
    assert verify_signature(text, b"m", signer.sign(b"m"))
    assert b"bcrypt" in base64.b64decode(b"".join(data.splitlines()[1:-1]))


def test_every_new_key_is_another():
    assert len({new_private_key(None)[1] for _ in range(5)}) == 5


def test_a_signer_shows_no_secret():
    data, _ = new_private_key(None)
    assert "Private" not in repr(load_signer(data, None, "k"))


def test_a_key_without_passphrase_asks_for_none():
    data, text = new_private_key(None)

    def never() -> bytes:
        raise AssertionError("nobody should be asked")

    assert load_signer(data, never, "k").public_key == text


def test_ssh_keygen_reads_our_keys_and_we_read_its(tmp_path: Path):
    tool = shutil.which("ssh-keygen")
    if tool is None:
        pytest.skip("ssh-keygen is not on this machine")
    ours = tmp_path / "ours"
    data, text = new_private_key(b"secret", rounds=4)
    ours.write_bytes(data)
    ours.chmod(stat.S_IRUSR | stat.S_IWUSR)
    told = subprocess.run([tool, "-y", "-P", "secret", "-f", ours], capture_output=True, text=True, check=True).stdout
    assert told.split()[:2] == text.split()
    theirs = tmp_path / "theirs"
    make = [tool, "-q", "-t", "ed25519", "-N", "secret", "-C", "a comment", "-f", theirs]
    subprocess.run(make, check=True, capture_output=True)
    signer = load_signer(theirs.read_bytes(), lambda: b"secret", "theirs")
    assert theirs.with_suffix(".pub").read_text().split()[:2] == signer.public_key.split()


@pytest.mark.parametrize("answer", [None, b"", b"wrong"])
def test_a_wrong_passphrase_is_said_so(answer):
    data, _ = new_private_key(b"right", rounds=4)
    found = problem_of(load_signer, data, None if answer is None else lambda: answer, "ada.key")
    assert (found.code, str(found.where)) == ("KEY002", "ada.key")


def several_wrong(data: bytes) -> set[str]:
    return {problem_of(load_signer, data, lambda n=n: b"no %d" % n, "k").code for n in range(20)}


def test_every_wrong_passphrase_gives_the_same_error():
    data, _ = new_private_key(b"right", rounds=1)
    assert several_wrong(data) == {"KEY002"}


PEM = seeded(1).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
OPEN = open_ssh(seeded(1))


def with_blob(change) -> bytes:
    lines = OPEN.splitlines()
    blob = change(base64.b64decode(b"".join(lines[1:-1])))
    return b"\n".join((lines[0], base64.b64encode(blob), lines[-1]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "OpenSSH's format"),
        (b"\xff\xfe", "OpenSSH's format"),
        (PEM, "OpenSSH's format"),
        (OPEN + b" " * 20_000, "OpenSSH's format"),
        (open_ssh(ec.generate_private_key(ec.SECP256R1())), "'ecdsa-sha2-nistp256'"),
        (open_ssh(rsa.generate_private_key(65537, 2048)), "'ssh-rsa'"),
        (with_blob(lambda blob: blob[:-1]), "damaged"),
        (with_blob(lambda blob: blob + b"\0"), "damaged"),
        (with_blob(lambda blob: blob[:30]), "damaged"),
        (with_blob(lambda blob: b"x" + blob), "damaged"),
        (with_blob(lambda blob: blob.replace(struct.pack(">I", 1), struct.pack(">I", 2), 1)), "several keys"),
        (OPEN.replace(b"b3Bl", b"b3B!"), "damaged"),
    ],
)
def test_what_is_no_private_key_is_refused(data, said):
    found = problem_of(load_signer, data, lambda: b"x", "bad.key")
    assert (found.code, str(found.where)) == ("KEY001", "bad.key")
    assert said in found.message


def test_the_head_of_a_key_file_is_not_believed():
    weak = with_blob(lambda blob: blob.replace(POINT, bytes(32), 1))
    found = problem_of(file_public_key, weak, "bad.key")
    assert (found.code, str(found.where), "weak" in found.message) == ("KEY001", "bad.key", True)
    another = with_blob(lambda blob: blob.replace(POINT, seeded(2).public_key().public_bytes_raw(), 1))
    assert problem_of(load_signer, another, None, "bad.key").code == "KEY001"


def test_a_key_file_cannot_keep_its_reader_busy():
    data = open_ssh(seeded(1), b"secret", rounds=1)
    lines = data.splitlines()
    blob = base64.b64decode(b"".join(lines[1:-1]))
    at = blob.index(b"bcrypt") + 6 + 4 + 4 + 16
    assert blob[at : at + 4] == struct.pack(">I", 1)
    costly = blob[:at] + struct.pack(">I", MAX_ROUNDS + 1) + blob[at + 4 :]
    changed = b"\n".join((lines[0], base64.b64encode(costly), lines[-1]))
    found = problem_of(load_signer, changed, lambda: b"secret", "k")
    assert (found.code, "rounds" in found.message) == ("KEY001", True)


@given(st.binary(max_size=200))
def test_noise_in_a_key_file_is_refused_in_an_orderly_way(noise):
    lines = OPEN.splitlines()
    for body in (noise, b"openssh-key-v1\0" + noise):
        data = b"\n".join((lines[0], base64.b64encode(body), lines[-1]))
        assert problem_of(load_signer, data, None, "k").code in {"KEY001", "KEY002"}
