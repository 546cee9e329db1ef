"""The pod of a task under the KubernetesExecutor: what a profile's cpu, memory, gpu and pod ask for.

`describe_pod` is plain data; `pod_override` turns it into what the executor takes, with the classes of the package
`apache-airflow-providers-cncf-kubernetes`, where that is installed. Nothing of Kubernetes is imported before.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Mapping
from typing import Any

# The container in which Airflow runs the task must have this name.
_CONTAINER = "base"
_GPU = "nvidia.com/gpu"

Builder = Callable[[dict[str, Any]], Any]


def describe_pod(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest, with the user's `pod` merged over what the amounts ask for; empty when nothing is asked.

    Memory and GPUs are limits as well as requests. A processor that is free may be used by anybody, so `cpu` is a
    request alone.
    """
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    if table.get("cpu"):
        requests["cpu"] = str(table["cpu"])
    if table.get("memory"):
        requests["memory"] = limits["memory"] = str(table["memory"])
    if table.get("gpu"):
        limits[_GPU] = str(table["gpu"])
    resources = {name: amounts for name, amounts in (("requests", requests), ("limits", limits)) if amounts}
    ours: dict[str, Any] = {}
    if resources:
        ours = {"spec": {"containers": [{"name": _CONTAINER, "resources": resources}]}}
    return _merged(ours, table.get("pod") or {})


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two tables deeply; lists of named things (containers, volumes) by name, other lists not at all."""
    found = copy.deepcopy(dict(under))
    for key, value in over.items():
        before = found.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            found[key] = _merged(before, value)
        elif (
            isinstance(before, list) and isinstance(value, list) and _all_named(before) and _all_named(value)
        ):
            found[key] = _merged_by_name(before, value)
        else:
            found[key] = copy.deepcopy(value)
    return found


def _all_named(items: list[Any]) -> bool:
    return all(isinstance(item, Mapping) and "name" in item for item in items)


def _merged_by_name(under: list[Any], over: list[Any]) -> list[Any]:
    found = {item["name"]: item for item in under}
    for item in over:
        found[item["name"]] = _merged(found.get(item["name"], {}), item)
    return list(found.values())


def kubernetes_builder() -> Builder | None:
    """Return what makes a pod of a manifest, None where the Kubernetes provider is not installed."""
    try:
        module = importlib.import_module("airflow.providers.cncf.kubernetes.pod_generator")
    except ImportError:
        return None
    build: Builder = module.PodGenerator.deserialize_model_dict
    return build
