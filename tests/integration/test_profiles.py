"""Profiles in a real Airflow: one DAG file under several configurations, and pools in a real database."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airfoil.provider.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from tests.integration.airflow_home import AirflowHome

pytestmark = pytest.mark.integration

DAG_FILE = Path(__file__).parent / "profiled_dag.py"
TABLES = {
    "training": {"executor": "k8s", "queue": "big", "gpu": 1, "timeout_seconds": 60, "retries": 2},
    "cluster": {"executor": "KubernetesExecutor"},
    "isolated": {"environment": "/opt/heavy/bin/python"},
}
WAKING = "airfoil.runtime.executor.WakingLocalExecutor"
# Airflow is imported once; each configuration is read in a process forked from there, as if it were a tier of its own.
SCENE = """
import json, logging, os, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.exceptions import UnknownExecutorException
from airflow.executors.executor_loader import ExecutorLoader
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
from airfoil.provider.executors import find_executor, parse_executors
from airfoil.provider import profiles

class Lines(logging.Handler):
    def emit(self, record):
        if record.name.startswith("airfoil"):
            lines.append(record.getMessage())

lines = []
logging.getLogger("airfoil").addHandler(Lines())
logging.getLogger("airfoil").setLevel("INFO")

def tasks(dag):
    return {
        one.task_id: {
            "executor": one.executor,
            "pool": one.pool,
            "queue": one.queue,
            "retries": one.retries,
            "seconds": one.execution_timeout and one.execution_timeout.total_seconds(),
            "python": getattr(one, "python", None),
            "pod": str(one.executor_config.get("pod_override", "")),
        }
        for one in dag.tasks
    }

def parse():
    bag = DagBag(dag_folder=FILE)
    found = {"errors": list(bag.import_errors.values()), "lines": lines}
    if bag.dags:
        dag = bag.dags["profiled"]
        data = DagSerialization.to_dict(dag)
        back = DagSerialization.from_dict(json.loads(json.dumps(data)))
        found |= {"tasks": tasks(dag), "back": tasks(back), "hash": LazyDeserializedDAG(data=data).hash}
    return found

def compare():
    ours = parse_executors(os.environ["AIRFLOW__CORE__EXECUTOR"])
    theirs = ExecutorLoader.get_executor_names(validate_teams=False)
    found = [[[one.path, one.alias] for one in ours], [[one.module_path, one.alias or ""] for one in theirs]]
    for name in NAMES:
        mine = find_executor(ours, name)
        try:
            his = ExecutorLoader.lookup_executor_name_by_str(name, validate_teams=False).module_path
        except UnknownExecutorException:
            his = None
        found.append([name, mine and mine.path, his])
    return found

answers = []
for work, environment in JOBS:
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.environ |= environment
        with os.fdopen(writing, "w") as out:
            json.dump(globals()[work](), out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        answers.append(json.load(answer))
    os.wait()
print(json.dumps(answers))
"""
NAMES = (
    *("LocalExecutor", "k8s", WAKING, "WakingLocalExecutor", "BigExecutor", "small", "SmallExecutor"),
    *("my.pack.BigExecutor", "KubernetesExecutor", "Executor", "team1", "CeleryExecutor", ""),
)
LISTS = (
    "LocalExecutor",
    f"LocalExecutor:{WAKING}, k8s:KubernetesExecutor",
    "CeleryExecutor,my.pack.BigExecutor,small:my.pack.SmallExecutor,BigExecutor:your.Executor",
    "=LocalExecutor;team1=CeleryExecutor",
)


def tier(executors: str, tables: object = None) -> tuple[str, dict[str, str]]:
    """A configuration in which the file is parsed."""
    found = {"AIRFLOW__CORE__EXECUTOR": executors}
    if tables is not None:
        found |= {"AIRFLOW__AIRFOIL__PROFILES": json.dumps(tables), "AIRFLOW__AIRFOIL__GPU_POOL": "gpu"}
    return "parse", found


OTHER = TABLES | {"training": TABLES["training"] | {"retries": 3}}
POD = {"training": {"executor": "k8s", "gpu": 1, "memory": "8Gi"}}
TIERS = {
    "laptop": tier(f"LocalExecutor:{WAKING}", TABLES),
    "cluster": tier("LocalExecutor,k8s:KubernetesExecutor", TABLES),
    "plain": tier("LocalExecutor"),
    "laptop again": tier(f"LocalExecutor:{WAKING}", TABLES),
    "laptop, changed": tier(f"LocalExecutor:{WAKING}", OTHER),
    "garbage": tier("LocalExecutor", {"training": {"gpus": 1}}),
    "pods": tier("LocalExecutor,k8s:KubernetesExecutor", POD),
    **{configured: ("compare", {"AIRFLOW__CORE__EXECUTOR": configured}) for configured in LISTS},
}


@pytest.fixture(scope="module")
def found(migrated_airflow: AirflowHome) -> dict[str, Any]:
    """What each tier made of the file."""
    scene = SCENE.replace("FILE", repr(str(DAG_FILE))).replace("NAMES", repr(NAMES))
    answers = migrated_airflow.python(scene.replace("JOBS", repr(list(TIERS.values()))))
    return dict(zip(TIERS, json.loads(answers), strict=True))


@pytest.fixture
def copy(migrated_airflow: AirflowHome, tmp_path: Path) -> AirflowHome:
    """A set-up Airflow that a test may change."""
    return migrated_airflow.copied_to(tmp_path / "home")


def test_on_a_laptop_the_cluster_is_left_out_and_every_task_is_placed(found):
    laptop = found["laptop"]
    assert laptop["errors"] == []
    plain = {
        "executor": None,
        "queue": "default",
        "pool": "default_pool",
        "seconds": None,
        "python": None,
        "pod": "",
    }
    training = plain | {"pool": "gpu", "queue": "big", "retries": 2, "seconds": 60.0}
    assert laptop["tasks"] == {
        "fit": training,
        "score": training,
        "shell": plain | {"retries": 1},
        "apart": plain | {"retries": 0, "python": "/opt/heavy/bin/python"},
    }
    assert laptop["back"] == laptop["tasks"], "serialized and back"
    assert sorted(laptop["lines"]) == [
        f"The executor {executor} of the profile {name} is not configured here; its tasks run on the default one."
        for executor, name in (("KubernetesExecutor", "cluster"), ("k8s", "training"))
    ]


def test_where_the_second_executor_is_configured_it_is_asked_for(found):
    cluster = found["cluster"]
    assert cluster["errors"] == []
    assert {name: one["executor"] for name, one in cluster["tasks"].items()} == {
        "fit": "k8s",
        "score": "k8s",
        "shell": "KubernetesExecutor",
        "apart": None,
    }
    assert {one["pool"] for one in cluster["tasks"].values()} == {"default_pool"}, "no turns on a cluster"
    assert cluster["back"] == cluster["tasks"]


def test_without_any_profile_the_file_is_plain(found):
    plain = found["plain"]
    assert plain["errors"] == []
    assert {one["executor"] for one in plain["tasks"].values()} == {None}
    assert {one["pool"] for one in plain["tasks"].values()} == {"default_pool"}
    assert plain["tasks"]["apart"]["python"] == "/usr/bin/python3"
    assert len(plain["lines"]) == 3
    assert all(line.endswith("the profile default is used.") for line in plain["lines"])


def test_the_same_profiles_are_the_same_version_in_another_process(found):
    assert found["laptop again"]["hash"] == found["laptop"]["hash"]
    assert found["laptop, changed"]["hash"] != found["laptop"]["hash"]


def test_garbage_is_an_import_error_with_our_sentence(found):
    (error,) = found["garbage"]["errors"]
    assert "The profile 'training' has a key 'gpus', which does not exist" in error


def test_a_pod_is_built_with_the_package_and_left_out_without(found):
    pods = found["pods"]
    assert pods["errors"] == []
    if importlib.util.find_spec("kubernetes") is None:
        assert pods["tasks"]["fit"]["pod"] == ""
        assert any("cncf-kubernetes is not installed here" in line for line in pods["lines"])
        pytest.skip("apache-airflow-providers-cncf-kubernetes is not installed: no real pod was built")
    assert "'nvidia.com/gpu': '1'" in pods["tasks"]["fit"]["pod"]
    assert pods["back"] == pods["tasks"]


@pytest.mark.parametrize("configured", LISTS)
def test_our_reading_of_the_executors_is_airflows(found, configured):
    ours, theirs, *looked_up = found[configured]
    assert ours == theirs
    assert len(looked_up) == len(NAMES)
    assert [row for row in looked_up if row[1] != row[2]] == []


def test_a_provider_without_a_stack_reads_airflow_cfg(migrated_airflow, tmp_path):
    home = migrated_airflow.copied_to(tmp_path / "home")
    text = json.dumps({"training": {"gpu": 1, "retries": 4, "pod": {"metadata": {"labels": {"a": "1%%"}}}}})
    (home.folder / "airflow.cfg").write_text(f"[airfoil]\nprofiles = {text}\ngpu_pool = mine\n")
    code = "from airfoil import profile\nprint(sorted(profile('training').items()))"
    assert home.python(code) == "[('pool', 'mine'), ('retries', 4)]"


# -- pools


def pools(home: AirflowHome) -> dict[object, object]:
    return dict(home.rows("select pool, slots from slot_pool where pool <> 'default_pool'"))


def test_pools_are_made_changed_and_left_alone_when_a_user_changed_them(copy):
    gpu = {"slots": 1, "description": "", "include_deferred": False}
    copy.pools = {"gpu": gpu, "ä pi": gpu | {"slots": 3}}
    copy.run_well()
    assert pools(copy) == {"gpu": 1, "ä pi": 3}
    copy.rows("update slot_pool set slots = 9 where pool = 'gpu'")
    copy.run_well()
    copy.pools["ä pi"] = gpu | {"slots": 5, "include_deferred": True}
    copy.run_well()
    assert pools(copy) == {"gpu": 9, "ä pi": 5}, "what the user changed stays"
    copy.pools = {"gpu": gpu | {"slots": 2}}
    copy.run_well()
    assert pools(copy) == {"gpu": 2, "ä pi": 5}, "until it changes here; what is gone here stays there"


def test_airflows_own_pool_can_be_resized(copy):
    copy.pools = {"default_pool": {"slots": 7, "description": "x", "include_deferred": False}}
    copy.run_well()
    assert copy.rows("select slots from slot_pool where pool = 'default_pool'") == [(7,)]


def test_the_provider_declares_its_options(copy):
    code = (
        "from airflow.configuration import conf\n"
        "from airflow.utils.providers_configuration_loader import providers_configuration_loaded\n"
        "print(providers_configuration_loaded(lambda: sorted(conf.as_dict()['airfoil']))())"
    )
    assert copy.python(code) == str(sorted(get_provider_info()["config"]["airfoil"]["options"]))
