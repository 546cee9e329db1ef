"""A server of our own words on a socket pair: what we say, and how we take what is answered."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.clients.feature_store import cells, resp
from airfoil.clients.feature_store.resp import Conversation
from airfoil.errors import ServiceAnswerError, ServiceRefusedError, ServiceUnreachableError, StorageError

pytestmark = pytest.mark.unit


class Line:
    """Stands for redis-py's connection, with one end of a socket pair."""

    ends: socket.socket

    def __init__(self, **wanted):
        self.wanted = wanted
        self._sock, Line.ends = socket.socketpair()

    def connect(self):
        """It is."""

    def disconnect(self):
        self._sock.close()
        Line.ends.close()

    def send_packed_command(self, pieces, check_health):
        for piece in pieces:
            self._sock.sendall(piece)


@pytest.fixture
def talk():
    pool = SimpleNamespace(
        connection_class=Line,
        connection_kwargs={"host": "h", "port": 1, "protocol": 3, "maint_notifications_config": 1},
    )
    found = Conversation(SimpleNamespace(connection_pool=pool))
    yield found
    found.close()


def answer(*pieces):
    """The other side speaks in these pieces and hangs up."""

    def work(line=Line.ends):
        with suppress(OSError):  # the test is over by then
            for piece in pieces:
                line.sendall(piece)
            line.shutdown(socket.SHUT_WR)

    threading.Thread(target=work, daemon=True).start()


def test_a_connection_of_our_own_speaks_protocol_2_and_waits_a_bounded_time(talk):
    assert talk._connection.wanted == {"host": "h", "port": 1, "protocol": 2, "socket_timeout": 60.0}


def test_commands_are_redis_own_form():
    assert resp.command(b"SET", b"k", b"") == b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"
    made = resp.commands(2, [b"SET", cells.from_list([b"a", b"b"]), cells.from_list([b"", b"\r\n"])])
    assert made.to_list() == [resp.command(b"SET", b"a", b""), resp.command(b"SET", b"b", b"\r\n")]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.none() | st.binary(max_size=8), min_size=1, max_size=20), st.integers(1, 50), st.booleans()
)
def test_strings_of_any_content_cut_anywhere(strings, size, are_alike):
    if are_alike:
        strings = [b"\r\n$3\r\n"] * len(strings)
    pool = SimpleNamespace(connection_class=Line, connection_kwargs={})
    talk = Conversation(SimpleNamespace(connection_pool=pool))
    said = (
        b"".join(b"$-1\r\n" if one is None else b"$%d\r\n%b\r\n" % (len(one), one) for one in strings)
        + b"+OK\r\n"
    )
    answer(*(said[at : at + size] for at in range(0, len(said), size)))
    assert talk.strings(len(strings)).to_list() == [one or b"" for one in strings]
    talk.expect(b"+OK\r\n")
    talk.close()


def test_short_answers(talk):
    answer(b"+OK\r", b"\n+QUE", b"UED\r\n*2\r\n:1\r\n:", b"0\r\n")
    talk.expect(b"+OK\r\n+QUEUED\r\n")
    assert talk.line() == b"*2"
    talk.skip_lines(2)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (b"-OOM command not allowed\r\n", StorageError, "is full: OOM command not allowed"),
        (b"-NOAUTH Authentication required.\r\n", ServiceRefusedError, "does not let us in"),
        (b"-READONLY You can't write\r\n", ServiceAnswerError, "refused a write: READONLY"),
    ],
)
@pytest.mark.parametrize("ask", ["expect", "line", "skip_lines", "strings"])
def test_an_error_among_the_answers_is_ours(talk, said, kind, words, ask):
    answer(said[:3], said[3:])
    questions = {
        "expect": lambda: talk.expect(b"+OK\r\n"),
        "line": talk.line,
        "skip_lines": lambda: talk.skip_lines(1),
        "strings": lambda: talk.strings(1),
    }
    with pytest.raises(kind, match=words):
        questions[ask]()


def test_an_error_after_good_answers_is_found(talk):
    answer(b"+OK\r\n+QUEUED\r\n-OOM full\r\n")
    with pytest.raises(StorageError):
        talk.expect(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n")


def test_more_answers_than_questions_is_an_error(talk):
    answer(b":1\r\n:1\r\n")
    with pytest.raises(ServiceAnswerError, match="more answers"):
        talk.skip_lines(1)


def test_a_closed_connection_is_ours(talk):
    answer(b"+O")
    with pytest.raises(ServiceUnreachableError, match="h:1 does not answer: it closed the connection"):
        talk.line()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (redis.AuthenticationError("wrong"), ServiceRefusedError),
        (redis.ResponseError("OOM full"), StorageError),
        (redis.ConnectionError("refused"), ServiceUnreachableError),
        (TimeoutError("late"), ServiceUnreachableError),
    ],
)
def test_what_redis_py_raises_is_ours(talk, monkeypatch, error, kind):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(talk._connection, "send_packed_command", fails)
    with pytest.raises(kind) as caught:
        talk.say(b"x")
    assert caught.value.__cause__ is error


def test_lengths_of_arguments_are_said_for_each():
    made = cells.join(2, resp.bulk(cells.from_list([b"a", b"bbbbbbbbbbb"])))
    assert made.to_list() == [b"$1\r\na\r\n", b"$11\r\nbbbbbbbbbbb\r\n"]
    assert cells.join(1, resp.bulk(cells.fixed(np.array([1], dtype="u1")))).to_list() == [b"$1\r\n\x01\r\n"]
