"""What a profile means here: resolved from Airflow's configuration alone."""

import json
import logging
from datetime import timedelta

import pytest

import airfoil
from airfoil.errors import ConfigurationError
from airfoil.provider import profiles
from airfoil.provider.profiles import KEYS, profile, with_profile
from airfoil.settings import ProfileSettings

pytestmark = pytest.mark.unit

TRAINING = {
    "executor": "k8s",
    "queue": "big",
    "pool_slots": 2,
    "cpu": 2,
    "memory": "4Gi",
    "gpu": 1,
    "timeout_seconds": 90.5,
    "retries": 0,
}


@pytest.fixture
def configure(monkeypatch):
    """Write Airflow's configuration, and forget what was said before."""
    profiles._say_once.cache_clear()

    def write(tables, executors="LocalExecutor", gpu_pool="gpu"):
        text = tables if isinstance(tables, str) else json.dumps(tables)
        monkeypatch.setenv("AIRFLOW__AIRFOIL__PROFILES", text)
        monkeypatch.setenv("AIRFLOW__AIRFOIL__GPU_POOL", gpu_pool)
        monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executors)

    return write


@pytest.fixture
def pods(monkeypatch):
    """Stand in for the package of Kubernetes: a pod is what it was made of."""
    monkeypatch.setattr(profiles, "kubernetes_builder", lambda: lambda described: ("pod", described))


def test_the_keys_are_those_of_the_settings():
    assert set(KEYS) == set(ProfileSettings.model_fields)


def test_it_is_at_the_front_door():
    assert airfoil.profile is profile


def test_on_a_laptop_a_gpu_is_a_turn_in_its_pool(configure):
    configure({"training": TRAINING})
    assert profile("training") == {
        "queue": "big",
        "pool": "gpu",
        "pool_slots": 2,
        "retries": 0,
        "execution_timeout": timedelta(seconds=90.5),
    }


@pytest.mark.parametrize("executor", ["k8s", "KubernetesExecutor"])
def test_on_kubernetes_the_amounts_are_the_pods_and_no_pool_is_needed(configure, pods, executor):
    configure({"training": TRAINING | {"executor": executor}}, "LocalExecutor,k8s:KubernetesExecutor")
    found = profile("training")
    assert found["executor"] == executor
    assert "pool" not in found
    kind, pod = found["executor_config"]["pod_override"]
    assert kind == "pod"
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"memory": "4Gi", "nvidia.com/gpu": "1"}


def test_the_default_executor_decides_when_none_is_asked_for(configure, pods):
    configure({"a": {"cpu": 1}}, "KubernetesExecutor,LocalExecutor")
    assert "executor_config" in profile("a")
    configure({"a": {"cpu": 1}}, "LocalExecutor,KubernetesExecutor")
    assert profile("a") == {}
    configure({"a": {"gpu": 1}}, "CeleryExecutor")
    assert profile("a") == {}, "the queue decides there which machine it is"


def test_without_the_package_the_pod_is_left_out_and_said_once(configure, monkeypatch, caplog):
    monkeypatch.setattr(profiles, "kubernetes_builder", lambda: None)
    configure({"a": {"cpu": 1}}, "KubernetesExecutor")
    with caplog.at_level(logging.INFO):
        assert profile("a") == profile("a") == {}
    (line,) = [record.getMessage() for record in caplog.records]
    assert "apache-airflow-providers-cncf-kubernetes is not installed here" in line


def test_an_explicit_pool_wins_and_without_a_pool_for_gpus_there_is_none(configure):
    configure({"a": {"gpu": 1, "pool": "mine"}})
    assert profile("a") == {"pool": "mine"}
    configure({"a": {"gpu": 1}}, gpu_pool="")
    assert profile("a") == {}
    configure({"a": {"gpu": 0}})
    assert profile("a") == {}


def test_an_unknown_profile_is_the_default_one_and_said_once(configure, caplog):
    configure({"default": {"retries": 3}})
    with caplog.at_level(logging.INFO):
        assert profile("nope") == profile("nope") == profile() == profile("default") == {"retries": 3}
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "There is no profile nope here; the profile default is used.")
    ]


def test_an_executor_that_is_not_here_is_dropped_and_said_once(configure, caplog):
    configure({"training": {"executor": "k8s", "queue": "q"}})
    with caplog.at_level(logging.INFO):
        assert profile("training") == profile("training") == {"queue": "q"}
    (record,) = caplog.records
    assert "The executor k8s of the profile training is not configured here" in record.getMessage()
    assert record.levelname == "INFO", "as it should be on this tier"


@pytest.mark.parametrize("text", ["", "{}", '{"default": {}}'])
def test_the_default_profile_always_exists(configure, caplog, text):
    configure(text)
    with caplog.at_level(logging.INFO):
        assert profile() == {}
    assert caplog.records == []


def test_without_any_configuration(monkeypatch):
    for name in ("AIRFLOW__AIRFOIL__PROFILES", "AIRFLOW__AIRFOIL__GPU_POOL", "AIRFLOW__CORE__EXECUTOR"):
        monkeypatch.delenv(name, raising=False)
    assert profile("anything", task_id="x") == {"task_id": "x"}


def test_overrides_are_keys_of_a_profile_or_arguments_of_the_operator(configure):
    configure({"training": TRAINING})
    found = profile(
        "training", gpu=0, retries=7, queue=None, timeout_seconds=5, task_id="fit", trigger_rule="x"
    )
    assert found == {
        "pool_slots": 2,
        "retries": 7,
        "execution_timeout": timedelta(seconds=5),
        "task_id": "fit",
        "trigger_rule": "x",
    }
    assert profile("training", execution_timeout=None)["execution_timeout"] is None
    assert profile("training")["retries"] == 0, "the table is not changed by overrides"


def test_an_environment_is_the_interpreter_of_external_python(configure):
    configure({"heavy": {"environment": "/p/.airfoil/environments/heavy/bin/python"}})
    assert profile("heavy") == {"python": "/p/.airfoil/environments/heavy/bin/python"}


def test_the_same_profile_gives_the_same_arguments(configure):
    configure({"training": TRAINING})
    assert profile("training") == profile("training")
    assert profile("training") is not profile("training")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "[airfoil] profiles in Airflow's configuration is not JSON"),
        ("[]", "is not an object of objects"),
        ('{"a": 1}', "is not an object of objects"),
        ("null", "is not an object of objects"),
        ('{"a": {"gpus": 1}}', "The profile 'a' has a key 'gpus', which does not exist"),
        ('{"a": {"gpu": "1"}}', "'1' is no usable value for 'gpu' of the profile 'a'"),
        ('{"a": {"gpu": true}}', "'True' is no usable value for 'gpu'"),
        ('{"a": {"retries": -1}}', "'-1' is no usable value for 'retries'"),
        ('{"a": {"pool_slots": 0}}', "'0' is no usable value for 'pool_slots'"),
        ('{"a": {"timeout_seconds": 0}}', "'0' is no usable value for 'timeout_seconds'"),
        ('{"a": {"timeout_seconds": Infinity}}', "'inf' is no usable value for 'timeout_seconds'"),
        ('{"a": {"queue": " "}}', "' ' is no usable value for 'queue'"),
        ('{"a": {"pod": "x"}}', "'x' is no usable value for 'pod'"),
        ('{"a": {"cpu": ""}}', "'' is no usable value for 'cpu'"),
    ],
)
def test_garbage_in_airflows_configuration_is_told_in_a_sentence(configure, text, sentence):
    configure(text)
    with pytest.raises(ConfigurationError) as caught:
        profile("a")
    assert sentence in str(caught.value)
    assert caught.value.next_move


def test_a_mistyped_key_is_told_its_nearest(configure):
    configure({"a": {"gpus": 1}})
    with pytest.raises(ConfigurationError) as caught:
        profile("a")
    assert caught.value.next_move.startswith("Did you mean gpu? Keys: executor, queue")


# -- for our own operators and decorators


def test_what_the_dag_says_itself_wins_over_the_profile(configure):
    configure({"training": TRAINING})
    found = with_profile("training", {"task_id": "t", "pool": "mine", "retries": None}, takes_python=False)
    assert found["task_id"] == "t"
    assert (found["pool"], found["retries"], found["queue"]) == ("mine", None, "big")


def test_arguments_of_the_operator_that_are_called_like_keys_are_its_own(configure):
    configure({"training": {"timeout_seconds": 5}})
    found = with_profile("training", {"timeout_seconds": 9, "environment": {"A": "1"}}, takes_python=False)
    assert found == {
        "execution_timeout": timedelta(seconds=5),
        "timeout_seconds": 9,
        "environment": {"A": "1"},
    }


def test_no_profile_is_nothing(configure):
    configure({"default": {"retries": 3}})
    assert with_profile(None, {"task_id": "t"}, takes_python=False) == {"task_id": "t"}


def test_an_environment_where_none_can_be_is_an_error_with_the_way_out(configure):
    configure({"heavy": {"environment": "/x/bin/python"}})
    assert with_profile("heavy", {}, takes_python=True) == {"python": "/x/bin/python"}
    with pytest.raises(ConfigurationError, match="'heavy' has an isolated environment") as caught:
        with_profile("heavy", {}, takes_python=False)
    assert '@task.external_python(**profile("heavy"))' in caught.value.next_move
