"""The operator behind `@task.mlflow`: a Python function that runs inside the MLflow run of its task instance.

What a PythonOperator can do, this can: mapping, async functions, retries, several outputs, deferral in a subclass. What
talks to MLflow is imported when a task runs: every task of a DAG parses its file. Must not know how a run is found.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import PythonOperator

from airfoil.provider.injection import asks_for
from airfoil.provider.links.mlflow_run import MlflowRunLink
from airfoil.provider.profiled_operator import ProfiledOperator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.sdk import Context

    from airfoil.provider.task_tracking import TaskRun

DEFAULT_CONNECTION = "mlflow_default"


class MlflowFunctionOperator(ProfiledOperator, PythonOperator):
    """Run a function inside the MLflow run of this task instance, the same run in every try.

    The function may ask for `mlflow_run`, `work` and Airflow's context by the names of its arguments. It returns
    records or plain values, and gets records where a parameter is annotated with one. `autolog` switches mlflow's
    autologging on while the function runs.
    """

    template_fields: Sequence[str] = (*PythonOperator.template_fields, "experiment", "mlflow_conn_id")
    operator_extra_links = (MlflowRunLink(),)

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        experiment: str | None = None,
        mlflow_conn_id: str = DEFAULT_CONNECTION,
        autolog: bool = False,
        **kwargs: Any,
    ) -> None:
        """Keep the arguments; nothing is read before the task runs."""
        super().__init__(python_callable=python_callable, **kwargs)
        self.experiment = experiment
        self.mlflow_conn_id = mlflow_conn_id
        self.autolog = autolog
        self.mlflow_run_url = ""
        self._task_run: TaskRun | None = None

    def execute(self, context: Context) -> Any:
        """Open the run, call the function, close the run."""
        with self._tracked(context, resuming=False):
            return super().execute(context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on in the same run after a deferral."""
        from airfoil.provider.record_arguments import to_plain

        with self._tracked(context, resuming=True):
            return to_plain(super().resume_execution(next_method, next_kwargs, context))

    def execute_callable(self) -> Any:
        """Call the function with records in, and plain JSON out."""
        from airfoil.provider.record_arguments import rebuild_arguments, to_plain

        self.op_args, self.op_kwargs = rebuild_arguments(self.python_callable, self.op_args, self.op_kwargs)
        return to_plain(super().execute_callable())

    async def aexecute_callable(self) -> Any:
        """Await the function with records in, and plain JSON out."""
        from airfoil.provider.record_arguments import rebuild_arguments, to_plain

        self.op_args, self.op_kwargs = rebuild_arguments(self.python_callable, self.op_args, self.op_kwargs)
        return to_plain(await super().aexecute_callable())

    def on_kill(self) -> None:
        """Say in MLflow that the task was stopped; Airflow kills the process soon after."""
        if self._task_run is not None:
            self._task_run.stop(
                "stopped from outside: cleared, marked in Airflow, or its worker was told to end"
            )
        super().on_kill()

    @contextmanager
    def _tracked(self, context: Context, *, resuming: bool) -> Iterator[None]:
        from airfoil.clients.fluent_session import fluent_session
        from airfoil.provider.fingerprints import code_digest
        from airfoil.provider.task_tracking import task_run
        from airfoil.provider.work_area import work_area_of

        given = {"args": list(self.op_args), "kwargs": dict(self.op_kwargs), "params": context.get("params")}
        with task_run(
            context,
            mlflow_conn_id=self.mlflow_conn_id,
            experiment=self.experiment,
            code=code_digest(self.python_callable),
            given=given,
            resuming=resuming,
        ) as opened:
            self._task_run = opened
            # As further names of the context: a function gets those it has arguments for.
            context["mlflow_run"] = opened.run  # type: ignore[typeddict-unknown-key]
            if asks_for(self.python_callable, "work"):
                context["work"] = work_area_of(context)  # type: ignore[typeddict-unknown-key]
            with fluent_session(opened.server, opened.run.id, autolog=self.autolog):
                yield
