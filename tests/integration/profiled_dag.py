"""One DAG file for every tier; test_profiles.py parses it under several configurations."""

from __future__ import annotations

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag, task

from airfoil import profile


@dag(schedule=None, dag_id="profiled")
def profiled():
    @task(**profile("training"))
    def fit(): ...

    @task(**profile("training"))
    def score(number: int): ...

    @task.external_python(**{"python": "/usr/bin/python3", **profile("isolated")})
    def apart(): ...

    fit() >> BashOperator(task_id="shell", bash_command="true", **profile("cluster", retries=1))
    score.expand(number=[1, 2])
    apart()


profiled()
