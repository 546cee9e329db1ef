"""Arguments that Airflow 2 knew and Airflow 3 refuses or ignores: of DAGs, operators, trigger rules and Variables."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from airfoil.lint.calls import dag_calls, default_arguments, literal_items, operator_calls, text
from airfoil.lint.fault import Edit, Fault, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source


class Replacement(NamedTuple):
    """What takes an argument's place: another name, or nothing."""

    name: str
    mend: str


DAG_ARGUMENTS = {
    "schedule_interval": Replacement("schedule", "Write `schedule=`."),
    "timetable": Replacement("schedule", "Write `schedule=`."),
    "concurrency": Replacement("max_active_tasks", "Write `max_active_tasks=`."),
    "fail_stop": Replacement("fail_fast", "Write `fail_fast=`."),
    "default_view": Replacement("", "Delete it: the view is chosen in the browser."),
    "orientation": Replacement("", "Delete it: the view is chosen in the browser."),
    "full_filepath": Replacement("", "Delete it: Airflow finds the file by itself."),
}
OPERATOR_ARGUMENTS = {
    "provide_context": Replacement("", "Delete it: the function gets what its arguments name."),
    "task_concurrency": Replacement("max_active_tis_per_dag", "Write `max_active_tis_per_dag=`."),
}
TRIGGER_RULES = {"dummy": "always", "none_failed_or_skipped": "none_failed_min_one_success"}
SLA = ("sla", "sla_miss_callback")
SLA_MEND = "Delete it, and give the DAG `deadline=DeadlineAlert(...)` from airflow.sdk."
EMAIL = ("email", "email_on_failure", "email_on_retry")
EMAIL_MEND = "Use a notifier: `on_failure_callback=SmtpNotifier(to=...)` of the smtp provider."


def find_dag_arguments(source: Source) -> Iterator[Fault]:
    """AF101: arguments of `DAG` and `@dag`."""
    for dag in dag_calls(source):
        given = {one.arg for one in dag.call.keywords} if dag.call else set()
        for keyword in dag.call.keywords if dag.call else ():
            replacement = DAG_ARGUMENTS.get(keyword.arg or "")
            if replacement is None:
                continue
            edit = None
            if replacement.name not in given:
                edit = _edit(source, keyword, replacement)
                given.add(replacement.name)
            message = f"`{keyword.arg}` is no argument of a DAG in Airflow 3."
            yield fault(
                "AF101",
                source.name,
                keyword.lineno,
                message,
                replacement.mend,
                subject=keyword.arg or "",
                edit=edit,
            )


def find_operator_arguments(source: Source) -> Iterator[Fault]:
    """AF102: arguments of operators."""
    for call, name in operator_calls(source):
        for keyword in call.keywords:
            replacement = OPERATOR_ARGUMENTS.get(keyword.arg or "")
            if replacement is not None:
                message = f"`{keyword.arg}` is no argument of {name.rpartition('.')[2]} in Airflow 3."
                yield fault(
                    "AF102",
                    source.name,
                    keyword.lineno,
                    message,
                    replacement.mend,
                    subject=keyword.arg or "",
                    edit=_edit(source, keyword, replacement),
                )
    for dictionary in default_arguments(source):
        for key, name, _ in literal_items(dictionary):
            if name in OPERATOR_ARGUMENTS:
                message = f"`{name}` in default_args is no argument of an operator in Airflow 3."
                new = OPERATOR_ARGUMENTS[name]
                edit = source.replace_inside(key, name, new.name) if new.name else None
                yield fault("AF102", source.name, key.lineno, message, new.mend, subject=name, edit=edit)


def find_trigger_rules(source: Source) -> Iterator[Fault]:
    """AF104: trigger rules that were renamed."""
    for node in source.nodes:
        if isinstance(node, ast.keyword) and node.arg == "trigger_rule":
            old = text(node.value)
            if old in TRIGGER_RULES:
                new = TRIGGER_RULES[old]
                message = f"Airflow 3 has no trigger rule '{old}'."
                edit = source.replace_inside(node.value, old, new)
                yield fault("AF104", source.name, node.value.lineno, message, f"Write '{new}'.", edit=edit)
        elif isinstance(node, ast.Attribute) and source.dotted(node.value).endswith(".TriggerRule"):
            old = node.attr.lower()
            if old in TRIGGER_RULES:
                new = TRIGGER_RULES[old].upper()
                yield fault(
                    "AF104",
                    source.name,
                    node.lineno,
                    f"Airflow 3 has no trigger rule '{old}'.",
                    f"Write TriggerRule.{new}.",
                    edit=source.replace_inside(node, node.attr, new),
                )


def find_variable_default(source: Source) -> Iterator[Fault]:
    """AF105: `Variable.get(default_var=...)`; only the class of airflow.sdk refuses it, and only there it is mended."""
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        name = source.dotted(node.func)
        if not (name.startswith("airflow.") and name.endswith(".Variable.get")):
            continue
        for keyword in node.keywords:
            if keyword.arg == "default_var":
                is_new = name == "airflow.sdk.Variable.get"
                mend = (
                    "Write `default=`."
                    if is_new
                    else "Import Variable from airflow.sdk and write `default=`."
                )
                edit = source.rename_keyword(keyword, "default") if is_new else None
                message = "`default_var` is no argument of airflow.sdk's Variable.get."
                yield fault(
                    "AF105", source.name, keyword.lineno, message, mend, subject="default_var", edit=edit
                )


def find_forgotten_alerts(source: Source) -> Iterator[Fault]:
    """AF108 and AF109: `sla` does nothing any more, `email` has become a notifier."""
    places: list[tuple[int, str]] = []
    for dag in dag_calls(source):
        places += [(one.lineno, one.arg or "") for one in (dag.call.keywords if dag.call else ())]
    for call, operator in operator_calls(source):
        if operator.startswith("airflow.") and not operator.endswith("EmailOperator"):
            places += [(one.lineno, one.arg or "") for one in call.keywords]
    for dictionary in default_arguments(source):
        places += [(key.lineno, name) for key, name, _ in literal_items(dictionary)]
    for line, name in places:
        if name in SLA:
            yield fault(
                "AF108", source.name, line, f"`{name}` does nothing in Airflow 3.", SLA_MEND, subject=name
            )
        elif name in EMAIL:
            message = f"`{name}` is on its way out of Airflow 3."
            yield fault("AF109", source.name, line, message, EMAIL_MEND, subject=name)


def _edit(source: Source, keyword: ast.keyword, replacement: Replacement) -> Edit | None:
    if replacement.name:
        return source.rename_keyword(keyword, replacement.name)
    if not isinstance(keyword.value, ast.Constant):
        return None
    return _delete(source, keyword)


def _delete(source: Source, keyword: ast.keyword) -> Edit:
    """Take an argument out, with its comma, and with its line when nothing else stands there."""
    start, end = source.span(keyword)
    content = source.content
    comma = re.compile(rb"[ \t]*,[ \t]*").match(content, end)
    if comma:
        end = comma.end()
    else:
        before = re.search(rb",\s*\Z", content[:start])
        start = before.start() if before else start
        return Edit(start, end, b"")
    line_start = content.rfind(b"\n", 0, start) + 1
    line_end = re.compile(rb"\r?\n").match(content, end)
    if line_end and not content[line_start:start].strip():
        return Edit(line_start, line_end.end(), b"")
    return Edit(start, end, b"")
