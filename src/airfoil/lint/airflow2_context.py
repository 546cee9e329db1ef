"""Names that Airflow 2 put into a task's context and Airflow 3 does not: in subscripts, arguments and templates."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from airfoil.lint.calls import text
from airfoil.lint.fault import Edit, Fault, fault
from airfoil.lint.source import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source

RENAMED = {"execution_date": "logical_date"}
GONE = {
    "execution_date": "Write `logical_date` (None for runs without one; `run_after` is always there).",
    "next_execution_date": "Write `data_interval_end`.",
    "prev_execution_date": "Write `prev_start_date_success`, or reckon from `logical_date`.",
    "prev_execution_date_success": "Write `prev_data_interval_start_success`.",
    "next_ds": "Write `data_interval_end | ds` in a template.",
    "next_ds_nodash": "Write `data_interval_end | ds_nodash` in a template.",
    "prev_ds": "Reckon it from `logical_date`.",
    "prev_ds_nodash": "Reckon it from `logical_date`.",
    "tomorrow_ds": "Reckon it from `ds`: `macros.ds_add(ds, 1)`.",
    "tomorrow_ds_nodash": "Reckon it from `ds`: `macros.ds_add(ds, 1)`.",
    "yesterday_ds": "Reckon it from `ds`: `macros.ds_add(ds, -1)`.",
    "yesterday_ds_nodash": "Reckon it from `ds`: `macros.ds_add(ds, -1)`.",
}
CONF_MEND = "Write `dag_run.conf` for the run's parameters, `airflow.sdk.configuration.conf` for settings."
CONTEXTS = {"context", "ctx", "_context", "kwargs", "_kwargs"}
RUNS = {"dag_run", "ti", "task_instance", "dagrun"}
# A name of its own inside {{ }} or {% %}: not an attribute, not a key, not text.
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NAME = re.compile(r"(?<![\w.'\"])(" + "|".join([*GONE, "conf"]) + r")\b(?!['\"(=])")
_RUN_ATTRIBUTE = re.compile(r"(?<![\w.])(?:" + "|".join(sorted(RUNS)) + r")\.(execution_date)\b")


def find_context_names(source: Source) -> Iterator[Fault]:
    """AF103: every way in which a task asks for them."""
    for node in source.nodes:
        if isinstance(node, FUNCTIONS):
            yield from _arguments(node, source)
        elif isinstance(node, ast.Constant):
            yield from _template(node, source)
        else:
            yield from _look_up(node, source)


def _look_up(node: ast.AST, source: Source) -> Iterator[Fault]:
    """`context["execution_date"]`, `context.get("execution_date")`, `dag_run.execution_date`."""
    if isinstance(node, ast.Subscript) and _is_context(node.value, source):
        yield from _key(node.slice, source)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        if node.func.attr in {"get", "pop"} and _is_context(node.func.value, source):
            yield from _key(node.args[0], source)
    elif isinstance(node, ast.Attribute) and node.attr == "execution_date" and _is_run(node.value, source):
        end = source.span(node)[1]
        edit = Edit(end - len(node.attr), end, b"logical_date")
        yield _fault(source, node.end_lineno or node.lineno, "execution_date", edit)


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef, source: Source) -> Iterator[Fault]:
    if _is_task(node, source):
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            if argument.arg in GONE:
                yield _fault(source, argument.lineno, argument.arg)


def find_blind_pulls(source: Source) -> Iterator[Fault]:
    """AF110: `xcom_pull(key=...)` no longer looks into other tasks."""
    for node in source.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "xcom_pull"
        ):
            given = {one.arg for one in node.keywords}
            if not node.args and None not in given and "task_ids" not in given:
                message = "`xcom_pull` without task_ids finds only what this task pushed itself."
                yield fault("AF110", source.name, node.lineno, message, 'Name the task: `task_ids="..."`.')


def _is_run(node: ast.expr, source: Source) -> bool:
    return source.dotted(node).rpartition(".")[2] in RUNS


def _is_context(node: ast.expr, source: Source) -> bool:
    if isinstance(node, ast.Call):
        return source.dotted(node.func).endswith("get_current_context")
    return isinstance(node, ast.Name) and node.id in CONTEXTS and node.id not in source.names


def _is_task(node: ast.FunctionDef | ast.AsyncFunctionDef, source: Source) -> bool:
    for one in node.decorator_list:
        name = source.dotted(one.func if isinstance(one, ast.Call) else one)
        if name.startswith(("airflow.sdk.task", "airflow.decorators.task")) and not name.endswith(
            "task_group"
        ):
            return True
    return False


def _key(node: ast.expr, source: Source) -> Iterator[Fault]:
    name = text(node)
    if name in GONE:
        new = RENAMED.get(name)
        yield _fault(source, node.lineno, name, source.replace_inside(node, name, new) if new else None)
    elif name == "conf":
        message = "`conf` is not in the context of Airflow 3."
        yield fault("AF103", source.name, node.lineno, message, CONF_MEND, subject="conf")


def _template(node: ast.Constant, source: Source) -> Iterator[Fault]:
    if not isinstance(node.value, str) or "{" not in node.value:
        return
    seen: set[str] = set()
    for template in _TEMPLATE.finditer(node.value):
        found = [*_NAME.finditer(template[0]), *_RUN_ATTRIBUTE.finditer(template[0])]
        for match in found:
            name = match[1]
            if name in seen:
                continue
            seen.add(name)
            line = node.lineno + (
                node.value[: template.start()].count("\n") if b"\n" in source.text_of(node) else 0
            )
            if name == "conf":
                message = "`conf` is not in the context of Airflow 3."
                yield fault("AF103", source.name, line, message, CONF_MEND, subject="conf")
                continue
            new = RENAMED.get(name)
            yield _fault(source, line, name, source.replace_inside(node, name, new) if new else None)


def _fault(source: Source, line: int, name: str, edit: Edit | None = None) -> Fault:
    message = f"`{name}` is not in the context of Airflow 3."
    return fault("AF103", source.name, line, message, GONE[name], subject=name, edit=edit)
