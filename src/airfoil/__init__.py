"""Airfoil: Apache Airflow as an ML platform.

The front door: the version, and the public names, each loaded from its module when it is first used, so that importing
`airfoil` costs nothing. Nothing is computed here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airfoil.clients.task_run import MlflowRun
    from airfoil.errors import AirfoilError, ConfigurationError, InternalError, NeighbourError
    from airfoil.provider.alerting import alert, within
    from airfoil.provider.assets import Model
    from airfoil.provider.authoring import approve, evaluate, gate, promote, register, rollback
    from airfoil.provider.data_authoring import anomalies, drift, quality, report
    from airfoil.provider.datasets import Dataset
    from airfoil.provider.feature_assets import FeatureView
    from airfoil.provider.feature_authoring import (
        apply_features,
        check_online,
        materialize,
        training_set,
        validate_features,
    )
    from airfoil.provider.lifecycle_authoring import crawl, finish, monitor, smoke_test, tell
    from airfoil.provider.profiles import profile
    from airfoil.provider.work_area import WorkArea
    from airfoil.records import Comparison, DataRef, DataVerdict, GateDecision, ModelRef, Record, Scores
    from airfoil.stack.platform_link import connect
    from airfoil.steps.gates import Gate
    from airfoil.steps.quality.contract import Contract

__version__ = "0.1.0"

# Public name -> the module that defines it. docs/python.md documents exactly these.
_HOMES = {
    "AirfoilError": "airfoil.errors",
    "Comparison": "airfoil.records",
    "ConfigurationError": "airfoil.errors",
    "Contract": "airfoil.steps.quality.contract",
    "DataRef": "airfoil.records",
    "DataVerdict": "airfoil.records",
    "Dataset": "airfoil.provider.datasets",
    "FeatureView": "airfoil.provider.feature_assets",
    "Gate": "airfoil.steps.gates",
    "GateDecision": "airfoil.records",
    "InternalError": "airfoil.errors",
    "MlflowRun": "airfoil.clients.task_run",
    "Model": "airfoil.provider.assets",
    "ModelRef": "airfoil.records",
    "NeighbourError": "airfoil.errors",
    "Record": "airfoil.records",
    "Scores": "airfoil.records",
    "WorkArea": "airfoil.provider.work_area",
    "alert": "airfoil.provider.alerting",
    "anomalies": "airfoil.provider.data_authoring",
    "apply_features": "airfoil.provider.feature_authoring",
    "approve": "airfoil.provider.authoring",
    "check_online": "airfoil.provider.feature_authoring",
    "connect": "airfoil.stack.platform_link",
    "crawl": "airfoil.provider.lifecycle_authoring",
    "drift": "airfoil.provider.data_authoring",
    "evaluate": "airfoil.provider.authoring",
    "finish": "airfoil.provider.lifecycle_authoring",
    "gate": "airfoil.provider.authoring",
    "materialize": "airfoil.provider.feature_authoring",
    "monitor": "airfoil.provider.lifecycle_authoring",
    "profile": "airfoil.provider.profiles",
    "promote": "airfoil.provider.authoring",
    "quality": "airfoil.provider.data_authoring",
    "register": "airfoil.provider.authoring",
    "report": "airfoil.provider.data_authoring",
    "rollback": "airfoil.provider.authoring",
    "smoke_test": "airfoil.provider.lifecycle_authoring",
    "tell": "airfoil.provider.lifecycle_authoring",
    "training_set": "airfoil.provider.feature_authoring",
    "validate_features": "airfoil.provider.feature_authoring",
    "within": "airfoil.provider.alerting",
}

__all__ = [
    "AirfoilError",
    "Comparison",
    "ConfigurationError",
    "Contract",
    "DataRef",
    "DataVerdict",
    "Dataset",
    "FeatureView",
    "Gate",
    "GateDecision",
    "InternalError",
    "MlflowRun",
    "Model",
    "ModelRef",
    "NeighbourError",
    "Record",
    "Scores",
    "WorkArea",
    "__version__",
    "alert",
    "anomalies",
    "apply_features",
    "approve",
    "check_online",
    "connect",
    "crawl",
    "drift",
    "evaluate",
    "finish",
    "gate",
    "materialize",
    "monitor",
    "profile",
    "promote",
    "quality",
    "register",
    "report",
    "rollback",
    "smoke_test",
    "tell",
    "training_set",
    "validate_features",
    "within",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home and keep it."""
    if name not in _HOMES:
        message = f"module 'airfoil' has no attribute '{name}'"
        raise AttributeError(message)
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    """List the public names without loading them."""
    return sorted({*globals(), *__all__})
