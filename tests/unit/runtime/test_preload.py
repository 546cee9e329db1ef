"""The pre-loaded parent's parts: layers, the conversation, and the refusal to fork beside a thread. No fork here."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from airfoil.runtime import preload
from airfoil.runtime.preload import Layers

pytestmark = pytest.mark.unit


@pytest.fixture
def collector(monkeypatch) -> list[str]:
    """What was asked of the garbage collector, instead of doing it to the test process."""
    said: list[str] = []
    fake = SimpleNamespace(collect=lambda: said.append("collect"), freeze=lambda: said.append("freeze"))
    monkeypatch.setattr(preload, "gc", fake)
    return said


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of small modules; what they leave in sys.modules goes afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("small_"):
            del sys.modules[name]


def write(folder: Path, *names: str, code: str = "") -> list[str]:
    for name in names:
        (folder / f"{name}.py").write_text(code)
    return list(names)


def loaded() -> set[str]:
    return {name for name in sys.modules if name.startswith("small_")}


# -- layers


def test_modules_are_loaded_one_at_a_time_in_order(modules):
    layers = Layers([("one", write(modules, "small_a", "small_b")), ("two", write(modules, "small_c"))])
    steps = []
    while not layers.complete:
        layers.load_next()
        steps.append(sorted(loaded()))
    assert steps == [["small_a"], ["small_a", "small_b"], ["small_a", "small_b", "small_c"]]
    assert layers.skipped == {}


def test_loading_through_a_layer_stops_at_its_end(modules):
    layers = Layers([("one", write(modules, "small_a", "small_b")), ("two", write(modules, "small_c"))])
    layers.load_through("one")
    assert loaded() == {"small_a", "small_b"}
    layers.load_through("one")
    assert not layers.complete
    layers.load_through("two")
    assert layers.complete
    layers.load_through("one")
    layers.load_through("unknown")


def test_an_empty_layer_is_no_obstacle(modules):
    layers = Layers([("none", []), ("one", write(modules, "small_a"))])
    layers.load_through("none")
    assert loaded() == set()
    layers.load_through("one")
    assert layers.complete
    assert Layers([]).complete


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import small_missing_one", "ModuleNotFoundError: No module named 'small_missing_one'"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("def", "SyntaxError: invalid syntax (small_bad.py, line 1)"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_skipped_with_a_note(modules, capsys, code, reason):
    write(modules, "small_bad", code=code)
    layers = Layers([("one", ["small_bad", "small_nowhere", *write(modules, "small_good")])])
    layers.load_through("one")
    assert layers.complete
    assert "small_good" in loaded()
    assert layers.skipped["small_bad"] == reason
    assert layers.skipped["small_nowhere"].startswith("ModuleNotFoundError")
    assert f"preload: skipped small_bad: {reason}" in capsys.readouterr().err


def test_objects_are_frozen_once_until_more_is_loaded(modules, collector):
    layers = Layers([("one", write(modules, "small_a"))])
    layers.freeze()
    layers.freeze()
    assert collector == ["freeze"]
    layers.load_next()
    layers.freeze()
    assert collector == ["freeze"] * 2


# -- the conversation


class Talk:
    """A parent that serves to the end of a conversation written before it begins."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.started: list[dict[str, object]] = []
        monkeypatch.setattr(preload, "_start", self.start)

    def start(self, request: dict[str, object], _channel: socket.socket) -> dict[str, object]:
        self.started.append(request | {"loaded": sorted(loaded())})
        return {"started": request["start"], "pid": 7}

    def run(self, layers: Layers, *lines: bytes) -> list[dict[str, object]]:
        for line in lines:
            self.ours.sendall(line)
        self.ours.shutdown(socket.SHUT_WR)
        preload.serve(self.theirs, layers)
        self.theirs.close()
        return [json.loads(line) for line in self.ours.makefile("rb")]


@pytest.fixture
def talk(monkeypatch, collector) -> Iterator[Talk]:
    made = Talk(monkeypatch)
    yield made
    made.ours.close()
    made.theirs.close()


def ask(name: str, layer: str = "one") -> bytes:
    return json.dumps({"start": name, "layer": layer}).encode() + b"\n"


def test_a_request_waits_for_its_layer_and_no_other(talk, modules):
    layers = Layers([("one", write(modules, "small_a")), ("two", write(modules, "small_b"))])
    answers = talk.run(layers, ask("x"))
    assert [one["loaded"] for one in talk.started] == [["small_a"]]
    assert answers[-1] == {"started": "x", "pid": 7}
    assert answers[0]["threads"] == threading.active_count()


def test_requests_are_answered_in_order_however_they_arrive(talk):
    text = ask("a") + ask("b") + ask("c")
    answers = talk.run(Layers([]), text[:9], text[9:40], text[40:])
    assert [answer.get("started") for answer in answers] == [None, "a", "b", "c"]


def test_a_message_that_asks_for_nothing_is_answered_with_the_greeting_alone(talk):
    assert len(talk.run(Layers([]), b"{}\n")) == 1


def test_what_is_shared_is_frozen_before_a_fork(talk, modules, collector):
    talk.run(Layers([("one", write(modules, "small_a"))]), ask("x"), ask("y"))
    assert collector == ["freeze"]


def test_it_ends_when_the_manager_is_gone(talk, modules):
    layers = Layers([("one", write(modules, "small_a"))])
    talk.ours.close()
    preload.serve(talk.theirs, layers)
    assert talk.started == []


def test_an_answer_that_nobody_hears_any_more_is_no_error(talk):
    talk.ours.close()
    preload._send(talk.theirs, {"started": "x"})
    assert talk.theirs.fileno() >= 0, "closing it is for whoever opened it"


# -- forking


def test_beside_a_thread_it_does_not_fork(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    monkeypatch.setattr("os.fork", lambda: pytest.fail("forked"))
    with socket.socket() as channel:
        answer = preload._start({"start": "web"}, channel)
    assert answer == {
        "refused": "web",
        "reason": "an imported library started a thread; forking is not safe",
    }
