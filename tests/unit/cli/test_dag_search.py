import os
from datetime import UTC, datetime

import pytest

from airfoil.cli import dag_search
from airfoil.cli.watch import Patience
from airfoil.errors import ConfigurationError, NotFoundError, ServiceAnswerError

pytestmark = pytest.mark.unit

NOW = 1_795_168_800.0


def iso(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat()


class World:
    """An Airflow that reads files when its time has come, and a clock that only sleeping moves."""

    def __init__(self, folder):
        self.folder = folder
        self.now = NOW
        self.known = {}
        self.errors = []
        self.asked_to_parse = []
        self.said = []
        self.later = {}

    def write(self, name, text, age=1000.0):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (NOW - age, NOW - age))

    def dag(self, dag_id):
        return self.known.get(dag_id)

    def dags(self):
        return [self.known[name] for name in sorted(self.known)]

    def import_errors(self):
        return self.errors

    def parse_file(self, token):
        self.asked_to_parse.append(token)
        raise ServiceAnswerError("409: asked already")

    def sleep(self, seconds):
        self.now += seconds
        for moment in [moment for moment in self.later if moment <= self.now]:
            self.later.pop(moment)()

    def know(self, dag_id, **values):
        self.known[dag_id] = {"dag_id": dag_id, "last_parsed_time": iso(self.now), **values}

    def find(self, dag_id, ready_at=0.0):
        patience = Patience(self.said.append, clock=lambda: self.now, sleep=self.sleep)
        return dag_search.find(self, dag_id, self.folder, ready_at, patience, wall_clock=lambda: self.now)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_known_dag_is_found_at_once(world):
    world.write("shop.py", "dag", age=100)
    world.know("shop", relative_fileloc="shop.py")

    assert world.find("shop")["dag_id"] == "shop"
    assert (world.now, world.said) == (NOW, [])


def test_a_typo_in_a_settled_project_is_told_at_once(world):
    world.write("shop.py", "dag")
    world.know("train_wine")
    world.know("other")

    with pytest.raises(NotFoundError, match=r"^There is no DAG trian_wine\.$") as caught:
        world.find("trian_wine")

    assert caught.value.next_move == "Did you mean train_wine?"
    assert world.now == NOW


def test_nothing_alike_lists_what_there_is(world):
    for number in range(12):
        world.know(f"dag_number_{number:02}")

    with pytest.raises(NotFoundError) as caught:
        world.find("zzz")

    assert caught.value.next_move == (
        "Known DAGs: " + ", ".join(f"dag_number_{number:02}" for number in range(8)) + " and 4 more."
    )


def test_no_dag_at_all(world):
    with pytest.raises(NotFoundError) as caught:
        world.find("shop")

    assert caught.value.next_move.startswith("There is no DAG yet")


def test_a_new_file_is_waited_for(world):
    world.write("fresh.py", "dag", age=2)
    world.later[NOW + 5] = lambda: world.know("fresh", relative_fileloc="fresh.py")

    assert world.find("fresh")["dag_id"] == "fresh"
    assert world.now == NOW + 5
    assert world.said == ["Waiting for Airflow to read a DAG fresh ..."]


def test_the_wait_counts_from_the_last_change(world):
    world.write("fresh.py", "dag", age=20)

    with pytest.raises(NotFoundError):
        world.find("fresh")

    assert world.now == NOW + 40


def test_a_platform_that_just_came_up_is_given_time(world):
    world.later[NOW + 10] = lambda: world.know("shop")

    assert world.find("shop", ready_at=NOW - 5)["dag_id"] == "shop"


def test_a_file_from_the_future_does_not_make_us_wait_for_ever(world):
    world.write("fresh.py", "dag", age=-1e6)

    with pytest.raises(NotFoundError):
        world.find("nope")

    assert world.now == NOW + 60


def test_a_changed_file_is_read_again_first(world):
    world.know("shop", relative_fileloc="shop.py", last_parsed_time=iso(NOW - 10), file_token="tok")
    world.write("shop.py", "dag", age=2)
    world.later[NOW + 3] = lambda: world.know("shop", relative_fileloc="shop.py")

    world.find("shop")

    assert world.now == NOW + 3
    assert world.asked_to_parse == ["tok"]
    assert world.said == ["shop.py changed; waiting for Airflow to read it again ..."]


def test_a_changed_file_that_is_never_read_runs_as_it_was(world):
    world.know("shop", relative_fileloc="shop.py", last_parsed_time=iso(NOW - 10))
    world.write("shop.py", "dag", age=2)

    assert world.find("shop")["dag_id"] == "shop"
    assert world.said[-1] == "shop.py changed, and Airflow has not read it again yet."


@pytest.mark.parametrize("text", ['@dag(dag_id="fresh")', "nothing alike"])
def test_an_import_error_ends_the_wait_with_file_and_reason(world, text):
    name = "fresh.py" if text == "nothing alike" else "sub/other.py"
    world.write(name, text, age=2)
    trace = "Traceback:\n  File \"x\"\nModuleNotFoundError: No module named 'shop'\n"
    world.errors = [{"filename": name, "timestamp": iso(NOW - 1), "stack_trace": trace}]

    with pytest.raises(
        ConfigurationError, match=rf"{name} does not import: ModuleNotFoundError: No module"
    ) as caught:
        world.find("fresh")

    assert caught.value.details[-1] == "ModuleNotFoundError: No module named 'shop'"
    assert world.now == NOW


def test_an_import_error_of_another_file_is_only_mentioned(world):
    world.write("other.py", "dag")
    world.errors = [{"filename": "other.py", "timestamp": iso(NOW), "stack_trace": "boom"}]

    with pytest.raises(NotFoundError) as caught:
        world.find("shop")

    assert "other.py" in caught.value.next_move


def test_an_import_error_that_was_mended_since_is_no_reason(world):
    world.write("fresh.py", "dag", age=1)
    world.errors = [{"filename": "fresh.py", "timestamp": iso(NOW - 5), "stack_trace": "boom"}]
    world.later[NOW + 4] = lambda: world.know("fresh")

    assert world.find("fresh")["dag_id"] == "fresh"


def test_a_known_dag_whose_file_broke_cannot_run(world):
    world.write("shop.py", "x")
    world.know("shop", relative_fileloc="shop.py", has_import_errors=True)
    world.errors = [{"filename": "shop.py", "timestamp": iso(NOW), "stack_trace": ""}]

    with pytest.raises(ConfigurationError, match="no reason given"):
        world.find("shop")


def test_a_known_dag_does_not_care_about_a_file_that_only_names_it(world):
    world.know("shop", relative_fileloc="shop.py")
    world.write("trigger.py", "trigger shop")
    world.errors = [{"filename": "trigger.py", "timestamp": iso(NOW), "stack_trace": "boom"}]

    assert world.find("shop")["dag_id"] == "shop"


def test_a_stale_dag_counts_as_unknown(world):
    world.know("shop", is_stale=True)

    with pytest.raises(NotFoundError):
        world.find("shop")


def test_dag_files_leaves_out_caches_and_hidden_folders(tmp_path):
    for name in ("a.py", "sub/b.py", "c.zip", "notes.md", "__pycache__/d.py", ".git/e.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert sorted(path.name for path in dag_search.dag_files(tmp_path)) == ["a.py", "b.py", "c.zip"]
    assert dag_search.dag_files(tmp_path / "absent") == []
