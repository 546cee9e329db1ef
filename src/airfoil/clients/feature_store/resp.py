"""Talk to Redis in its own bytes: thousands of commands out in one piece, their answers checked in one look.

redis-py opens the connection (password, TLS, Sentinel) and this module takes its socket. Must not know features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from airfoil.clients.feature_store import cells
from airfoil.clients.feature_store.cells import Cells
from airfoil.errors import (
    NeighbourError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StorageError,
)

if TYPE_CHECKING:
    import redis

_PIECE = 1 << 18
_TIMEOUT_SECONDS = 60.0
_AGAIN = (
    "Run it again when Redis is well: what is there stays, and the window counts only when it is complete."
)
_REFUSALS = (b"-NOAUTH", b"-WRONGPASS", b"-NOPERM")


def command(*words: bytes) -> bytes:
    """One command, in Redis' protocol."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def bulk(content: Cells) -> list[bytes | Cells]:
    """Cells as an argument each: its length, then its bytes."""
    if content.mask is None:
        return [b"$%d\r\n" % content.matrix.shape[1], content, b"\r\n"]
    return [cells.digits(content.lengths, b"$", b"\r\n"), content, b"\r\n"]


def commands(rows: int, words: Sequence[bytes | Cells]) -> Cells:
    """A command for each row; plain words are the same in all of them."""
    parts: list[bytes | Cells] = [b"*%d\r\n" % len(words)]
    for word in words:
        parts += [b"$%d\r\n%b\r\n" % (len(word), word)] if isinstance(word, bytes) else bulk(word)
    return cells.join(rows, parts)


class Conversation:
    """One connection of our own: say something, then read exactly the answers to it."""

    def __init__(self, client: redis.Redis | Any) -> None:
        """Connect as the client is configured."""
        pool = client.connection_pool
        # Protocol 2 has one form of "nothing" and no messages in between, about maintenance for example.
        given = pool.connection_kwargs.items()
        wanted = {name: value for name, value in given if not name.startswith(("maint_", "orig_"))} | {
            "protocol": 2
        }
        wanted["socket_timeout"] = wanted.get("socket_timeout") or _TIMEOUT_SECONDS
        self.address = f"{wanted.get('host', 'Redis')}:{wanted.get('port', '')}".rstrip(":")
        self._connection: Any = pool.connection_class(**wanted)
        self._unread = bytearray()
        with self._translated():
            self._connection.connect()

    def close(self) -> None:
        """Hang up."""
        self._connection.disconnect()

    def say(self, *pieces: bytes) -> None:
        """Send commands."""
        with self._translated():
            self._connection.send_packed_command([b"".join(pieces)], check_health=False)

    def expect(self, answers: bytes) -> None:
        """Read answers that are known beforehand; anything else is an error of Redis."""
        while len(self._unread) < len(answers):
            if not answers.startswith(self._unread):
                self._complain()
            self._more()
        if not self._unread.startswith(answers):
            self._complain()
        del self._unread[: len(answers)]

    def line(self) -> bytes:
        """Read one short answer."""
        while (end := self._unread.find(b"\r\n")) < 0:
            self._more()
        if self._unread[:1] == b"-":
            self._complain()
        found = bytes(self._unread[:end])
        del self._unread[: end + 2]
        return found

    def skip_lines(self, count: int) -> None:
        """Read short answers of which only errors matter."""
        seen = self._unread.count(b"\n")
        while seen < count:
            seen += self._more().count(b"\n")
        if self._unread[:1] == b"-" or b"\n-" in self._unread:
            self._complain()
        if seen > count or self._unread[-1:] != b"\n":
            raise ServiceAnswerError(
                f"Redis at {self.address} gave more answers than there were questions", _AGAIN
            )
        self._unread.clear()

    def strings(self, count: int) -> Cells:
        """Read `count` answers that are strings or nothing; nothing is empty."""
        if (alike := self._alike(count)) is not None:
            return alike
        found: list[bytes] = []
        at = 0
        while len(found) < count:
            end = self._unread.find(b"\r\n", at)
            if end < 0:
                self._more()
                continue
            if self._unread[at : at + 1] != b"$":
                del self._unread[:at]
                self._complain()
            length = int(self._unread[at + 1 : end])
            after = end + 2 if length < 0 else end + 2 + length + 2
            while len(self._unread) < after:
                self._more()
            found.append(b"" if length < 0 else bytes(self._unread[end + 2 : after - 2]))
            at = after
        del self._unread[:at]
        return cells.from_list(found)

    def _alike(self, count: int) -> Cells | None:
        """The usual case, in one look: all answers are of one length, or all are nothing."""
        while (end := self._unread.find(b"\r\n")) < 0:
            self._more()
        head = bytes(self._unread[: end + 2])
        if head[:1] != b"$":
            return None
        length = int(head[1:end])
        stride = len(head) if length < 0 else len(head) + length + 2
        while True:
            whole, rest = divmod(min(len(self._unread), stride * count), stride)
            matrix = np.frombuffer(bytes(self._unread[: whole * stride]), dtype=np.uint8).reshape(
                whole, stride
            )
            if not (matrix[:, : len(head)] == np.frombuffer(head, dtype=np.uint8)).all():
                return None
            if whole == count:
                del self._unread[: whole * stride]
                return Cells(matrix[:, len(head) : len(head) + max(0, length)])
            start = bytes(self._unread[whole * stride : whole * stride + rest])[: len(head)]
            if not head.startswith(start):
                return None
            self._more()

    def _more(self) -> bytes:
        with self._translated():
            piece: bytes = self._connection._sock.recv(_PIECE)  # noqa: SLF001 - redis-py has no public way to its socket
        if not piece:
            raise _gone(self.address, "it closed the connection")
        self._unread += piece
        return piece

    def _translated(self) -> _Translated:
        return _Translated(self.address)

    def _complain(self) -> NoReturn:
        """Find the first error among the answers and raise it as ours."""
        lines = bytes(self._unread).split(b"\r\n")
        said = next((one for one in lines if one.startswith(b"-")), lines[0])
        while said == lines[-1] and len(self._more()):  # an error that has not arrived whole
            lines = bytes(self._unread).split(b"\r\n")
            said = next((one for one in lines if one.startswith(b"-")), lines[0])
        raise _refusal(self.address, said)


class _Translated:
    """Turn what redis-py and the socket raise into our errors."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import redis

        if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthorizationError):
            raise ServiceRefusedError(
                f"Redis at {self._address} does not let us in: {error}",
                "Correct the password in `connection_string`.",
            ) from error
        if isinstance(error, redis.ResponseError):
            raise _refusal(self._address, f"-{error}".encode()) from error
        if isinstance(error, redis.RedisError | OSError):
            raise _gone(self._address, str(error)) from error


def _gone(address: str, why: str) -> ServiceUnreachableError:
    return ServiceUnreachableError(f"Redis at {address} does not answer: {why}", _AGAIN)


def _refusal(address: str, said: bytes) -> NeighbourError:
    text = said.decode(errors="replace").lstrip("-")
    if said.startswith(b"-OOM"):
        return StorageError(
            f"Redis at {address} is full: {text}", f"Give it more memory (maxmemory) or fewer keys. {_AGAIN}"
        )
    if said.startswith(_REFUSALS):
        return ServiceRefusedError(
            f"Redis at {address} does not let us in: {text}", "Correct the password in `connection_string`."
        )
    return ServiceAnswerError(f"Redis at {address} refused a write: {text}", _AGAIN)
