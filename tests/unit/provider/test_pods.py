"""The pod that a profile describes."""

import importlib.util

import pytest

from airfoil.provider.pods import describe_pod, kubernetes_builder

pytestmark = pytest.mark.unit


def container(table):
    (found,) = describe_pod(table)["spec"]["containers"]
    return found


def test_nothing_asked_is_no_pod():
    assert describe_pod({}) == {}
    assert describe_pod({"gpu": 0, "queue": "x", "pod": {}}) == {}


def test_amounts_are_requests_and_limits_of_the_container_of_the_task():
    assert container({"cpu": 0.5, "memory": "4Gi", "gpu": 2}) == {
        "name": "base",
        "resources": {
            "requests": {"cpu": "0.5", "memory": "4Gi"},
            "limits": {"memory": "4Gi", "nvidia.com/gpu": "2"},
        },
    }
    assert container({"cpu": "500m"})["resources"] == {"requests": {"cpu": "500m"}}


def test_the_users_pod_is_merged_over_it():
    pod = {
        "metadata": {"labels": {"team": "a"}},
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "gpu"}],
            "containers": [
                {"name": "base", "image": "me/x", "resources": {"limits": {"amd.com/gpu": "1"}}},
                {"name": "sidecar"},
            ],
        },
    }
    found = describe_pod({"memory": "1Gi", "pod": pod})
    assert found["metadata"] == {"labels": {"team": "a"}}
    assert found["spec"]["nodeSelector"] == {"disk": "ssd"}
    base, sidecar = found["spec"]["containers"]
    assert base == {
        "name": "base",
        "image": "me/x",
        "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi", "amd.com/gpu": "1"}},
    }
    assert sidecar == {"name": "sidecar"}
    assert pod["spec"]["containers"][0] == {
        "name": "base",
        "image": "me/x",
        "resources": {"limits": {"amd.com/gpu": "1"}},
    }, "what was handed in stays as it was"


def test_lists_without_names_are_replaced():
    found = describe_pod({"cpu": 1, "pod": {"spec": {"containers": ["garbage"]}}})
    assert found["spec"]["containers"] == ["garbage"]


def test_without_the_package_there_is_no_builder():
    installed = importlib.util.find_spec("kubernetes") is not None
    assert (kubernetes_builder() is not None) == installed
