"""DAGs to debug: one that fails until it is mended, one that fails in every way there is, one with a schedule.

Texts, because only one test file wants them in its project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.platforms import Platform

HEAD = """
from __future__ import annotations
import os, signal, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from airflow.sdk import dag, get_current_context, task

ROOT = Path(__file__).parents[1]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

def note(text):
    with (ROOT / "workshop.txt").open("a") as ledger:
        ledger.write(text + "\\n")
"""

SHOP = (
    HEAD
    + """
@dag(schedule=None, start_date=BEGIN, params={"rows": 3})
def shop():
    @task
    def load(params=None):
        note("load")
        return params["rows"]

    @task
    def train(rows):
        from bench import double
        note("train")
        if not (ROOT / "mended").exists():
            try:
                {}["price"]
            except KeyError as error:
                raise ValueError("no price in the data") from error
        return double(rows)

    @task
    def report(result):
        note("report")
        print("the result is", result)

    @task
    def stand(result):
        found = {"result": result}
        breakpoint()
        print("went on with", found["result"])

    @task
    def look_into_tables():
        from airflow.models import DagRun
        from airflow.utils.session import create_session
        with create_session() as session:
            print(session.query(DagRun).count())

    result = train(load())
    report(result)

    @task.short_circuit
    def wants_debugger():
        return False

    @task.short_circuit
    def wants_tables():
        return (ROOT / "tables").exists()

    wants_debugger() >> stand(result)
    wants_tables() >> look_into_tables()

shop()
"""
)

FAULTS = (
    HEAD
    + """
@dag(schedule=None, start_date=BEGIN)
def faults():
    @task
    def misspelled():
        import broken_bench

    @task
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    @task(execution_timeout=timedelta(seconds=1))
    def slow():
        time.sleep(60)

    @task
    def exits():
        os._exit(3)

    @task
    def deep():
        from bench import divide
        divide(1, 0)

    [misspelled(), killed(), slow(), exits(), deep()]

faults()
"""
)

DAILY = (
    HEAD
    + """
@dag(schedule="@daily", start_date=BEGIN, catchup=False)
def daily():
    @task
    def work(logical_date=None):
        note(f"work {logical_date:%Y-%m-%d}")
        if logical_date.day == 3 and not (ROOT / "mended").exists():
            raise RuntimeError("the third is bad")

    work()

daily()
"""
)

LONG = (
    HEAD
    + """
@dag(schedule=None, start_date=BEGIN)
def long():
    @task(retries=2, retry_delay=timedelta(seconds=1))
    def work():
        number = get_current_context()["ti"].try_number
        print("try", number, "begins")
        note(f"long {number}")
        for _ in range(600):
            if (ROOT / f"enough-{number}").exists():
                break
            time.sleep(0.1)
        print("try", number, "ends")
        if number == 1:
            raise RuntimeError("the first never works")

    work()

long()
"""
)

BENCH = """
FACTOR = 2

def double(number):
    print("factor", FACTOR)
    return number * FACTOR

def divide(one, other):
    return one / other
"""

BROKEN = """
def double(number)
    return number
"""


def furnish(platform: Platform) -> None:
    """Put the DAGs and the helpers where a person has theirs."""
    for name, text in {"shop": SHOP, "faults": FAULTS, "daily": DAILY, "long": LONG}.items():
        (platform.project.dags / f"{name}.py").write_text(text)
    source = platform.root / "src"
    source.mkdir(exist_ok=True)
    (source / "bench.py").write_text(BENCH)
    (source / "broken_bench.py").write_text(BROKEN)


def ledger(root: Path, *, daily: bool = False) -> list[str]:
    """Who worked, in order; the daily DAG, which its schedule may start at any time, only on request."""
    file = root / "workshop.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line for line in lines if line.startswith("work ") is daily]
