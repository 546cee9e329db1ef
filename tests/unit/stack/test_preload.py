"""Our end of the parent's channel: what is asked, what is heard, and a parent that dies at any moment."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

import pytest

from airfoil.stack.preload import PreloadedParent
from airfoil.stack.service import Probe, Service

pytestmark = pytest.mark.unit

PARENT = Service(name="preload", title="P", argv=("python", "-m", "parent"), probe=Probe("channel"))
WEB = Service(
    name="web",
    title="Web",
    argv=("python", "-m", "component", "api-server", "--port", "1"),
    probe=Probe("http"),
    env={"A": "ü"},
    stage="ml",
    module="component",
    log="/logs/web.log",
)


class Far:
    """The parent's end, as a test plays it."""

    def __init__(self) -> None:
        ours, self.socket = socket.socketpair()
        ours.setblocking(False)
        self.parent = PreloadedParent(ours, 42)

    def say(self, *answers: dict[str, object]) -> None:
        for answer in answers:
            self.socket.sendall(json.dumps(answer).encode() + b"\n")

    def requests(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.socket.recv(100_000).splitlines()]


@pytest.fixture
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.socket.close()
    made.parent.close()


def test_the_parent_is_started_with_its_end_of_the_channel_and_its_layers():
    seen: dict[str, object] = {}

    def spawn(argv: tuple[str, ...], keep: tuple[int, ...]) -> int:
        seen.update(argv=argv, keep=keep, duplicate=os.dup(keep[0]))
        return 42

    parent = PreloadedParent.launch(PARENT, {"airflow": ("a", "b.c"), "ml": ()}, spawn)
    (number,) = seen["keep"]
    assert seen["argv"] == (
        *("python", "-m", "parent", "--channel", str(number)),
        *("--layer", "airflow=a,b.c", "--layer", "ml="),
    )
    assert parent.pid == 42
    assert not parent.channel.getblocking()
    with socket.socket(fileno=int(str(seen["duplicate"]))) as theirs:
        assert parent.ask(WEB)
        assert json.loads(theirs.recv(10_000))["start"] == "web"
    assert not parent.ask(WEB), "our copy of their end is closed, so its death is seen"
    parent.close()


def test_a_parent_that_cannot_be_started_leaves_no_socket_behind():
    kept: list[int] = []

    def spawn(_argv: tuple[str, ...], keep: tuple[int, ...]) -> int:
        kept.extend(keep)
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        PreloadedParent.launch(PARENT, {}, spawn)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(kept[0])


def test_a_request_says_everything_the_child_needs(far):
    assert far.parent.ask(WEB)
    assert far.requests() == [
        {
            "start": "web",
            "layer": "ml",
            "module": "component",
            "arguments": ["api-server", "--port", "1"],
            "environment": {"A": "ü"},
            "log": "/logs/web.log",
        }
    ]
    assert far.parent.asked == {"web"}
    assert not far.parent.channel.getblocking(), "reading must never block the loop"


def test_no_answer_yet(far):
    assert far.parent.answers() == []


def test_an_answer_settles_what_was_asked(far):
    far.parent.ask(WEB)
    far.say({"threads": 1, "modules": 3000})
    assert far.parent.answers() == [{"threads": 1, "modules": 3000}]
    assert far.parent.asked == {"web"}
    far.say({"started": "web", "pid": 7})
    assert far.parent.answers() == [{"started": "web", "pid": 7}]
    assert far.parent.asked == set()


def test_a_refusal_settles_it_too(far):
    far.parent.ask(WEB)
    far.say({"refused": "web", "reason": "a thread"}, {"started": "other", "pid": 8})
    assert [*map(len, far.parent.answers())] == [2, 2]
    assert far.parent.asked == set()


def test_answers_that_arrive_in_pieces_or_all_at_once(far):
    text = b'{"started": "a", "pid": 1}\n{"started": "b", "pid": 2}\n{"sta'
    far.socket.sendall(text[:10])
    assert far.parent.answers() == []
    far.socket.sendall(text[10:])
    assert [answer["pid"] for answer in far.parent.answers()] == [1, 2]
    far.socket.sendall(b'rted": "c", "pid": 3}\n')
    assert far.parent.answers() == [{"started": "c", "pid": 3}]


def test_the_last_words_of_a_dying_parent_are_heard(far):
    far.say({"started": "a", "pid": 1})
    far.socket.sendall(b'{"started": "half')
    far.socket.close()
    assert far.parent.answers() == [{"started": "a", "pid": 1}]
    assert far.parent.answers() == []


def test_a_parent_that_is_gone_cannot_be_asked(far):
    far.socket.close()
    assert not far.parent.ask(WEB)
    assert far.parent.asked == set()


def test_a_parent_that_is_busy_with_importing_is_not_waited_for(far):
    """All services together fit into the socket's buffer."""
    for _ in range(10):
        assert far.parent.ask(WEB)
    assert len(far.requests()) == 10
