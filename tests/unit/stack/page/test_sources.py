from __future__ import annotations

import asyncio
import dataclasses

import pytest

from airfoil.stack import secrets
from airfoil.stack import state as states
from airfoil.stack.page.sources import Sources
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


class Counting:
    """Both neighbours at once; counts how often each is asked."""

    def __init__(self):
        self.airflow = self.mlflow = 0

    def recent_runs(self, limit):
        self.airflow += 1
        return [{"dag_id": "etl", "dag_run_id": f"r{self.airflow}", "state": "success"}]

    def import_errors(self):
        return []

    def latest_runs(self, limit):
        self.mlflow += 1
        return []

    def model_versions(self, limit):
        return []

    def close(self):
        return


@pytest.fixture
def project(tmp_path):
    it = Project(tmp_path)
    it.prepare()
    return it


@pytest.fixture
def scene(project):
    """A Sources with counting neighbours, a clock in the test's hand, and everybody alive."""

    class Scene:
        def __init__(self):
            self.now = 10_000.0
            self.alive = lambda pid, born: pid is not None
            self.asked = Counting()
            self.measured = []
            self.sources = Sources(
                project,
                connect_airflow=lambda url: self.asked,
                connect_mlflow=lambda url: self.asked,
                is_alive=lambda pid, born: self.alive(pid, born),  # noqa: PLW0108 - tests replace `alive`
                measure=self.measure,
                clock=lambda: self.now,
                monotonic=lambda: self.now,
            )

        def measure(self, state):
            self.measured.append(state)
            return {"scheduler": 90.0}

        def write(self, state):
            states.save(project.state_file, state)

    it = Scene()
    yield it
    it.sources.close()


def test_neighbours_are_asked_at_most_every_other_second(scene, stack):
    scene.write(stack())

    async def scenario():
        await scene.sources.status(5)
        scene.now += 1.9
        await scene.sources.status(5)
        assert (scene.asked.airflow, scene.asked.mlflow) == (1, 1)
        scene.now += 0.1
        status = await scene.sources.status(5)
        assert (scene.asked.airflow, scene.asked.mlflow) == (2, 2)
        assert status.airflow.runs[0].run_id == "r2"
        assert len(scene.measured) == 1

    asyncio.run(scenario())


def test_memory_is_measured_rarely_and_at_once_when_a_process_changed(scene, stack, change):
    scene.write(stack())

    async def scenario():
        for _ in range(10):
            scene.now += 0.9
            await scene.sources.status(5)
        assert len(scene.measured) == 1
        scene.write(change(stack(), "mlflow", pid=8))
        await scene.sources.status(5)
        assert len(scene.measured) == 2
        scene.now += 10
        await scene.sources.status(5)
        assert len(scene.measured) == 3

    asyncio.run(scenario())


def test_metrics_ask_no_neighbour(scene, stack):
    scene.write(stack())
    found = asyncio.run(scene.sources.own_facts(scene.sources.state(), 5))
    assert found.memory_mib == {"scheduler": 90.0}
    assert (scene.asked.airflow, scene.asked.mlflow) == (0, 0)


@pytest.mark.parametrize("condition", ["starting", "failed", "stopped", "restarting", "waiting"])
def test_a_service_that_cannot_answer_is_not_asked(scene, stack, change, condition):
    scene.write(change(stack(), "api-server", state=condition))
    asyncio.run(scene.sources.status(5))
    assert (scene.asked.airflow, scene.asked.mlflow) == (0, 1)


def test_a_dead_process_is_not_asked_and_told_dead(scene, stack, change):
    scene.write(change(stack(), "api-server", pid=666))
    scene.alive = lambda pid, born: pid not in {666, 3}
    status = asyncio.run(scene.sources.status(5))
    assert scene.asked.airflow == 0
    assert status.stack is not None
    assert not status.stack.manager_alive
    assert next(row for row in status.services if row.name == "api-server").state == "stopped"


def test_no_state_and_a_garbled_one_are_no_stack(scene, project):
    assert asyncio.run(scene.sources.status(5)).stack is None
    project.state_file.write_text('{"schema": 1, "services": [')
    status = asyncio.run(scene.sources.status(5))
    assert status.headline.text == "Airfoil is not running"
    assert status.project == str(project.root)


def test_secrets_are_taken_out_of_everything_that_is_told(scene, stack, change, project):
    known = secrets.ensure(project)
    state = stack(notices=(f"the key {known.fernet_key} leaked",))
    state = change(
        state,
        "mlflow",
        detail=f"cannot reach postgresql://u:pa55@db/x with {known.mlflow_admin_password}",
        state="failed",
    )
    state = change(state, "scheduler", url="http://admin:pa55@127.0.0.1:9/")
    scene.write(state)
    text = str(asyncio.run(scene.sources.status(5)).to_dict())
    assert "pa55" not in text
    assert not any(secret in text for secret in dataclasses.astuple(known))
    assert "postgresql://u:***@db/x" in text
    assert "the key ••• leaked" in text


def test_damaged_secrets_do_not_take_the_page_down(scene, stack, project):
    project.secrets.write_text("{")
    scene.write(stack())
    assert asyncio.run(scene.sources.status(5)).headline.text == "Everything is running"


def test_files_are_looked_at_every_few_seconds_while_somebody_looks(project, stack):
    class Looking:
        looks = 0

        def look(self, last, clean):
            self.looks += 1
            return dataclasses.replace(last, files=self.looks)

    now, looking = [0.0], Looking()
    sources = Sources(
        project,
        connect_airflow=lambda url: Counting(),
        connect_mlflow=lambda url: Counting(),
        is_alive=lambda pid, born: True,
        measure=lambda state: {},
        checks=looking,
        monotonic=lambda: now[0],
    )
    states.save(project.state_file, stack())
    seen = []
    for seconds in (0, 0, 0, 3, 0):
        now[0] += seconds
        seen.append(asyncio.run(sources.status(5)).checks.files)
    assert looking.looks == 2
    assert seen[-1] == 2
    sources.close()
