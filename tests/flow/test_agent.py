# SPDX-License-Identifier: Apache-2.0
"""Keys in an ssh-agent: a scripted one that plays every part, a token in software, and the real program."""

import base64
import hashlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.flow.agent import MAX_KEYS, MAX_MESSAGE_BYTES, agent_keys, agent_signer
from tidegate.flow.keys import Opening, key_request, open_signer, read_public_key, read_request
from tidegate.kernel.errors import SigningError
from tidegate.ledger.keys import (
    ED25519,
    TOKEN,
    Signer,
    new_private_key,
    public_parts,
    public_text,
    put_string,
    take_string,
    verify_signature,
)

Answer = Callable[[bytes], bytes | None]
"""Request, from its number on -> what is sent back, raw; none hangs up."""

KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
TOKEN_KEY = Ed25519PrivateKey.from_private_bytes(b"t" * 32)
PUBLIC = public_text(KEY.public_key().public_bytes_raw())
BLOB = public_parts(PUBLIC).blob
TOKEN_BLOB = b"".join(map(put_string, (TOKEN.encode(), TOKEN_KEY.public_key().public_bytes_raw(), b"ssh:")))
TOKEN_PUBLIC = f"{TOKEN} {base64.b64encode(TOKEN_BLOB).decode()}"
RSA_BLOB = put_string(b"ssh-rsa") + put_string(b"\1\0\1") + put_string(b"\1" * 256)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a socket holds at most about a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="tg") as name:
        yield Path(name)


@contextmanager
def agent(folder: Path, answer: Answer) -> Iterator[Path]:
    """Run an agent that answers each request as it is told."""
    path = folder / "agent"
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    listening.settimeout(0.05)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            # Whoever asked may have given up.
            with connection, suppress(OSError, struct.error):
                connection.settimeout(1)
                (length,) = struct.unpack(">I", exactly(connection, 4))
                reply = answer(exactly(connection, length))
                if reply is not None:
                    connection.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield path
    finally:
        done.set()
        thread.join()
        listening.close()


def exactly(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            return data
        data += part
    return data


def framed(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def listing(*keys: tuple[bytes, bytes]) -> bytes:
    body = b"".join(put_string(blob) + put_string(comment) for blob, comment in keys)
    return framed(b"\x0c" + struct.pack(">I", len(keys)) + body)


HELD = ((RSA_BLOB, b"old"), (BLOB, b"ada@laptop"), (TOKEN_BLOB, b"token \xff"))


def token_answer(data: bytes, flags: int) -> bytes:
    state = struct.pack(">BI", flags, 41)
    made = TOKEN_KEY.sign(hashlib.sha256(b"ssh:").digest() + state + hashlib.sha256(data).digest())
    return put_string(TOKEN.encode()) + put_string(made) + state


def honest(request: bytes, *, flags: int = 1) -> bytes:
    """Answer as OpenSSH's agent does."""
    if request == b"\x0b":
        return listing(*HELD)
    assert request[0] == 13
    blob, rest = take_string(request[1:])
    data, options = take_string(rest)
    assert options == b"\0\0\0\0"
    made = put_string(ED25519.encode()) + put_string(KEY.sign(data)) if blob == BLOB else token_answer(data, flags)
    return framed(b"\x0e" + put_string(made))


def problem_of(function, *args, **named):
    with pytest.raises(SigningError) as refused:
        function(*args, **named)
    return refused.value.problems[0]


def test_the_agents_keys_are_listed(folder: Path):
    with agent(folder, honest) as path:
        found = agent_keys(path)
    assert [one.public_key for one in found] == [PUBLIC, TOKEN_PUBLIC]
    assert [one.comment for one in found] == ["ada@laptop", "token \N{REPLACEMENT CHARACTER}"]
    assert found[0].fingerprint == public_parts(PUBLIC).fingerprint


@pytest.mark.parametrize("public", [PUBLIC, TOKEN_PUBLIC], ids=["key", "token"])
@pytest.mark.parametrize("by_fingerprint", [True, False])
def test_the_agent_signs(folder: Path, public: str, by_fingerprint: bool):
    named = public_parts(public).fingerprint if by_fingerprint else public
    with agent(folder, honest) as path:
        signer: Signer = agent_signer(path, named)
        made = signer.sign(b"message")
    assert (signer.public_key, signer.fingerprint) == (public, public_parts(public).fingerprint)
    assert verify_signature(public, b"message", made)
    assert not verify_signature(public, b"another", made)
    assert len(base64.b64decode(made)) == (64 if public == PUBLIC else 73)


@pytest.mark.parametrize("public", [PUBLIC, TOKEN_PUBLIC], ids=["key", "token"])
def test_a_pub_file_names_a_key_in_the_agent(folder: Path, public: str):
    (folder / "k.pub").write_text(f"{public} a comment\n")
    with agent(folder, honest) as path:
        signer = open_signer(str(folder / "k.pub"), Opening(agent=path))
        request = key_request("ada", ("rso",), signer)
    assert signer.public_key == read_public_key(str(folder / "k.pub")) == public
    (folder / "request.json").write_text(request.model_dump_json(by_alias=True))
    assert read_request(folder / "request.json") == request


def test_a_token_that_nobody_touched_does_not_sign(folder: Path):
    with agent(folder, lambda request: honest(request, flags=0)) as path:
        found = problem_of(agent_signer(path, TOKEN_PUBLIC).sign, b"message")
    assert (found.code, "is not by" in found.message) == ("KEY005", True)


def test_a_key_that_the_agent_does_not_hold(folder: Path):
    other = public_text(Ed25519PrivateKey.from_private_bytes(b"o" * 32).public_key().public_bytes_raw())
    with agent(folder, honest) as path:
        found = problem_of(agent_signer, path, other)
    assert (found.code, found.message) == ("KEY005", "the agent does not hold this key")
    assert public_parts(PUBLIC).fingerprint in str(found.hint)


def test_an_agent_that_is_not_there(folder: Path):
    for path in (folder / "nothing", folder, folder / ("x" * 200), Path("a\0b")):
        found = problem_of(agent_keys, path)
        assert found.code == "KEY005"
        assert "cannot be reached" in found.message


FAULTS = {
    "refuses": (framed(b"\x05"), "refuses to list"),
    "hangs up": (None, "hung up"),
    "hangs up early": (b"\0\0\0\x09\x0c", "hung up"),
    "says nothing": (framed(b""), "0 bytes"),
    "announces too much": (struct.pack(">I", MAX_MESSAGE_BYTES + 1) + b"\x0c", "announces"),
    "another answer": (framed(b"\x0e" + put_string(b"")), "refuses to list"),
    "no count": (framed(b"\x0c\0"), "malformed"),
    "too many": (framed(b"\x0c" + struct.pack(">I", MAX_KEYS + 1)), "malformed"),
    "fewer than it says": (framed(b"\x0c\0\0\0\x02" + put_string(BLOB) + put_string(b"")), "malformed"),
    "cut short": (framed(b"\x0c\0\0\0\x01\0\0\0\x50" + BLOB), "malformed"),
}


@pytest.mark.parametrize(("reply", "said"), FAULTS.values(), ids=FAULTS)
def test_an_agent_that_does_not_keep_to_the_protocol(folder: Path, reply: bytes | None, said: str):
    with agent(folder, lambda _request: reply) as path:
        found = problem_of(agent_keys, path)
    assert (found.code, str(found.where)) == ("KEY005", str(path))
    assert said in found.message


BAD_SIGNATURES = {
    "refuses": (framed(b"\x05"), "refuses to sign"),
    "malformed": (framed(b"\x0e\0\0"), "malformed"),
    "another kind": (framed(b"\x0e" + put_string(put_string(b"ssh-rsa") + put_string(b"x" * 64))), "another kind"),
    "too short": (framed(b"\x0e" + put_string(put_string(ED25519.encode()) + put_string(b"x" * 63))), "another kind"),
    "followed": (
        framed(b"\x0e" + put_string(put_string(ED25519.encode()) + put_string(b"x" * 64)) + b"x"),
        "another kind",
    ),
    "wrong": (framed(b"\x0e" + put_string(put_string(ED25519.encode()) + put_string(b"x" * 64))), "not by"),
    "of a token": (framed(b"\x0e" + put_string(token_answer(b"message", 1))), "another kind"),
}


@pytest.mark.parametrize(("reply", "said"), BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
def test_a_signature_that_does_not_do(folder: Path, reply: bytes, said: str):
    with agent(folder, lambda request: honest(request) if request == b"\x0b" else reply) as path:
        found = problem_of(agent_signer(path, PUBLIC).sign, b"message")
    assert found.code == "KEY005"
    assert said in found.message


def test_an_agent_is_not_waited_for_without_end(folder: Path):
    released = threading.Event()

    def slow(_request: bytes) -> bytes:
        released.wait(5)
        return listing()

    with agent(folder, slow) as path:
        found = problem_of(agent_keys, path, seconds=0.1)
        released.set()
    assert (found.code, "in time" in found.message) == ("KEY005", True)


def test_an_agent_cannot_buy_time_byte_by_byte(folder: Path):
    path = folder / "agent"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    stop = threading.Event()

    def drip() -> None:
        listening.settimeout(5)
        connection, _ = listening.accept()
        with connection:
            connection.sendall(struct.pack(">I", 100_000))
            while not stop.wait(0.02):
                try:
                    connection.sendall(b"\x0c")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert "in time" in problem_of(agent_keys, path, seconds=0.3).message
    finally:
        stop.set()
        thread.join()
        listening.close()


def test_what_is_too_long_is_not_sent(folder: Path):
    with agent(folder, honest) as path:
        found = problem_of(agent_signer(path, PUBLIC).sign, b"x" * MAX_MESSAGE_BYTES)
    assert (found.code, "too long" in found.message) == ("KEY005", True)


@given(st.binary(max_size=80))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_from_an_agent_is_refused_in_an_orderly_way(folder: Path, noise: bytes):
    with agent(folder, lambda _request: framed(b"\x0c" + noise)) as path:
        try:
            assert agent_keys(path) == ()
        except SigningError as error:
            assert {one.code for one in error.problems} == {"KEY005"}  # noqa: PT017 - either is in order


def test_the_real_agent_signs(folder: Path):
    program, add = shutil.which("ssh-agent"), shutil.which("ssh-add")
    if program is None or add is None:
        pytest.skip("ssh-agent is not on this machine")
    path, file = folder / "agent", folder / "k"
    data, text = new_private_key(None)
    file.write_bytes(data)
    file.chmod(0o600)
    running = subprocess.Popen([program, "-D", "-a", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if path.exists() or running.poll() is not None:
                break
            threading.Event().wait(0.05)
        environment = {**os.environ, "SSH_AUTH_SOCK": str(path)}
        subprocess.run([add, "-q", file], check=True, capture_output=True, env=environment)
        assert [one.public_key for one in agent_keys(path)] == [text]
        assert verify_signature(text, b"message", agent_signer(path, text).sign(b"message"))
        subprocess.run([add, "-q", "-D"], check=True, capture_output=True, env=environment)
        assert problem_of(agent_signer, path, text).code == "KEY005"
    finally:
        running.terminate()
        running.wait(10)
