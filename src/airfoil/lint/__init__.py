"""Rules for DAG files that need nothing but their text: source in, faults out.

Pure: knows no Airflow, no process and no project; each rule is a function of one parsed source. What only shows when a
file is imported is found by `airfoil.runtime.parse_report`, what ruff knows is left to ruff (`airfoil.stack.ruff`).
"""

from airfoil.lint.fault import Edit, Fault
from airfoil.lint.rules import check_source, declared_ids, duplicates
from airfoil.lint.source import Source, read_source

__all__ = ["Edit", "Fault", "Source", "check_source", "declared_ids", "duplicates", "read_source"]
