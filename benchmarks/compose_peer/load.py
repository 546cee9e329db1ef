"""Small tasks that say that they ran: a line each in a file, whatever Airflow believes. The same on both sides."""

import os

from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, max_active_runs=1000, max_active_tasks=10_000)
def load() -> None:
    """Ten of them, side by side."""

    @task
    def note() -> None:
        instance = get_current_context()["ti"]
        line = f"{instance.run_id} {instance.task_id} {instance.try_number}\n"
        handle = os.open(
            os.environ.get("LOAD_LEDGER", "/opt/airflow/work/load"),
            os.O_WRONLY | os.O_APPEND | os.O_CREAT,
            0o666,
        )
        os.write(handle, line.encode())
        os.close(handle)

    for number in range(10):
        note.override(task_id=f"note_{number}")()


load()
