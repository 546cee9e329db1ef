from __future__ import annotations

from types import SimpleNamespace

import pytest

from airfoil.clients.mlflow_server import MlflowServer
from airfoil.provider.pod_environment import add_environment, kubernetes_variable, pod_environment

pytestmark = pytest.mark.unit

ENVIRONMENT = {"MLFLOW_TRACKING_URI": "http://mlflow:5000", "MLFLOW_RUN_ID": "abc"}


def variable(name, value):
    """Stands for V1EnvVar: the Kubernetes client is not installed here."""
    return SimpleNamespace(name=name, value=value)


def pod(*containers):
    return SimpleNamespace(spec=SimpleNamespace(containers=list(containers)))


def container(name, env=None):
    return SimpleNamespace(name=name, env=env)


def test_a_pod_learns_its_run_and_no_secret():
    server = MlflowServer("http://mlflow:5000/", username="ann", password="secret", token="token")
    assert pod_environment("abc", server) == ENVIRONMENT


def test_a_login_in_the_address_stays_at_home():
    found = pod_environment("abc", MlflowServer("https://ann:p%40ss@mlflow.example.com/base?key=secret"))
    assert found["MLFLOW_TRACKING_URI"] == "https://mlflow.example.com/base"


def test_the_working_container_gets_it_and_its_neighbours_do_not():
    base, sidecar = container("base"), container("airflow-xcom-sidecar", env=[])
    assert add_environment(made := pod(base, sidecar), ENVIRONMENT, variable=variable) is made
    assert {one.name: one.value for one in base.env} == ENVIRONMENT
    assert sidecar.env == []


def test_what_the_pod_says_itself_stays():
    base = container("base", [variable("MLFLOW_TRACKING_URI", "http://inside:5000"), variable("A", "b")])
    add_environment(pod(base), ENVIRONMENT, variable=variable)
    assert [(one.name, one.value) for one in base.env] == [
        ("MLFLOW_TRACKING_URI", "http://inside:5000"),
        ("A", "b"),
        ("MLFLOW_RUN_ID", "abc"),
    ]


def test_with_the_real_client():
    pytest.importorskip("kubernetes", reason="the Kubernetes client is not installed on this machine")
    made = kubernetes_variable("A", "b")
    assert (made.name, made.value) == ("A", "b")
