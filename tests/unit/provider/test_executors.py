"""What `[core] executor` names, and what a task's `executor` means."""

import pytest

from airfoil.provider.executors import Executor, find_executor, parse_executors

pytestmark = pytest.mark.unit

LOCAL = "airflow.executors.local_executor.LocalExecutor"
WAKING = "airfoil.runtime.executor.WakingLocalExecutor"
KUBERNETES = "airflow.providers.cncf.kubernetes.executors.kubernetes_executor.KubernetesExecutor"


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ("LocalExecutor", [Executor(LOCAL, "LocalExecutor")]),
        (
            " LocalExecutor , k8s:KubernetesExecutor ",
            [Executor(LOCAL, "LocalExecutor"), Executor(KUBERNETES, "k8s")],
        ),
        ("my.pack.BigExecutor", [Executor("my.pack.BigExecutor")]),
        (f"LocalExecutor:{WAKING}", [Executor(WAKING, "LocalExecutor")]),
        ("LocalExecutor;team1=CeleryExecutor", [Executor(LOCAL, "LocalExecutor")]),
        ("=LocalExecutor;team1=CeleryExecutor", [Executor(LOCAL, "LocalExecutor")]),
        ("", []),
        (",;", []),
    ],
)
def test_the_list_of_executors(configured, expected):
    assert list(parse_executors(configured)) == expected


def test_a_task_may_use_alias_path_or_class_name():
    executors = parse_executors(f"LocalExecutor:{WAKING},k8s:KubernetesExecutor,my.BigExecutor")
    ours, kubernetes, big = executors
    for name, meant in [
        ("LocalExecutor", ours),
        ("WakingLocalExecutor", ours),
        (WAKING, ours),
        ("k8s", kubernetes),
        ("KubernetesExecutor", kubernetes),
        ("BigExecutor", big),
        ("my.BigExecutor", big),
    ]:
        assert find_executor(executors, name) is meant
    for name in ("CeleryExecutor", "", "K8S", LOCAL):
        assert find_executor(executors, name) is None


def test_an_alias_goes_before_a_class_name():
    executors = parse_executors("BigExecutor:a.SmallExecutor,b.BigExecutor")
    assert find_executor(executors, "BigExecutor") is executors[0]


def test_who_makes_pods_and_who_is_local():
    ours, kubernetes, celery = parse_executors(f"{WAKING},KubernetesExecutor,CeleryExecutor")
    assert (ours.is_local, ours.makes_pods) == (True, False)
    assert (kubernetes.is_local, kubernetes.makes_pods) == (False, True)
    assert (celery.is_local, celery.makes_pods) == (False, False)
