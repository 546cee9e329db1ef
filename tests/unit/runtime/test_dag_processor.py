"""Which DAG files are parsed again, and when: over a stand-in for Airflow's manager and real files."""

from __future__ import annotations

import importlib.util
import os
import selectors
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's"),
]

SOURCE = Path(__file__).parents[3] / "src" / "airfoil" / "runtime" / "dag_processor.py"
BUNDLE = "dags-folder"


@dataclass(frozen=True)
class File:
    """As Airflow's DagFileInfo."""

    rel_path: Path
    bundle_name: str = BUNDLE

    @property
    def presence_key(self) -> tuple[str, Path]:
        return self.bundle_name, self.rel_path


class Manager:
    """What our manager leans on, and nothing else."""

    __attrs_attrs__ = tuple(
        SimpleNamespace(name=name)
        for name in ("_dag_bundles", "_file_stats", "_processors", "_force_refresh_bundles", "selector")
    )
    folder: Path

    def __init__(self, max_runs: int) -> None:
        assert max_runs == -1
        self._file_stats: dict[File, None] = {}
        self._processors: dict[File, None] = {}
        self._force_refresh_bundles: set[str] = set()
        self.requested: list[File] = []

    def prepare_process_context(self) -> None:
        self.selector: Any = selectors.DefaultSelector()

    def prepare_bundles(self) -> None:
        self._dag_bundles = [SimpleNamespace(name=BUNDLE, path=self.folder)]

    def claim_priority_files(self) -> list[File]:
        return self.requested

    def should_skip_refresh(self, **_: Any) -> bool:
        return False

    def request_bundle_refresh(self, names: Any) -> None:
        self._force_refresh_bundles |= set(names)


@dataclass
class World:
    """A DAG folder, a package beside it, and the manager that watches both."""

    module: Any
    dags: Path
    package: Path
    manager: Any = field(init=False)

    def __post_init__(self) -> None:
        Manager.folder = self.dags
        self.manager = self.module.WatchingManager(max_runs=-1)
        self.manager.prepare_process_context()
        self.manager.prepare_bundles()

    def parsed(self, *names: str) -> None:
        for name in names:
            (self.dags / name).write_text("from airflow.sdk import dag")
            self.manager._file_stats[File(Path(name))] = None
        self.news()
        self.due()

    def news(self) -> bool:
        """Do as Airflow's loop does with what its selector gives; whether there was anything."""
        found = self.manager.selector.select(0.001)
        for key, _ in found:
            handler, _close = key.data
            assert handler(key.fileobj) is True, "else Airflow would close the watch"
        return bool(found)

    def due(self) -> set[str]:
        return {str(file.rel_path) for file in self.manager.claim_priority_files()}


@pytest.fixture
def world(monkeypatch, tmp_path):
    settings = {
        ("database", "sql_alchemy_conn"): f"sqlite:///{tmp_path}/home/airflow.db",
        ("airfoil", "source_folders"): f"{tmp_path / 'src'}{os.pathsep}{tmp_path / 'none'}",
    }
    for name in ("dags", "home", "src/shop"):
        (tmp_path / name).mkdir(parents=True)
    stand_ins: dict[str, dict[str, Any]] = {
        "airflow": {},
        "airflow.configuration": {
            "conf": SimpleNamespace(get=lambda section, key, fallback=None: settings[section, key])
        },
        "airflow.dag_processing": {},
        "airflow.dag_processing.manager": {"DagFileInfo": File, "DagFileProcessorManager": Manager},
        "airflow.jobs": {},
        "airflow.jobs.dag_processor_job_runner": {"DagProcessorJobRunner": None},
        "airflow.jobs.job": {"Job": None, "run_job": None},
        "airflow.utils": {},
        "airflow.utils.file": {"might_contain_dag": lambda path, safe_mode: "dag" in Path(path).read_text()},
        "airflow.utils.providers_configuration_loader": {"providers_configuration_loaded": lambda f: f},
    }
    for name, content in stand_ins.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("dag_processor_under_test", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    monkeypatch.setattr(made, "SETTLE_SECONDS", 0.001)
    found = World(made, tmp_path / "dags", tmp_path / "src" / "shop")
    yield found
    found.manager.selector.close()
    found.manager._files.close()


def test_an_edited_file_is_parsed_again_and_no_other(world):
    world.parsed("one.py", "two.py")
    (world.dags / "one.py").write_text("from airflow.sdk import dag, task")
    assert world.news()
    assert world.due() == {"one.py"}
    assert world.due() == set(), "once"


def test_a_new_dag_file_makes_the_folder_searched_and_nothing_else_parsed(world):
    world.parsed("one.py")
    world.manager._force_refresh_bundles.clear()
    (world.dags / "new.py").write_text("from airflow.sdk import dag")
    assert world.news()
    assert world.manager._force_refresh_bundles == {BUNDLE}
    assert world.due() == set()


@pytest.mark.parametrize("where", ["dags/rules.yaml", "dags/helper.py", "src/shop/features.py"])
def test_what_a_dag_may_read_makes_all_of_them_parsed(world, where):
    world.parsed("one.py", "two.py")
    (world.dags.parent / where).write_text("x = 1")
    assert world.news()
    assert world.due() == {"one.py", "two.py"}


@pytest.mark.parametrize("name", [".one.py.swp", "one.py~", "x.pyc", "#one.py#", "4913.tmp"])
def test_what_editors_and_python_leave_behind_is_no_news(world, name):
    world.parsed("one.py")
    world.manager._force_refresh_bundles.clear()
    (world.dags / name).write_text("x")
    world.news()
    assert world.due() == set()
    assert world.manager._force_refresh_bundles == set()


def test_a_file_that_changes_while_it_is_parsed_is_parsed_again_afterwards(world):
    world.parsed("one.py")
    world.manager._processors[File(Path("one.py"))] = None
    (world.dags / "one.py").write_text("dag 2")
    world.news()
    assert world.due() == set()
    assert not world.manager._is_idle()
    world.manager._processors.clear()
    assert world.due() == {"one.py"}
    assert world.manager._is_idle()


def test_a_new_file_that_changes_during_its_first_parse_is_parsed_again_afterwards(world):
    world.manager._processors[File(Path("new.py"))] = None
    (world.dags / "new.py").write_text("dag 2")
    world.news()
    assert world.due() == set()
    world.manager._processors.clear()
    assert world.due() == {"new.py"}


def test_a_folder_made_later_is_watched_too(world):
    world.parsed("one.py")
    below = world.dags / "team" / "deep"
    below.mkdir(parents=True)
    world.news()
    (below / "rules.yaml").write_text("x")
    assert world.news()
    assert world.due() == {"one.py"}


def test_links_that_lead_in_a_circle_end(world):
    (world.package / "again").symlink_to(world.package.parent)
    world.manager._watch(world.package.parent)
    assert len([one for one in world.manager._watched if one.name == "again"]) <= 1


def test_a_deleted_file_makes_the_folder_searched(world):
    world.parsed("one.py")
    world.manager._file_stats.clear()
    world.manager._force_refresh_bundles.clear()
    (world.dags / "one.py").unlink()
    assert world.news()
    assert world.manager._force_refresh_bundles == {BUNDLE}


def test_requests_of_others_still_count(world):
    world.manager.requested = [File(Path("asked.py"))]
    assert world.due() == {"asked.py"}


@pytest.mark.parametrize(
    ("change", "skipped"),
    [
        ({}, True),
        ({"elapsed_time_since_refresh": 301.0}, False),
        ({"previously_seen": False}, False),
        ({"forced": True}, False),
        ({"elsewhere": True}, False),
    ],
)
def test_a_watched_folder_is_searched_when_something_changed_or_after_a_long_time(world, change, skipped):
    bundle = world.manager._dag_bundles[0]
    if change.get("elsewhere"):
        bundle = SimpleNamespace(name=BUNDLE, path=Path("/elsewhere"))
    if change.get("forced"):
        world.manager._force_refresh_bundles.add(BUNDLE)
    found = world.manager.should_skip_refresh(
        bundle=bundle,
        elapsed_time_since_refresh=change.get("elapsed_time_since_refresh", 10.0),
        previously_seen=change.get("previously_seen", True),
        current_version_matches_db=True,
    )
    assert found is skipped


def test_at_rest_it_sleeps_longer_than_asked_and_a_write_to_the_database_ends_it(world, monkeypatch):
    monkeypatch.setattr(world.module, "IDLE_SECONDS", 0.3)
    began = time.monotonic()
    assert world.manager.selector.select(0.05) == []
    assert 0.25 < time.monotonic() - began < 2
    (world.dags.parent / "home" / "airflow.db-wal").write_text("x")
    began = time.monotonic()
    assert world.manager.selector.select(0.05) == []
    assert 0.04 < time.monotonic() - began < 0.25, "after the second that Airflow would have waited"


def test_with_work_to_do_it_waits_no_longer_than_asked(world, monkeypatch):
    monkeypatch.setattr(world.module, "IDLE_SECONDS", 5.0)
    world.manager._processors[File(Path("one.py"))] = None
    began = time.monotonic()
    assert world.manager.selector.select(0.01) == []
    assert world.manager.selector.select(0) == []
    assert time.monotonic() - began < 1


def test_an_airflow_that_lacks_something_is_named(world, monkeypatch):
    assert world.module.unsupported() == ""
    monkeypatch.setattr(Manager, "__attrs_attrs__", Manager.__attrs_attrs__[1:])
    monkeypatch.delattr(Manager, "should_skip_refresh")
    assert world.module.unsupported() == "_dag_bundles, should_skip_refresh"


def test_where_nothing_can_be_watched_airflow_looks_for_files_itself(world, monkeypatch):
    monkeypatch.setattr(world.module.file_events, "watch", lambda *_: None)
    manager = world.module.WatchingManager(max_runs=-1)
    manager.prepare_process_context()
    manager.prepare_bundles()
    assert not manager._is_idle(), "so the selector has no more patience than asked for"
    assert not manager.should_skip_refresh(
        bundle=manager._dag_bundles[0], elapsed_time_since_refresh=1.0, previously_seen=True
    )
    assert manager.claim_priority_files() == []
    manager.selector.close()
