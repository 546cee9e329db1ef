"""What `airfoil new training` learns from a table: its contract, and words about it.

Reads the file; what the columns mean is decided in airfoil.steps.data_contract.
"""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from airfoil.cli.new_files import Plan
    from airfoil.steps.data_contract import DataContract

MOST_ROWS = 200_000
"""Rows looked at: enough to know a table, little enough to fit."""
HEAD_BYTES = 65536
SEPARATORS = (",", ";", "\t", "|")
DATA = "data"


def fill(plan: Plan, source: Path, target: str) -> DataContract:
    """Look at the table, and add the contract, the DAG and its test to the plan."""
    from airfoil.steps.data_contract import ContractError, infer_contract
    from airfoil.steps.tabular_training import METRICS

    path = source.absolute()
    separator = find_separator(path)
    frame = read_table(path, separator)
    _refuse_target(frame, target, path)
    contract_file = plan.root / DATA / f"{plan.name}.contract.json"
    is_ours = path.is_relative_to(plan.root)
    data = os.path.relpath(path, contract_file.parent) if is_ours else str(path)
    try:
        contract = infer_contract(frame, target, data=data, separator=separator)
    except ContractError as error:
        raise ConfigurationError(
            f"{path.name} cannot be learnt from: {error}.", "Choose other data."
        ) from error
    plan.files[contract_file] = json.dumps(contract.to_json(), indent=2, ensure_ascii=False) + "\n"
    shown = {"data_name": path.name, "target": target}
    plan.render(
        "training",
        **{key: _plain(value) for key, value in shown.items()},
        contract_name=plan.shown(contract_file),
        contract=_expression(contract_file, plan),
        metric=METRICS[contract.task],
    )
    return contract


def find_separator(path: Path) -> str:
    """Tell what separates the columns: the sign that stands in the first line most often."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except IsADirectoryError as error:
        raise ConfigurationError(f"{path} is a folder.", "Name a CSV file: `--from data.csv`.") from error
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} does not exist.", "Name a CSV file: `--from data.csv`.") from error
    except OSError as error:
        raise storage_error(path, error) from error
    if not head.strip():
        raise ConfigurationError(f"{path} is empty.", "Name a CSV file with a header line and rows.")
    if b"\0" in head:
        raise ConfigurationError(f"{path} is not a CSV file but binary.", "Save the table as CSV (UTF-8).")
    first = head.decode("utf-8", errors="replace").splitlines()[0]
    return max(SEPARATORS, key=first.count)


def read_table(path: Path, separator: str) -> pd.DataFrame:
    """Read the rows to be looked at."""
    import pandas as pd

    try:
        frame = pd.read_csv(path, sep=separator, nrows=MOST_ROWS, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8.", "Save the table as CSV (UTF-8).") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        said = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ").rstrip(".")
        raise ConfigurationError(f"{path} is not a whole CSV table: {said}.", "Correct the file.") from error
    if len(frame.columns) < 2:  # noqa: PLR2004 - a target and something to learn it from
        raise ConfigurationError(
            f"{path} has one column only; commas, semicolons, tabs or | separate columns.",
            "Correct the file.",
        )
    return frame


def describe(contract: DataContract) -> Iterator[str]:
    """Say what was found, as a person would want to check it."""
    kind = f"classification in {len(contract.classes)} classes" if contract.classes else "regression"
    yield f"{contract.target}: {kind}, {len(contract.features)} features, {contract.rows} rows looked at."
    for column in contract.columns:
        if column.ignored:
            yield f"  left out {column.name}: {column.ignored}"
        elif column.missing_share:
            yield f"  {column.name} is empty in {column.missing_share:.1%} of the rows; it is filled in"


def _refuse_target(frame: pd.DataFrame, target: str, path: Path) -> None:
    names = [str(name) for name in frame.columns]
    if target in names:
        return
    near = difflib.get_close_matches(target, names, n=1)
    move = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(names[:20])}."
    raise ConfigurationError(f"{path.name} has no column '{target}'.", move)


def _expression(contract_file: Path, plan: Plan) -> str:
    """Write the contract's path as Python, seen from the DAG file, so that the project can be moved."""
    if not plan.dags.is_relative_to(plan.root):
        return f"Path({str(contract_file)!r})"
    up = len(plan.dag_file.relative_to(plan.root).parts) - 1
    below = " / ".join(f'"{part}"' for part in contract_file.relative_to(plan.root).parts)
    return f"Path(__file__).parents[{up}] / {below}"


def _plain(text: str) -> str:
    """Make a name from a file fit to stand inside a text of Python."""
    return "".join(letter if letter.isprintable() and letter not in '"\\{}`' else "_" for letter in text)
