"""DAG files with nothing wrong in them, in the ways in which people write them: a check must leave them in peace."""

from __future__ import annotations

HEAD = '''"""An honest DAG."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, Param, TaskGroup, chain, dag, get_current_context, task, task_group
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator

ARGUMENTS = {"owner": "team", "retries": 2, "retry_delay": timedelta(minutes=1)}
START = datetime(2026, 1, 1, tzinfo=UTC)
USED = (os, Asset, Param, TaskGroup, chain, dag, get_current_context, task, task_group)
OPERATORS = (BashOperator, EmptyOperator, PythonOperator)
'''
SAYS = 'description="Honest work", tags=["honest"], default_args=ARGUMENTS, start_date=START'

BODIES = {
    "mapped": """
@dag(schedule="0 2 * * *", dagrun_timeout=timedelta(hours=1), {says})
def mapped():
    @task
    def numbers() -> list[int]:
        return [1, 2, 3]

    @task
    def double(number: int) -> int:
        return 2 * number

    @task
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    total(double.expand(number=numbers()))


mapped()
""",
    "assets": """
RAW, CLEAN = Asset("s3://lake/raw"), Asset("s3://lake/clean")
with DAG("assets", schedule=[RAW], {says}):

    @task(outlets=[CLEAN])
    def clean(**context):
        print(context["triggering_asset_events"])

    clean()
""",
    "groups": """
with DAG("groups", schedule="@daily", catchup=True, dagrun_timeout=timedelta(hours=1), {says}):
    with TaskGroup("first") as first:
        a = EmptyOperator(task_id="a")
        b = EmptyOperator(task_id="b")
        a >> b
    last = EmptyOperator(task_id="last", trigger_rule="none_failed_min_one_success")
    first >> last

    @task_group
    def second(value):
        @task
        def show(value):
            print(value)

        show(value)

    last >> second(1)
""",
    "sensors": """
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.providers.standard.sensors.python import PythonSensor

with DAG("sensors", schedule=timedelta(hours=1), dagrun_timeout=timedelta(hours=1), {says}):
    wait = FileSensor(task_id="wait", filepath="/data/in.csv", mode="reschedule", poke_interval=60)
    ask = PythonSensor(task_id="ask", python_callable=lambda: True)
    [wait, ask] >> BashOperator(task_id="go", bash_command="echo {{{{ dag_run.conf.get('x') }}}} {{{{ ds }}}}")
""",
    "late_imports": """
with DAG("late_imports", schedule=None, params={{"trees": Param(5, type="integer")}}, {says}):

    @task
    def train():
        import pandas as pd
        from airflow.sdk import BaseHook, Variable

        BaseHook.get_connection("warehouse").get_uri()
        size = Variable.get("size", default=3)
        pd.DataFrame([size]).to_csv("out.csv")
        open("notes.txt", "w").close()

    train()
""",
    "secrets_kept": """
PASSWORD_VARIABLE = "WAREHOUSE_PASSWORD"
PASSWORD = os.environ.get("WAREHOUSE_PASSWORD", "")
TOKEN_FILE = "/run/secrets/token"
token_url = "https://auth.example.com/token"
URL = f"postgresql://bob:{{PASSWORD}}@db.example.com/x"
TEMPLATE = "postgresql://bob:{{{{ conn.db.password }}}}@db/x"
secret_name = "prod/warehouse"
password_policy = "long ones"
AWS = dict(aws_conn_id="aws_default", api_key="{{{{ var.value.key }}}}")
PLACE = dict(password="${{PASSWORD}}", max_tokens=5, token="WAREHOUSE_TOKEN")
with DAG("secrets_kept", schedule=None, {says}):
    EmptyOperator(task_id="a")
""",
    "generated": """
for size in ("small", "large"):
    with DAG(f"generated_{{size}}", schedule=None, {says}):
        first = EmptyOperator(task_id="first")
        second = EmptyOperator(task_id="second")
        first >> second
""",
    "branching": """
with DAG("branching", schedule="@weekly", dagrun_timeout=timedelta(hours=1), {says}):

    @task.branch
    def choose() -> str:
        return "left"

    @task.short_circuit
    def go_on() -> bool:
        return True

    left, right = EmptyOperator(task_id="left"), EmptyOperator(task_id="right")
    join = EmptyOperator(task_id="join", trigger_rule="one_success")
    go_on() >> choose() >> [left, right] >> join
""",
    "chained": """
def work(ds, ti, **context):
    ti.xcom_push(key="x", value=ds)
    print(ti.xcom_pull(task_ids="a", key="x"), context["logical_date"], context["params"])


with DAG("chained", schedule=None, {says}):
    a = PythonOperator(task_id="a", python_callable=work)
    b = PythonOperator(task_id="b", python_callable=work, op_kwargs={{"conf": 1}})
    c = BashOperator(task_id="c", bash_command="echo execution_date")
    chain(a, [b, c])
    a.set_downstream(c)
""",
    "conditional": """
if __name__ == "__main__":
    import pandas

    print(pandas.__version__)
now = datetime.now
with DAG("conditional", schedule=None, {says}) as conditional:

    @task
    def say(when: str = "today"):
        context = get_current_context()
        print(context["dag_run"].conf, when, now(UTC))

    say()
""",
    "timetable": """
from airflow.sdk import CronDataIntervalTimetable

CLOCK = CronDataIntervalTimetable("0 4 * * *", timezone="UTC")
with DAG("timetable", schedule=CLOCK, dagrun_timeout=timedelta(hours=1), {says}):
    t = EmptyOperator(task_id="one")
    t >> EmptyOperator(task_id="two")
    t = EmptyOperator(task_id="three")
    t >> EmptyOperator(task_id="four")
""",
    "setup": """
from airflow.sdk import setup, teardown


@dag(schedule=None, {says})
def with_setup():
    @setup
    def begin():
        return 1

    @teardown
    def end():
        return 2

    @task
    def work():
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "x").write_text("x")

    begin() >> work() >> end()


with_setup()
""",
}
HONEST = {f"{name}.py": HEAD + body.format(says=SAYS) for name, body in BODIES.items()}
