"""`@task.mlflow`: a TaskFlow function that runs inside the MLflow run of its task instance.

The work is the operator's; here a function becomes one. Must not read anything: this runs while a DAG file is parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.decorator import DecoratedOperator, task_decorator_factory

from airfoil.provider.injection import placeholders
from airfoil.provider.operators.mlflow_function import MlflowFunctionOperator
from airfoil.provider.profiled_operator import takes_python
from airfoil.provider.profiles import with_profile

if TYPE_CHECKING:
    from airflow.sdk.bases.decorator import TaskDecorator


class MlflowDecoratedOperator(DecoratedOperator, MlflowFunctionOperator):
    """What stands behind a function decorated with `@task.mlflow`."""

    template_fields = MlflowFunctionOperator.template_fields
    template_fields_renderers = MlflowFunctionOperator.template_fields_renderers
    custom_operator_name = "@task.mlflow"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Check the call with something in the place of what will be injected, and keep it without."""
        given = {**(op_kwargs or {})}
        super().__init__(
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs={**given, **placeholders(python_callable, op_args or (), given)},
            kwargs_to_upstream={"python_callable": python_callable, "op_args": op_args, "op_kwargs": given},
            **kwargs,
        )
        self.op_kwargs = given


def mlflow_task(
    python_callable: Callable[..., Any] | None = None,
    multiple_outputs: bool | None = None,  # noqa: FBT001 - Airflow's decorators have it in this place
    *,
    profile: str | None = None,
    **kwargs: Any,
) -> TaskDecorator:
    """Turn a function into a task that runs inside its own MLflow run.

    `experiment`, `mlflow_conn_id`, `autolog`, `profile`, and every argument of `@task`.
    """
    given = with_profile(profile, kwargs, takes_python=takes_python(MlflowDecoratedOperator))
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=MlflowDecoratedOperator,
        **given,
    )
