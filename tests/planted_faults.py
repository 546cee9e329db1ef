"""Faults planted in DAG files, each with the line and the code that must be found. The line is marked by `# <-`."""

from __future__ import annotations

from typing import NamedTuple

HEAD = '''"""A DAG."""
from datetime import datetime
from airflow.sdk import DAG, task
from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
'''
WHOLE = 'tags=["t"], description="d", start_date=datetime(2026, 1, 1), default_args={"owner": "me"}'
LIMIT = "dagrun_timeout=datetime.max - datetime.min"
MARK = "# <-"


class Planted(NamedTuple):
    """One file with one fault."""

    name: str
    code: str
    text: str
    is_fixed: bool = False
    """Whether --fix mends it."""
    needs_parse: bool = False
    """Whether only the parse can show it."""

    @property
    def source(self) -> str:
        """The file; %W stands for what a DAG should say, %D for a limit of its time, %I for an id of its own."""
        return HEAD + self.text.replace("%W", WHOLE).replace("%D", LIMIT).replace("%I", f'"{self.name}"')

    @property
    def line(self) -> int:
        """Where the fault is."""
        return next(number for number, line in enumerate(self.source.splitlines(), 1) if MARK in line)


def in_dag(body: str) -> str:
    return "with DAG(%I, schedule=None, %W):\n    " + body.replace("\n", "\n    ") + "\n"


def in_task(body: str, head: str = "def work(**context):") -> str:
    return in_dag(f"@task\n{head}\n    " + body.replace("\n", "\n    ") + "\nwork()")


PLANTED = [
    # Airflow 2: arguments
    Planted(
        "schedule_interval",
        "AF101",
        'DAG(%I, %W, %D,\n    schedule_interval="@daily")  # <-\n',
        is_fixed=True,
    ),
    Planted("concurrency", "AF101", "DAG(%I, %W, schedule=None,\n    concurrency=3)  # <-\n", is_fixed=True),
    Planted("fail_stop", "AF101", "DAG(%I, %W, schedule=None,\n    fail_stop=True)  # <-\n", is_fixed=True),
    Planted(
        "default_view",
        "AF101",
        'DAG(%I, %W,\n    default_view="graph",  # <-\n    schedule=None)\n',
        is_fixed=True,
    ),
    Planted(
        "provide_context",
        "AF102",
        in_dag('PythonOperator(task_id="a", python_callable=print,\n    provide_context=True)  # <-'),
        is_fixed=True,
    ),
    Planted(
        "task_concurrency",
        "AF102",
        in_dag('BashOperator(task_id="a", bash_command="x", task_concurrency=1)  # <-'),
        is_fixed=True,
    ),
    Planted(
        "trigger_rule",
        "AF104",
        in_dag('EmptyOperator(task_id="a", trigger_rule="dummy")  # <-'),
        is_fixed=True,
    ),
    Planted(
        "default_var",
        "AF105",
        "from airflow.sdk import Variable\n" + in_task('Variable.get("x", default_var=1)  # <-'),
        is_fixed=True,
    ),
    Planted("sla", "AF108", in_dag('BashOperator(task_id="a", bash_command="x", sla=None)  # <-')),
    Planted("email", "AF109", in_dag('BashOperator(task_id="a", bash_command="x", email="a@b.c")  # <-')),
    # Airflow 2: context
    Planted("execution_date", "AF103", in_task('print(context["execution_date"])  # <-'), is_fixed=True),
    Planted(
        "dag_run_date",
        "AF103",
        in_task("print(context, dag_run.execution_date)  # <-", "def work(dag_run, **context):"),
        is_fixed=True,
    ),
    Planted(
        "template_date",
        "AF103",
        in_dag('BashOperator(task_id="a", bash_command="echo {{ execution_date }}")  # <-'),
        is_fixed=True,
    ),
    Planted(
        "template_prev", "AF103", in_dag('BashOperator(task_id="a", bash_command="echo {{ prev_ds }}")  # <-')
    ),
    Planted("conf", "AF103", in_task('print(context["conf"])  # <-')),
    Planted("argument", "AF103", in_dag("@task\ndef work(next_ds=None):  # <-\n    print(next_ds)\nwork()")),
    Planted("blind_pull", "AF110", in_task('context["ti"].xcom_pull(key="x")  # <-')),
    # Airflow 2: names
    Planted(
        "days_ago",
        "AF106",
        "from airflow.utils.dates import days_ago  # <-\nprint(days_ago)\n" + in_dag("pass"),
    ),
    Planted(
        "subdag",
        "AF106",
        "from airflow.operators.subdag import SubDagOperator  # <-\nprint(SubDagOperator)\n" + in_dag("pass"),
    ),
    Planted(
        "old_bash",
        "AF106",
        "from airflow.operators.bash_operator import BashOperator as B  # <-\n"
        + in_dag('B(task_id="a", bash_command="x")'),
        is_fixed=True,
    ),
    Planted(
        "dataset",
        "AF106",
        "from airflow.datasets import Dataset  # <-\n" + in_dag('print(Dataset("x"))'),
        is_fixed=True,
    ),
    Planted(
        "decorators",
        "AF107",
        "from airflow.decorators import dag  # <-\n" + in_dag("print(dag)"),
        is_fixed=True,
    ),
    Planted(
        "session",
        "AF502",
        "from airflow.utils.session import create_session  # <-\n" + in_task("print(create_session)"),
    ),
    # While the file is parsed
    Planted(
        "connection",
        "AF201",
        "from airflow.sdk import BaseHook\n" + in_dag('BaseHook.get_connection("db")  # <-'),
    ),
    Planted(
        "variable",
        "AF202",
        "from airflow.sdk import Variable\nVariable.get('x', default='y')  # <-\n" + in_dag("pass"),
    ),
    Planted(
        "hidden_variable",
        "AF202",
        "from airflow.sdk import Variable\ndef read():\n    return Variable.get('x', default='y')  # <-\nread()\n"
        + in_dag("pass"),
        needs_parse=True,
    ),
    Planted(
        "network",
        "AF203",
        "import urllib.request\ntry:\n    urllib.request.urlopen('http://127.0.0.1:9/')  # <-\n"
        "except OSError:\n    pass\n" + in_dag("pass"),
    ),
    Planted(
        "hidden_network",
        "AF203",
        "import socket\ndef ask():\n    socket.socket().connect(('127.0.0.1', 9))  # <-\nask()\n"
        + in_dag("pass"),
        needs_parse=True,
    ),
    Planted(
        "database",
        "AF204",
        "import sqlite3\ntry:\n    sqlite3.connect(':memory:')  # <-\nexcept OSError:\n    pass\n"
        + in_dag("pass"),
    ),
    Planted(
        "process",
        "AF205",
        "import subprocess\ntry:\n    subprocess.run(['true'])  # <-\nexcept OSError:\n    pass\n"
        + in_dag("pass"),
    ),
    Planted(
        "heavy",
        "AF206",
        "try:\n    import torch  # <-\nexcept ImportError:\n    torch = None\nprint(torch)\n"
        + in_dag("pass"),
    ),
    Planted(
        "slow", "AF004", "import slow_library  # <-\nprint(slow_library)\n" + in_dag("pass"), needs_parse=True
    ),
    Planted(
        "moving_date",
        "AF207",
        'DAG(%I, schedule=None, tags=["t"], description="d", default_args={"owner": "me"},\n'
        "    start_date=datetime.now())  # <-\n",
    ),
    Planted("side_effect", "AF208", "open('/tmp/airfoil-planted', 'w').close()  # <-\n" + in_dag("pass")),
    Planted(
        "reading",
        "AF209",
        "import pickle\ntry:\n    pickle.load(open('none.pkl', 'rb'))  # <-\nexcept OSError:\n    pass\n"
        + in_dag("pass"),
    ),
    # The DAG
    Planted("syntax", "AF002", "with DAG(%I:  # <-\n    pass\n"),
    Planted(
        "no_module",
        "AF003",
        "import nonsense_that_is_not_there  # <-\nprint(nonsense_that_is_not_there)\n" + in_dag("pass"),
        needs_parse=True,
    ),
    Planted("raises", "AF003", in_dag("raise ValueError('no')  # <-"), needs_parse=True),
    Planted(
        "cycle",
        "AF302",
        in_dag('a = EmptyOperator(task_id="a")\nb = EmptyOperator(task_id="b")\na >> b\nb >> a  # <-'),
    ),
    Planted(
        "computed_cycle",
        "AF302",
        "with DAG(%I, schedule=None, %W):  # <-\n    tasks = [EmptyOperator(task_id=str(n)) for n in range(3)]\n"
        "    for n in range(3):\n        tasks[n] >> tasks[(n + 1) % 3]\n",
        needs_parse=True,
    ),
    Planted("cron_words", "AF303", 'DAG(%I, %W,\n    schedule="every day")  # <-\n'),
    Planted(
        "cron_range",
        "AF303",
        'dag = DAG(%I, %W, %D,\n    schedule="0 0 * * 1-0-3")  # <-\n',
        needs_parse=True,
    ),
    Planted(
        "no_start",
        "AF304",
        'DAG(%I, schedule="@daily", tags=["t"], description="d", default_args={"owner": "me"}, %D,\n'
        "    catchup=True)  # <-\n",
    ),
    Planted(
        "no_tags", "AF305", 'DAG(%I, schedule=None, description="d", default_args={"owner": "me"})  # <-\n'
    ),
    Planted(
        "no_description", "AF306", 'DAG(%I, schedule=None, tags=["t"], default_args={"owner": "me"})  # <-\n'
    ),
    Planted("no_owner", "AF307", 'DAG(%I, schedule=None, tags=["t"], description="d")  # <-\n'),
    Planted(
        "no_deadline",
        "AF309",
        'DAG(%I, schedule="@daily", tags=["t"], description="d", default_args={"owner": "me"})  # <-\n',
    ),
    # Secrets
    Planted("password", "AF401", in_task('print(context, dict(password="hunter2!"))  # <-')),
    Planted(
        "environment",
        "AF401",
        'import os\nTOKEN = os.environ.get("API_TOKEN", "s3cr3t-t0k3n")  # <-\nprint(TOKEN)\n'
        + in_dag("pass"),
    ),
    Planted("aws", "AF402", 'KEY = "AKIAIOSFODNN7EXAMPLE"  # <-\nprint(KEY)\n' + in_dag("pass")),
    Planted(
        "address",
        "AF403",
        'URL = "postgresql://bob:hunter2@db.example.com/x"  # <-\nprint(URL)\n' + in_dag("pass"),
    ),
    # Tasks
    Planted(
        "pickle",
        "AF501",
        in_task('import pickle\nwith open("/tmp/model.pkl", "wb") as file:\n    pickle.dump(1, file)  # <-'),
    ),
    Planted("undefined", "F821", in_task("return nothing_of_that_name  # <-")),
]
ENDS_THE_PROCESS = "import os\nfrom airflow.sdk import DAG\nos._exit(3)\n"
# What a file needs beside it.
SLOW_LIBRARY = "import time\ntime.sleep(1.3)\n"
DUPLICATES = {
    "first_of_two.py": HEAD + f'DAG("same_id", schedule=None, {WHOLE})\n',
    "second_of_two.py": HEAD + f'\n\nDAG("same_id", schedule=None, {WHOLE})\n',
}
GARBAGE = {
    "binary.py": (b"\x7fELF\0\0\1airflow dag", "AF001"),
    "latin.py": ("# dag airflow\nx = 'größe'\n".encode("latin-1"), "AF001"),
    "cookie.py": (b"# coding: nonsense\nairflow = dag = 1\n", "AF001"),
    "deep.py": (b"airflow = dag = " + b"(" * 5000 + b")" * 5000, "AF002"),
    "tabs.py": (b"if True:\n\tairflow = 1\n        dag = 2\n", "AF002"),
    "null.py": (b"airflow = dag = '\0'", "AF001"),
}
