"""Profiles in a real Airflow: one DAG file under several configurations, and pools in a real database."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.integration.airflow_home import AirflowHome

pytestmark = pytest.mark.integration

DAG_FILE = Path(__file__).parent / "profiled_dag.py"
TABLES = {
    "training": {"executor": "k8s", "queue": "big", "gpu": 1, "timeout_seconds": 60, "retries": 2},
    "cluster": {"executor": "KubernetesExecutor"},
    "isolated": {"environment": "/opt/heavy/bin/python"},
}
WAKING = "airfoil.runtime.executor.WakingLocalExecutor"
SCENE = """
import json, logging
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG

class Lines(logging.Handler):
    def emit(self, record):
        if record.name.startswith("airfoil"):
            lines.append(record.getMessage())

lines = []
logging.getLogger().addHandler(Lines())

def tasks(dag):
    return {
        one.task_id: {
            "executor": one.executor,
            "pool": one.pool,
            "queue": one.queue,
            "retries": one.retries,
            "seconds": one.execution_timeout and one.execution_timeout.total_seconds(),
            "python": getattr(one, "python", None),
        }
        for one in dag.tasks
    }

bag = DagBag(dag_folder=FILE)
found = {"errors": list(bag.import_errors.values()), "lines": lines}
if bag.dags:
    dag = bag.dags["profiled"]
    data = DagSerialization.to_dict(dag)
    back = DagSerialization.from_dict(json.loads(json.dumps(data)))
    found |= {"tasks": tasks(dag), "back": tasks(back), "hash": LazyDeserializedDAG(data=data).hash}
print(json.dumps(found))
"""


def parsed(home: AirflowHome, tables: object, executors: str) -> dict:
    """Parse the file in an Airflow with this configuration."""
    home.settings = {"AIRFLOW__CORE__EXECUTOR": executors}
    if tables is not None:
        home.settings |= {
            "AIRFLOW__AIRFOIL__PROFILES": json.dumps(tables),
            "AIRFLOW__AIRFOIL__GPU_POOL": "gpu",
        }
    return json.loads(home.python(SCENE.replace("FILE", repr(str(DAG_FILE)))))


@pytest.fixture
def copy(migrated_airflow: AirflowHome, tmp_path: Path) -> AirflowHome:
    """A set-up Airflow that a test may change."""
    shutil.copytree(migrated_airflow.folder, tmp_path / "home")
    return AirflowHome(tmp_path / "home")


def test_on_a_laptop_the_cluster_is_left_out_and_every_task_is_placed(copy):
    found = parsed(copy, TABLES, f"LocalExecutor:{WAKING}")
    assert found["errors"] == []
    training = {
        "executor": None,
        "pool": "gpu",
        "queue": "big",
        "retries": 2,
        "seconds": 60.0,
        "python": None,
    }
    assert found["tasks"]["fit"] == found["tasks"]["score"] == training
    assert found["tasks"]["shell"] | {"pool": "default_pool"} == {
        "executor": None,
        "pool": "default_pool",
        "queue": "default",
        "retries": 1,
        "seconds": None,
        "python": None,
    }
    assert found["tasks"]["apart"]["python"] == "/opt/heavy/bin/python"
    assert found["back"] == found["tasks"], "serialized and back"
    assert sorted(found["lines"]) == [
        f"The executor {executor} of the profile {name} is not configured here; its tasks run on the default one."
        for executor, name in (("KubernetesExecutor", "cluster"), ("k8s", "training"))
    ]


def test_where_the_second_executor_is_configured_it_is_asked_for(copy):
    found = parsed(copy, TABLES, "LocalExecutor,k8s:KubernetesExecutor")
    assert found["errors"] == []
    assert {name: one["executor"] for name, one in found["tasks"].items()} == {
        "fit": "k8s",
        "score": "k8s",
        "shell": "KubernetesExecutor",
        "apart": None,
    }
    assert {one["pool"] for one in found["tasks"].values()} == {"default_pool"}, "no turns on a cluster"
    assert found["back"] == found["tasks"]


def test_without_any_profile_the_file_is_plain(copy):
    found = parsed(copy, None, "LocalExecutor")
    assert found["errors"] == []
    assert {one["executor"] for one in found["tasks"].values()} == {None}
    assert {one["pool"] for one in found["tasks"].values()} == {"default_pool"}
    assert found["tasks"]["apart"]["python"] == "/usr/bin/python3"
    assert len(found["lines"]) == 3
    assert all(line.endswith("the profile default is used.") for line in found["lines"])


def test_the_same_profiles_are_the_same_version_in_another_process(copy):
    first = parsed(copy, TABLES, "LocalExecutor")["hash"]
    assert parsed(copy, TABLES, "LocalExecutor")["hash"] == first
    other = TABLES | {"training": TABLES["training"] | {"retries": 3}}
    assert parsed(copy, other, "LocalExecutor")["hash"] != first


def test_garbage_is_an_import_error_with_our_sentence(copy):
    (error,) = parsed(copy, {"training": {"gpus": 1}}, "LocalExecutor")["errors"]
    assert "The profile 'training' has a key 'gpus', which does not exist" in error


COMPARED = """
import json
from airflow.executors.executor_loader import ExecutorLoader
from airflow.exceptions import UnknownExecutorException
from airflow.configuration import conf
from airfoil.provider.executors import find_executor, parse_executors

ours = parse_executors(conf.get("core", "executor"))
theirs = ExecutorLoader.get_executor_names(validate_teams=False)
found = [[[one.path, one.alias] for one in ours], [[one.module_path, one.alias or ""] for one in theirs]]
for name in NAMES:
    mine = find_executor(ours, name)
    try:
        his = ExecutorLoader.lookup_executor_name_by_str(name, validate_teams=False).module_path
    except UnknownExecutorException:
        his = None
    found.append([name, mine and mine.path, his])
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    "configured",
    [
        "LocalExecutor",
        f"LocalExecutor:{WAKING}, k8s:KubernetesExecutor",
        "CeleryExecutor,my.pack.BigExecutor,small:my.pack.SmallExecutor,BigExecutor:your.Executor",
        "=LocalExecutor;team1=CeleryExecutor",
    ],
)
def test_our_reading_of_the_executors_is_airflows(copy, configured):
    names = ["LocalExecutor", "k8s", WAKING, "WakingLocalExecutor", "BigExecutor", "small", "SmallExecutor"]
    names += ["my.pack.BigExecutor", "KubernetesExecutor", "Executor", "team1", "CeleryExecutor", ""]
    copy.settings = {"AIRFLOW__CORE__EXECUTOR": configured}
    ours, theirs, *looked_up = json.loads(copy.python(COMPARED.replace("NAMES", repr(names))))
    assert ours == theirs
    assert [row for row in looked_up if row[1] != row[2]] == []


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
    assert copy.python(code) == "['gpu_pool', 'profiles', 'source_folders']"
