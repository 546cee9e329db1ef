"""The socket between the process at the terminal and its helper: a question, an answer, one at a time.

Both ends are ours and belong to the same person, so Python values are sent as they are. Knows nothing of Airflow.
"""

from __future__ import annotations

import threading
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

# Bodies pass through us whole and unpacked; what is said about their packing would be wrong on the other side.
NOT_PASSED_ON = frozenset({b"content-encoding", b"content-length", b"transfer-encoding", b"accept-encoding"})


class HelperGoneError(Exception):
    """The helper ended; its log says why."""


class HelperFailedError(Exception):
    """The helper could not do what it was asked; the text is the reason."""


class Refusal(Exception):  # noqa: N818 - a sentence for the person, not a fault of the helper
    """What was asked for cannot be had; the text is a sentence for the person."""


class Questions:
    """The asking end."""

    def __init__(self, handle: int) -> None:
        self._connection = Connection(handle)
        # An operator's own subprocess may ask through a thread while its task asks, too.
        self._lock = threading.Lock()

    def ask(self, what: str, **values: Any) -> Any:
        """Give the answer; it may take as long as the helper needs to start."""
        with self._lock:
            try:
                self._connection.send((what, values))
                kind, answer = self._connection.recv()
            except (EOFError, OSError) as error:
                raise HelperGoneError from error
        if kind == "refused":
            raise Refusal(answer)
        if kind == "failed":
            raise HelperFailedError(answer)
        return answer

    def close(self) -> None:
        """Let the helper go."""
        self._connection.close()


def serve(handle: int, answer: Callable[[str, dict[str, Any]], Any]) -> None:
    """Answer questions until the asking end is gone."""
    connection = Connection(handle)
    while True:
        try:
            what, values = connection.recv()
        except (EOFError, OSError):
            return
        try:
            reply = ("done", answer(what, values))
        except Refusal as refusal:
            reply = ("refused", str(refusal))
        except Exception as error:  # noqa: BLE001 - whatever it is, the person must hear of it
            import traceback

            traceback.print_exc()
            reply = ("failed", f"{type(error).__name__}: {error}".splitlines()[0])
        try:
            connection.send(reply)
        except OSError:
            return


class HelperTransport(httpx.BaseTransport):
    """Carries what a task asks of Airflow's Execution API to the helper."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; give the response."""
        status, headers, body = self._questions.ask(
            "http",
            method=request.method,
            url=str(request.url),
            headers=passed_on(request.headers.raw),
            body=request.read(),
        )
        return httpx.Response(status, headers=headers, content=body, request=request)


def send(
    transport: httpx.BaseTransport, values: dict[str, Any]
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Do on the helper's side what `HelperTransport` asked for."""
    request = httpx.Request(
        values["method"], values["url"], headers=values["headers"], content=values["body"]
    )
    response = transport.handle_request(request)
    try:
        body = response.read()
    finally:
        response.close()
    return response.status_code, passed_on(response.headers.raw), body


def passed_on(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Leave out what is said about packing and length: it is said anew on the other side."""
    return [(name, value) for name, value in headers if name.lower() not in NOT_PASSED_ON]
