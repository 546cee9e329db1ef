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
    from airfoil.provider.profiles import profile
    from airfoil.provider.work_area import WorkArea
    from airfoil.records import Comparison, DataRef, GateDecision, ModelRef, Record, Scores
    from airfoil.stack.platform_link import connect
    from airfoil.steps.gates import Gate

__version__ = "0.1.0"

# Public name -> the module that defines it. docs/python.md documents exactly these.
_HOMES = {
    "AirfoilError": "airfoil.errors",
    "Comparison": "airfoil.records",
    "ConfigurationError": "airfoil.errors",
    "DataRef": "airfoil.records",
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
    "approve": "airfoil.provider.authoring",
    "connect": "airfoil.stack.platform_link",
    "evaluate": "airfoil.provider.authoring",
    "gate": "airfoil.provider.authoring",
    "profile": "airfoil.provider.profiles",
    "promote": "airfoil.provider.authoring",
    "register": "airfoil.provider.authoring",
    "rollback": "airfoil.provider.authoring",
    "within": "airfoil.provider.alerting",
}

__all__ = [
    "AirfoilError",
    "Comparison",
    "ConfigurationError",
    "DataRef",
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
    "approve",
    "connect",
    "evaluate",
    "gate",
    "profile",
    "promote",
    "register",
    "rollback",
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
