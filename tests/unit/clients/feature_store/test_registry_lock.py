"""One at a time: two that record the same view wait for each other, others do not."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from airfoil.clients.feature_store.registry_lock import one_at_a_time

pytestmark = pytest.mark.unit


def store(path, kind="sql", project="shop"):
    registry = SimpleNamespace(registry_type=kind, path=path)
    return SimpleNamespace(config=SimpleNamespace(registry=registry), project=project, repo_path="/")


def is_held(one, view):
    """Whether a second one would have to wait."""
    entered = threading.Event()

    def enter():
        with one_at_a_time(one, view):
            entered.set()

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    return not entered.wait(0.2), thread


def test_the_same_view_waits_and_another_does_not(tmp_path):
    one = store(f"sqlite:///{tmp_path}/registry.db")
    with one_at_a_time(one, "spending"):
        held, waiting = is_held(one, "spending")
        free, other = is_held(one, "visits")
    waiting.join(5)
    other.join(5)
    assert (held, free) == (True, False)
    assert not waiting.is_alive()


def test_a_file_registry_is_one_lock_for_all_views(tmp_path):
    one = store(str(tmp_path / "registry.pb"), kind="file")
    with one_at_a_time(one, "spending"):
        held, waiting = is_held(one, "visits")
    waiting.join(5)
    assert held


@pytest.mark.parametrize(
    ("path", "kind"),
    [("s3://bucket/registry.pb", "file"), ("", "snowflake.registry"), ("mysql://x/y", "sql")],
)
def test_registries_without_a_lock_let_everybody_in(path, kind):
    inside = []
    with one_at_a_time(store(path, kind), "spending"), one_at_a_time(store(path, kind), "spending"):
        inside.append(path)
    assert inside == [path]


def test_a_lock_ends_with_its_process(tmp_path):
    code = (
        "import sys, time; from types import SimpleNamespace as N; "
        "from airfoil.clients.feature_store.registry_lock import one_at_a_time; "
        "store = N(config=N(registry=N(registry_type='sql', path=sys.argv[1])), project='shop', repo_path='/'); "
        "context = one_at_a_time(store, 'spending'); context.__enter__(); print('held', flush=True); time.sleep(60)"
    )
    path = f"sqlite:///{tmp_path}/registry.db"
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "held\n"
        held, waiting = is_held(store(path), "spending")
        child.kill()
    waiting.join(5)
    assert held
    assert not waiting.is_alive()
