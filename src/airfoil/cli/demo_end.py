"""What the demo has to show at its end: what the crash left, who was champion a minute ago, what all of it takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airfoil.cli import console, model_tables
from airfoil.stack import memory
from airfoil.stack.page import wording

if TYPE_CHECKING:
    from airfoil.cli.demo_crash import Aftermath
    from airfoil.clients.ledger import Ledger
    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.stack.state import StackState

NEXT = {
    "airfoil models history wine": "who moved the champion, when, and why",
    "airfoil retry example_dag --from train_wine_classifier": "train again: the same MLflow run, no second version",
    "airfoil new training NAME --from FILE.csv --target COLUMN": "a gated training on a table of your own",
}


def show_aftermath(left: Aftermath, task_id: str, model: str, server: str) -> bool:
    """Say what MLflow holds of the killed task; True when it is what it should be."""
    console.out(f"\nWhat MLflow holds of {task_id}, which was killed")
    for run in left.runs:
        tries = run.tags.get("airflow.try_number", "?")
        console.out(f"  one run, {run.status} in try {tries}: {run.url_at(server)}")
    for version in left.versions:
        console.out(f"  one version of {model}: {version.version}")
    if not left.versions:
        console.out(f"  no version of {model}: the gate found it no better than the champion")
    return len(left.runs) == 1 and left.runs[0].status == "FINISHED" and len(left.versions) <= 1


def show_champions(http: MlflowHttp, ledger: Ledger, now: datetime) -> None:
    """Answer `airfoil models at` for a minute ago, and for now."""
    before = now - timedelta(minutes=1)
    histories = http.do(ledger.histories())
    console.out(f'\nA minute ago: airfoil models at "{before:%Y-%m-%d %H:%M:%S}"')
    model_tables.print_standing_at(histories, before)
    console.out("And now")
    model_tables.print_standing_at(histories, now)


def show_memory(state: StackState) -> None:
    """Say what the platform takes at this moment."""
    taken = sum(memory.stack_memory(state).values())
    console.out(f"\nMemory in use, all of it, measured now: {wording.mib(taken)}")


def show_next() -> None:
    """Say what to type next."""
    console.out("\nNext")
    width = max(map(len, NEXT))
    for command, what in NEXT.items():
        console.out(f"  {console.styled(f'{command:<{width}}', 'cyan')}  {what}")
