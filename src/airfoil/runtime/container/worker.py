"""A Celery worker whose processes share the ML libraries: they are imported once, before the worker forks its pool.

A task is forked from a process of the pool, so its `import mlflow` and `import sklearn` are free, and their pages are
there once for all of them. After that this process becomes `airflow celery worker`, by its public command line. At
each of Celery's heartbeats it touches a file, which is how the container's health is known. Must not know a DAG.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from pathlib import Path

from airfoil.clients.bucket import Bucket
from airfoil.runtime import waking_select
from airfoil.runtime.preload import Layers

MODULES = (
    "airflow.providers.celery.executors.celery_executor_utils",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.dag_processing.dagbag",
    "airflow.dag_processing.importers.python_importer",
    "airflow.serialization.serialized_objects",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.definitions.timetables.trigger",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.operators.bash",
    "airflow.providers.standard.operators.python",
    "pandas",
    "mlflow",
    "sklearn.ensemble",
    "mlflow.sklearn",
    "mlflow.pyfunc",
    "matplotlib.backends.backend_agg",
    "boto3",
    "airfoil.runtime.skops_home",
)
MORE_VARIABLE = "AIRFOIL_PRELOAD"
"""More modules, with commas between them: what the tasks of a project import."""
HEARTBEAT = Path("/tmp/airfoil-worker")  # noqa: S108 - a container's own, and a file that holds nothing
_LAYER = "tasks"


def preload(more: str) -> None:
    """Import what tasks need. A module that is missing or broken only makes the tasks that want it slower."""
    gc.disable()
    names = [*MODULES, *filter(None, (name.strip() for name in more.split(",")))]
    Layers([(_LAYER, names)]).load_through(_LAYER)
    warm_up_clients()
    gc.collect()
    gc.freeze()
    gc.enable()
    os.register_at_fork(after_in_child=reseed)


def warm_up_clients() -> None:
    """Read once what the clients of each process would read: certificates (0.05 s), descriptions of S3 (0.1 s)."""
    with contextlib.suppress(Exception):  # whoever really needs one says what is wrong with it
        from airflow.sdk.api.client import Client

        Client(base_url="http://nobody.invalid", token="").close()
    with contextlib.suppress(Exception):
        Bucket("s3://nothing", os.environ)


def reseed() -> None:
    """Give a forked process its own random numbers: numpy hands its parent's state to every fork."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def beat_into(file: Path) -> None:
    """Touch the file as long as the worker runs and reaches its broker."""
    from celery import signals

    def touch(**_given: object) -> None:
        file.touch()

    file.unlink(missing_ok=True)
    for signal in (signals.worker_ready, signals.heartbeat_sent):
        signal.connect(touch, weak=False)


def notice_ends() -> None:
    """Have each process of the pool see at once that its task has ended: two of five held it 5 s longer."""
    from celery import signals

    def install(**_given: object) -> None:
        waking_select.install()
        os.register_at_fork(after_in_child=waking_select.uninstall)

    signals.worker_process_init.connect(install, weak=False)


def main() -> None:
    """Entry point: the arguments are those of `airflow celery worker`."""
    preload(os.environ.get(MORE_VARIABLE, ""))
    beat_into(HEARTBEAT)
    notice_ends()
    sys.argv = ["airflow", "celery", "worker", *sys.argv[1:]]
    from airflow.__main__ import main as airflow_main

    airflow_main()


if __name__ == "__main__":
    main()
