"""Every code that `airfoil check` itself gives, how bad it is, and its title. docs/check.md shows the same table.

ruff's codes (AIR301, F821, ...) are ruff's own and not listed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Kind(NamedTuple):
    """One kind of fault."""

    severity: Literal["error", "warning"]
    title: str


CATALOG = {
    "AF001": Kind("error", "the file cannot be read as text"),
    "AF002": Kind("error", "the file is not Python"),
    "AF003": Kind("error", "the file does not import"),
    "AF004": Kind("warning", "the file takes long to parse; the slow import is named"),
    "AF005": Kind("error", "parsing the file does not end, or ends the process"),
    "AF101": Kind("error", "argument of a DAG that Airflow 3 refuses"),
    "AF102": Kind("error", "argument of an operator that Airflow 3 refuses"),
    "AF103": Kind("error", "context variable that Airflow 3 does not have"),
    "AF104": Kind("error", "trigger rule that Airflow 3 does not have"),
    "AF105": Kind("error", "`default_var` of a Variable"),
    "AF106": Kind("error", "module or name that Airflow 3 does not have"),
    "AF107": Kind("warning", "module or name that moved and still works for now"),
    "AF108": Kind("warning", "`sla` that does nothing any more"),
    "AF109": Kind("warning", "`email` arguments in place of a notifier"),
    "AF110": Kind("warning", "`xcom_pull` by key alone"),
    "AF201": Kind("error", "connection read while the file is parsed"),
    "AF202": Kind("error", "Variable read while the file is parsed"),
    "AF203": Kind("error", "network used while the file is parsed"),
    "AF204": Kind("error", "database used while the file is parsed"),
    "AF205": Kind("error", "process started while the file is parsed"),
    "AF206": Kind("warning", "heavy library imported at the top of a DAG file"),
    "AF207": Kind("error", "start date that moves"),
    "AF208": Kind("warning", "file written while the file is parsed"),
    "AF209": Kind("warning", "data read while the file is parsed"),
    "AF301": Kind("error", "two DAGs of one id"),
    "AF302": Kind("error", "tasks that wait for each other in a circle"),
    "AF303": Kind("error", "schedule that cannot be read"),
    "AF304": Kind("error", "catchup without a start date"),
    "AF305": Kind("warning", "DAG without tags"),
    "AF306": Kind("warning", "DAG without a description"),
    "AF307": Kind("warning", "DAG without an owner"),
    "AF308": Kind("error", "DAG that should be there and is not, or the other way round"),
    "AF309": Kind("warning", "DAG that runs by the clock without a deadline"),
    "AF401": Kind("error", "password or token written into the code"),
    "AF402": Kind("error", "key of a known service written into the code"),
    "AF403": Kind("error", "address with a password in it"),
    "AF501": Kind("warning", "data handed from task to task through /tmp"),
    "AF502": Kind("error", "Airflow's database used from a task"),
}
