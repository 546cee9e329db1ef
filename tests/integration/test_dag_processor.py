"""The watching DAG processor over a real Airflow: what is saved is visible within seconds, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.airflow_home import AirflowHome

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        sys.platform != "linux", reason="inotify is Linux's; elsewhere Airflow looks for files"
    ),
]

VISIBLE_SECONDS = 3.0
DAG = """from airflow.sdk import dag, task

@dag(schedule=None, description="{description}")
def {name}():
    @task
    def work(): ...
    work()

{name}()
"""


class Processor:
    """A running DAG processor with a folder of DAGs and one of the user's modules."""

    def __init__(self, home: AirflowHome) -> None:
        self.home = home
        self.dags = home.folder / "my dags"
        self.package = home.folder / "src" / "shop"
        self.dags.mkdir()
        self.package.mkdir(parents=True)
        (self.package / "__init__.py").write_text("")
        self.log = home.folder / "processor.log"
        settings = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
            "AIRFLOW__AIRFOIL__SOURCE_FOLDERS": str(self.package.parent),
            "PYTHONPATH": str(self.package.parent),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "airfoil.runtime.component", "dag-processor"],
                env=home.environment | settings,
                stdout=log,
                stderr=log,
                cwd=home.folder,
            )

    def save(self, name: str, text: str = "") -> None:
        (self.dags / f"{name}.py").write_text(text or DAG.format(name=name, description="first"))

    def description(self, name: str) -> object:
        rows = self.home.rows("select dag_id, description from dag where not is_stale")
        return dict(rows).get(name)

    def import_errors(self) -> str:
        return " ".join(str(row) for row in self.home.rows("select filename, stacktrace from import_error"))

    def seconds_until(self, happened: Callable[[], bool], patience: float = 60) -> float:
        began = time.monotonic()
        while not happened():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - began < patience, self.log.read_text()[-5000:]
            time.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def processor(migrated_airflow, tmp_path_factory) -> Iterator[Processor]:
    """One for all: each test has DAG files of its own."""
    folder = tmp_path_factory.mktemp("processor") / "home"
    found = Processor(migrated_airflow.copied_to(folder))
    try:
        found.save("first")
        found.seconds_until(lambda: found.description("first") == "first")
        yield found
    finally:
        found.process.terminate()
        try:
            found.process.wait(15)
        except subprocess.TimeoutExpired:
            found.process.kill()
            found.process.wait()


def test_what_is_saved_is_visible_within_seconds(processor):
    waits = {}
    processor.save("second")
    waits["new"] = processor.seconds_until(lambda: processor.description("second") == "first")
    processor.save("second", DAG.format(name="second", description="edited"))
    waits["edited"] = processor.seconds_until(lambda: processor.description("second") == "edited")
    processor.save("second", "from airflow.sdk import dag\nimport nothing_of_this_name")
    waits["broken"] = processor.seconds_until(lambda: "nothing_of_this_name" in processor.import_errors())
    processor.save("second", DAG.format(name="second", description="mended"))
    waits["mended"] = processor.seconds_until(lambda: not processor.import_errors())
    folder = processor.dags / "team"
    folder.mkdir()
    (folder / "third.py").write_text(DAG.format(name="third", description="in a new folder"))
    waits["new folder"] = processor.seconds_until(lambda: processor.description("third") is not None)
    (folder / "third.py").unlink()
    waits["deleted"] = processor.seconds_until(lambda: processor.description("third") is None)
    print(waits)
    assert max(waits.values()) < VISIBLE_SECONDS, waits


def test_a_changed_module_shows_in_the_dags_that_import_it(processor):
    module = processor.package / "names.py"
    module.write_text("DESCRIPTION = 'before'")
    text = DAG.replace('"{description}"', "DESCRIPTION").format(name="named")
    processor.save("named", "from shop.names import DESCRIPTION\n" + text)
    processor.seconds_until(lambda: processor.description("named") == "before")
    module.write_text("DESCRIPTION = 'after!'")
    assert processor.seconds_until(lambda: processor.description("named") == "after!") < VISIBLE_SECONDS


def test_a_save_in_the_middle_of_a_parse_is_not_lost(processor):
    slow = "import time\ntime.sleep(1)\n" + DAG
    processor.save("slow", slow.format(name="slow", description="one"))
    processor.seconds_until(lambda: "slow.py" in processor.log.read_text())
    time.sleep(0.4)  # it is being parsed now
    processor.save("slow", slow.format(name="slow", description="two"))
    assert processor.seconds_until(lambda: processor.description("slow") == "two") < 2 + VISIBLE_SECONDS


def test_a_hundred_saves_at_once_end_with_the_last_one(processor):
    for number in range(100):
        processor.save("busy", DAG.format(name="busy", description=f"number {number}"))
        time.sleep(0.005)
    assert processor.seconds_until(lambda: processor.description("busy") == "number 99") < VISIBLE_SECONDS


def test_a_request_to_parse_a_file_is_answered_though_nothing_changed(processor):
    def finished() -> object:
        return processor.home.rows("select last_parsed_time from dag where dag_id = 'first'")[0][0]

    before = finished()
    time.sleep(2)  # it rests by now
    processor.home.rows(
        "insert into dag_priority_parsing_request (id, bundle_name, relative_fileloc) "
        "values ('x', 'dags-folder', 'first.py')"
    )
    assert processor.seconds_until(lambda: finished() != before) < VISIBLE_SECONDS


def test_at_rest_it_writes_and_wakes_rarely(processor):
    time.sleep(3)
    status = f"/proc/{processor.process.pid}/stat"

    def ticks() -> int:
        with open(status, encoding="utf-8") as file:  # noqa: PTH123 - one line of the kernel
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(10)
    assert (ticks() - before) / os.sysconf("SC_CLK_TCK") / 10 < 0.02, "two per cent of a core"
