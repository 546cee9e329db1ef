"""Tells a pod that runs a single task in which MLflow run it works: the run's id and the server's address, no login.

A login belongs into a secret of the cluster, which the pod names itself; what is here is written in plain into the
pod's description. Must not import the Kubernetes provider: it may not be installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from airfoil.clients.mlflow_server import MlflowServer

BASE_CONTAINER = "base"
"""What KubernetesPodOperator calls the container that does the work."""


def pod_environment(run_id: str, server: MlflowServer) -> dict[str, str]:
    """Return the variables by which plain `mlflow.start_run()` in a pod continues this run on this server."""
    parts = urlsplit(server.uri)
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
    return {"MLFLOW_TRACKING_URI": address, "MLFLOW_RUN_ID": run_id}


def kubernetes_variable(name: str, value: str) -> Any:
    """Make a variable as the Kubernetes client has it."""
    from kubernetes.client import models  # type: ignore[import-not-found]

    return models.V1EnvVar(name=name, value=value)


def add_environment(
    pod: Any, environment: Mapping[str, str], *, variable: Callable[[str, str], Any] = kubernetes_variable
) -> Any:
    """Set variables in the working container of a pod (`V1Pod`) and return it; those that it names itself stay."""
    for container in pod.spec.containers:
        if container.name == BASE_CONTAINER:
            present = list(container.env or [])
            named = {one.name for one in present}
            container.env = present + [
                variable(name, value) for name, value in environment.items() if name not in named
            ]
    return pod
