"""What a DAG file asks of others while it is parsed: connections, Variables, network, databases, processes, files.

Airflow parses each file again and again, and a task parses it once more: whatever stands at its top runs every time.
What hides in a function called from there shows only when the file is parsed (`airfoil.runtime.parse_report`).
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from airfoil.lint.calls import text
from airfoil.lint.fault import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source

INTO_A_TASK = "Move it into a task."
MENDS = {
    "AF201": "Read the connection inside a task, or hand its id to an operator or hook that does.",
    "AF202": "Read it inside a task, or write it as a template: `{{ var.value.NAME }}`.",
    "AF203": INTO_A_TASK,
    "AF204": INTO_A_TASK,
    "AF205": INTO_A_TASK,
    "AF208": INTO_A_TASK,
    "AF209": "Read it inside a task: a DAG file is read every minute.",
}
_HTTP = "get|post|put|patch|delete|head|options|request|stream"
PATTERNS = {
    "AF201": re.compile(
        r"airflow\.(.+\.)?(BaseHook|Connection)\.(get|aget|get_connection|get_connection_from_secrets|get_hook)"
    ),
    "AF202": re.compile(r"airflow\.(.+\.)?Variable\.(get|set|keys|delete)"),
    "AF203": re.compile(
        rf"(requests|httpx)\.({_HTTP})|urllib\.request\.(urlopen|urlretrieve)|socket\.(create_connection|getaddrinfo"
        r"|gethostbyname)|smtplib\.SMTP(_SSL)?|ftplib\.FTP(_TLS)?|mlflow\.(set_experiment|start_run|search_runs|log_\w+"
        r"|get_experiment\w*|register_model|create_experiment|search_\w+|load_\w+)|kagglehub\.\w+"
        r"|huggingface_hub\.\w+_download"
    ),
    "AF204": re.compile(
        r"(sqlite3|psycopg2?|pymysql|MySQLdb|duckdb|cx_Oracle|oracledb|pyodbc|snowflake\.connector)\.connect"
        r"|pymongo\.MongoClient|redis\.(Redis|StrictRedis|from_url)|(pandas|polars)\.read_(sql\w*|database\w*|gbq)"
    ),
    "AF205": re.compile(
        r"subprocess\.(run|call|check_call|check_output|Popen|getoutput|getstatusoutput)|os\.(system|popen|spawn\w+|exec\w+)"
    ),
    "AF208": re.compile(
        r"os\.(mkdir|makedirs|remove|unlink|rename|replace|rmdir|symlink)"
        r"|shutil\.(rmtree|copy\w*|move)|(pickle|joblib|json|yaml)\.dump"
    ),
    "AF209": re.compile(
        r"(pandas|polars)\.(read|scan)_(csv|parquet|json|excel|feather|pickle|table|ndjson|ipc)|joblib\.load|pickle\.load"
        r"|sklearn\.datasets\.(load|fetch)_\w+"
    ),
}
SAYS = {
    "AF201": "`{}` reads a connection",
    "AF202": "`{}` asks for a Variable",
    "AF203": "`{}` uses the network",
    "AF204": "`{}` opens a database",
    "AF205": "`{}` starts a process",
    "AF208": "`{}` writes a file",
    "AF209": "`{}` reads data",
}
EVERYWHERE = {"AF201", "AF202", "AF203", "AF204", "AF205"}
WRITES = {
    "write_text",
    "write_bytes",
    "mkdir",
    "touch",
    "unlink",
    "rmdir",
    "to_csv",
    "to_parquet",
    "to_pickle",
}
HOOK_CALLS = {
    "get_conn",
    "get_connection",
    "get_records",
    "get_first",
    "get_pandas_df",
    "get_df",
    "run",
    "get_uri",
}


def find_access(source: Source) -> Iterator[Fault]:
    """AF201 to AF209: calls that reach outside."""
    for node in source.parse_nodes:
        if not isinstance(node, ast.Call):
            continue
        code, name = _reach(node, source)
        if code and (source.is_dag_file or code in EVERYWHERE):
            message = f"{SAYS[code].format(name)} whenever the file is parsed."
            yield fault(code, source.name, node.lineno, message, MENDS[code], subject=name)


def _reach(node: ast.Call, source: Source) -> tuple[str, str]:
    """Give the code of what a call reaches for, and how it is called; nothing for honest calls."""
    name = source.dotted(node.func)
    if name and source.is_imported(node.func):
        for code, pattern in PATTERNS.items():
            if pattern.fullmatch(name):
                return code, _short(name)
    if name in {"open", "io.open"} and _is_written(node):
        return "AF208", "open"
    return _method(node.func, source) if isinstance(node.func, ast.Attribute) else ("", "")


def _method(called: ast.Attribute, source: Source) -> tuple[str, str]:
    """Look at a method of something that this file made: a path, a hook, an engine."""
    if called.attr in WRITES and not source.is_imported(called):
        return "AF208", called.attr
    made = source.resolve(called.value)
    maker = source.dotted(made.func) if isinstance(made, ast.Call) else ""
    last = maker.rpartition(".")[2]
    if last.endswith("Hook") and called.attr in HOOK_CALLS:
        return "AF201", f"{last}.{called.attr}"
    if maker == "sqlalchemy.create_engine" and called.attr in {"connect", "begin"}:
        return "AF204", f"create_engine().{called.attr}"
    return "", ""


def _is_written(node: ast.Call) -> bool:
    mode = node.args[1] if len(node.args) > 1 else None
    for keyword in node.keywords:
        if keyword.arg == "mode":
            mode = keyword.value
    return bool(set(text(mode) or "") & set("wax+"))


def _short(name: str) -> str:
    return ".".join(name.split(".")[-2:])
