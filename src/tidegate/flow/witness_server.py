# SPDX-License-Identifier: Apache-2.0
"""A witness over HTTP: `POST /add-checkpoint`, as C2SP tlog-witness has it, one request at a time."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from tidegate.flow.logs import Witness
from tidegate.kernel.clock import Now
from tidegate.kernel.errors import Problem, ProjectError, TidegateError
from tidegate.ledger.witnessing import MAX_REQUEST_BYTES, SIZE_TYPE, Refusal

MAX_DISCARDED = 2_000_000
"""A client that sends more than a request has is read to here, so that it comes to read why it is refused."""
TIMEOUT_SECONDS = 10
"""A client that is slower than this is left."""


class WitnessServer(HTTPServer):
    """A server that goes on whatever a client does."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave a client that went away, or whose request brought an error about; the next one is answered."""
        del request, client_address


def witness_server(witness: Witness, address: str, now: Now) -> HTTPServer:
    """Give a server that is bound and not running yet.

    Raises:
        ProjectError: PRJ005, the address is not of the form ``host:port``, or cannot be used.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ProjectError(Problem("PRJ005", f"{address!r} is not an address", None, "write it as 127.0.0.1:8080"))

    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_SECONDS
        server_version = "tidegate-witness"
        sys_version = ""

        def do_POST(self) -> None:
            self._answer(*_answered(witness, self, now))

        def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            del format, args

    try:
        return WitnessServer((host.strip("[]"), int(port)), Handler)
    except OSError as error:
        raise ProjectError(
            Problem("PRJ005", f"{address}: {error.strerror or error}", None, "choose another port")
        ) from None


def _answered(witness: Witness, request: BaseHTTPRequestHandler, now: Now) -> tuple[int, str] | tuple[int, str, str]:
    if request.path != "/add-checkpoint":
        return 404, "not found\n"
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or len(length) > 12 or int(length) > MAX_REQUEST_BYTES:
        request.rfile.read(min(int(length), MAX_DISCARDED) if length.isdecimal() and len(length) <= 12 else 0)
        return 400, f"a request has a length of at most {MAX_REQUEST_BYTES} bytes\n"
    body = request.rfile.read(int(length))
    try:
        answer = witness.answer(body, now())
    except TidegateError as error:
        # The witness is not in order, which is not for a client to know in detail.
        return 500, "the witness cannot answer\n" if error.problems[0].code != "LED007" else "set up wrongly\n"
    if isinstance(answer, Refusal):
        return answer.status, answer.body, SIZE_TYPE if answer.known is not None else "text/plain; charset=utf-8"
    return 200, answer


def serve_witness(witness: Witness, address: str, now: Now, say: Callable[[str], None]) -> None:
    """Answer requests until interrupted. Raises PRJ005 if the address cannot be used."""
    with witness_server(witness, address, now) as server:
        say(f"listening on {address}; end with Ctrl-C")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("stopped")
