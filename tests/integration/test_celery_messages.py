"""Where messages lie, with a real Redis and a real Celery worker that is killed with a task in its hands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from celery import Celery
from kombu import pools
from tests.integration.servers import running_redis

from airfoil.runtime.celery_messages import CeleryMessages, Taken

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 60
OPTIONS = {
    "task_acks_late": True,
    "broker_transport_options": {"visibility_timeout": 86400, "global_keyprefix": "shop:"},
}
WORK = f"""
import os, pathlib, sys, time
from celery import Celery
app = Celery("scene", broker=os.environ["BROKER"])
app.conf.update({OPTIONS!r}, worker_prefetch_multiplier=int(os.environ["PREFETCH"]))
@app.task(name="hold")
def hold():
    with open("began", "a") as began:
        began.write("x")
    while not os.path.exists("enough"):
        time.sleep(0.05)
app.worker_main(["worker", "--queues", "default", "--concurrency", "1", "--without-mingle", "--without-gossip"])
"""


@contextmanager
def worker(broker, folder, prefetch=1):
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", WORK],
            cwd=folder,
            env={**os.environ, "BROKER": broker, "PREFETCH": str(prefetch)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # as a container ends: the whole of it, at once
        process.wait(30)


def until(true, folder):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, (folder / "worker.log").read_text()[-3000:]
        time.sleep(0.05)


def begun(folder):
    path = folder / "began"
    return len(path.read_text()) if path.exists() else 0


def connected(broker):
    application = Celery("scene", broker=broker)
    application.conf.update(OPTIONS)
    return application


def taken(*tasks):
    return {task: Taken("", 31.0) for task in tasks}


def test_a_message_is_followed_from_its_queue_to_a_worker_and_back(tmp_path):
    with running_redis() as redis:
        broker = f"redis://127.0.0.1:{redis.port}/0"
        application = connected(broker)
        messages = CeleryMessages(application)

        def send(task):
            application.send_task("hold", task_id=task, queue="default")

        def places():
            found = messages.find(["default", "no-such-queue"])
            return set(found.waiting), set(found.taken)

        send("a")
        assert places() == ({"a"}, set())
        with worker(broker, tmp_path):
            until(lambda: begun(tmp_path) == 1, tmp_path)
            assert places() == (set(), {"a"})
            until(lambda: messages.held(taken("a", "b")) == {"a"}, tmp_path)
        assert places() == (set(), {"a"}), "Redis believes that the dead worker has it"
        assert messages.held(taken("a", "b")) == set()

        found = messages.find(["default"])
        messages.give_back(found.left_by_their_worker({"a"}, 0.0).values())
        assert places() == ({"a"}, set())
        (tmp_path / "enough").touch()
        with worker(broker, tmp_path):
            until(lambda: places() == (set(), set()), tmp_path)
        assert begun(tmp_path) == 2

        send("b")
        redis.client().flushall()
        assert messages.find(["default"]).nowhere(["a", "b"]) == {"a", "b"}


def test_what_a_worker_dropped_with_its_connection_it_names_and_does_not_hold(tmp_path):
    with running_redis() as redis:
        broker = f"redis://127.0.0.1:{redis.port}/0"
        messages = CeleryMessages(connected(broker))

        def says(task):
            answers = messages._application.control.inspect(timeout=1.0).query_task(task) or {}
            return [found[task][0] for found in answers.values() if task in found]

        with worker(broker, tmp_path, prefetch=2):
            for task in ("a", "b"):
                messages._application.send_task("hold", task_id=task, queue="default")
            until(lambda: says("b") == ["reserved"] and begun(tmp_path) == 1, tmp_path)
            assert messages.held(taken("a", "b")) == {"a", "b"}
            client = redis.client()
            # Nobody else comes in until the worker has dropped what it had.
            client.config_set("maxclients", 1)
            for kind in ("normal", "pubsub"):
                client.client_kill_filter(_type=kind, skipme=True)
            until(lambda: "Trying again" in (tmp_path / "worker.log").read_text(), tmp_path)
            client.config_set("maxclients", 1000)
            pools.reset()  # ours were cut as well
            messages = CeleryMessages(connected(broker))
            until(lambda: says("b") == ["ready"], tmp_path)
            assert messages.held(taken("a", "b")) == {"a"}
