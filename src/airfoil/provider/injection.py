"""What a function of `@task.mlflow` may ask for by the name of an argument, beside Airflow's own context names.

`mlflow_run` is the MLflow run of this task, `work` its folder for data. An argument of that name that the DAG file
itself gives a value to is the DAG file's. Must not make what it injects.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

NAMES = ("mlflow_run", "work")
"""The names beyond Airflow's; `params`, `ti`, `ds` and the rest come from the context as in any task."""


def asks_for(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a function has an argument of this name, or takes whatever there is."""
    parameters = inspect.signature(function).parameters
    return name in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def placeholders(
    function: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]
) -> dict[str, None]:
    """Return a value for each injected argument that is not given, so that a call can be checked while it is parsed."""
    parameters = inspect.signature(function).parameters
    by_position = [
        name
        for name, parameter in parameters.items()
        if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ][: len(args)]
    return {
        name: None for name in NAMES if name in parameters and name not in kwargs and name not in by_position
    }
