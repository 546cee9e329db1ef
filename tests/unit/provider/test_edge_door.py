"""Who may speak as a worker on another host: under its own name, about its own tasks, as long as it is on the list."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from airfoil.provider import edge_door

pytestmark = pytest.mark.unit

CLAIMS = {"sub": "far-1", "jti": "n1"}


@pytest.fixture(autouse=True)
def known(tmp_path, monkeypatch):
    file = tmp_path / "workers.json"
    file.write_text(json.dumps({"far-1": {"token": "n1"}, "far-2": {"token": "n2"}}), encoding="utf-8")
    monkeypatch.setenv("AIRFLOW__AIRFOIL__EDGE_WORKERS", str(file))
    return file


@pytest.fixture(autouse=True)
def jobs(monkeypatch):
    """The tasks that far-1 was handed."""
    handed = [["shop", "train", "manual__1", "1", "-1"]]
    monkeypatch.setattr(edge_door, "_has_job", lambda name, words: name == "far-1" and words[:5] in handed)


def may(method, **claims):
    return edge_door.verify(CLAIMS | claims, SimpleNamespace(method=method))["authorized"]


@pytest.mark.parametrize("method", ["worker/far-1", "jobs/fetch/far-1", "worker/queues/far-1"])
def test_a_worker_speaks_for_itself(method):
    assert may(method)
    assert not may(method.replace("far-1", "far-2"))
    assert not may(f"{method}/more")


@pytest.mark.parametrize(
    "method",
    [
        "jobs/state/shop/train/manual__1/1/-1/success",
        "logs/push/shop/train/manual__1/1/-1",
        "logs/logfile_path/shop/train/manual__1/1/-1",
    ],
)
def test_it_speaks_of_tasks_that_it_was_handed(method):
    assert may(method)
    assert not may(method.replace("train", "other"))
    assert not may(method, sub="far-2", jti="n2")
    assert not may(f"{method}/more")


@pytest.mark.parametrize("method", ["", "health", "ui/worker", "worker", "jobs/state/shop", "nothing/known"])
def test_it_may_nothing_else(method):
    assert not may(method)


def test_one_token_counts_for_a_name():
    assert not may("worker/far-1", jti="an older one")
    assert not may("worker/far-1", jti=None)
    assert not may("worker/far-3", sub="far-3")
    assert not may("worker/", sub="")


def test_the_list_is_read_anew(known):
    assert may("worker/far-1")
    known.write_text("{}", encoding="utf-8")
    assert not may("worker/far-1")
    known.unlink()
    assert not may("worker/far-1")


@pytest.mark.parametrize("text", ["", "[]", '{"far-1": 1}', '{"far-1": {"token": ""}}', '{"far-1": {}}'])
def test_a_list_that_says_nothing_lets_nobody_in(known, text):
    known.write_text(text, encoding="utf-8")
    assert not may("worker/far-1")
    assert not may("worker/far-1", jti="")
