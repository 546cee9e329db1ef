"""What a table looks like and what may be learnt from it: inferred once from data, held against later data.

A contract says of each column what it holds, whether a model may use it, and if not, why. Pure: frames in, records out;
reading a file is the caller's part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from airfoil.records import Record
from airfoil.steps.leakage import gives_target_away

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "boolean", "category", "date", "text"]
Task = Literal["classification", "regression"]
LEAST_ROWS = 20
MOST_CLASSES = 20
MOST_CATEGORIES = 50
MOST_MISSING = 0.5
_ID = re.compile(r"(^|_)(id|uuid|guid|key|index|pk)$|^unnamed", re.IGNORECASE)
_BOOLEANS = {"true", "false", "yes", "no", "t", "f", "y", "n"}
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")


class ContractError(ValueError):
    """The data cannot be learnt from; the text says why, in one sentence."""


class Column(Record):
    """One column: what it holds, and why a model may not use it, if so."""

    name: str
    kind: Kind
    missing_share: float = Field(ge=0, le=1)
    ignored: str = ""
    """Why it is left out; empty when it is a feature."""
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()


class DataContract(Record):
    """A table, its target, and its columns."""

    data: str = Field(min_length=1)
    """Where the table lies, seen from the contract's own folder."""
    separator: str = ","
    target: str
    task: Task
    classes: tuple[str, ...] = ()
    rows: int = Field(ge=LEAST_ROWS)
    """How many rows were looked at."""
    columns: tuple[Column, ...]

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a model may use."""
        return tuple(column for column in self.columns if not column.ignored and column.name != self.target)


def infer_contract(frame: pd.DataFrame, target: str, *, data: str, separator: str = ",") -> DataContract:
    """Look at a table and say what it holds; what cannot be learnt from is a ContractError."""
    known = frame[frame[target].notna()]
    if len(known) < LEAST_ROWS:
        raise ContractError(f"only {len(known)} rows have a value of '{target}', {LEAST_ROWS} are needed")
    task = _task(known[target])
    classes: tuple[str, ...] = ()
    if known[target].nunique() < 2:  # noqa: PLR2004 - one value leaves nothing to tell apart
        raise ContractError(f"'{target}' is the same in every row, so there is nothing to learn")
    if task == "classification":
        counts = known[target].astype(str).value_counts()
        if counts.min() < 2:  # noqa: PLR2004 - one row to learn from, one to be tested with
            raise ContractError(f"the class '{counts.idxmin()}' of '{target}' stands in one row only")
        classes = tuple(sorted(counts.index))
    columns = tuple(_column(known, str(name), target, task) for name in frame.columns)
    contract = DataContract(
        data=data,
        separator=separator,
        target=target,
        task=task,
        classes=classes,
        rows=len(frame),
        columns=columns,
    )
    if not contract.features:
        reasons = "; ".join(f"{one.name}: {one.ignored}" for one in columns if one.ignored)
        raise ContractError(f"no column is left to learn from ({reasons})")
    return contract


def find_breaches(frame: pd.DataFrame, contract: DataContract) -> list[str]:
    """Compare a table with its contract: what is missing, of another kind, or new; nothing when it holds."""
    found = []
    for column in (*contract.features, *(one for one in contract.columns if one.name == contract.target)):
        if column.name not in frame.columns:
            found.append(f"the column '{column.name}' is missing")
            continue
        values = frame[column.name]
        share = float(values.isna().mean()) if len(values) else 1.0
        if share > max(MOST_MISSING, column.missing_share):
            found.append(f"'{column.name}' is empty in {share:.0%} of the rows")
        elif column.kind == "number" and kind_of(values) != "number":
            found.append(f"'{column.name}' held numbers and does not any more")
    if len(frame) < LEAST_ROWS:
        found.append(f"there are only {len(frame)} rows, {LEAST_ROWS} are needed")
    elif contract.classes and contract.target in frame.columns:
        new = sorted(set(frame[contract.target].dropna().astype(str)) - set(contract.classes))
        if new:
            found.append(f"'{contract.target}' has new classes: {', '.join(new[:5])}")
    return found


def kind_of(values: pd.Series[object]) -> Kind:
    """Say what a column holds."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(values):
        return "boolean"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    texts = values.dropna().astype(str)
    if len(texts) and texts.str.match(_DATE).mean() > 0.95:  # noqa: PLR2004 - a few typing errors stay dates
        return "date"
    distinct = texts.nunique()
    if distinct and set(texts.str.lower().unique()) <= _BOOLEANS:
        return "boolean"
    return "text" if distinct > MOST_CATEGORIES else "category"


def _task(target: pd.Series[object]) -> Task:
    """Tell classes from amounts: whole numbers of few values are classes, all other numbers amounts."""
    if kind_of(target) != "number":
        if target.nunique() > MOST_CLASSES:
            raise ContractError(
                f"'{target.name}' holds {target.nunique()} different texts, more than {MOST_CLASSES} classes"
            )
        return "classification"
    is_whole = bool((target % 1 == 0).all())
    is_few = target.nunique() <= min(MOST_CLASSES, len(target) // 10)
    return "classification" if is_whole and is_few else "regression"


def _column(frame: pd.DataFrame, name: str, target: str, task: Task) -> Column:
    values = frame[name]
    kind = kind_of(values)
    numbers = values.dropna() if kind == "number" else values.iloc[:0]
    return Column(
        name=name,
        kind=kind,
        missing_share=round(float(values.isna().mean()), 4),
        ignored="" if name == target else _why_ignored(frame, name, kind, target, task),
        minimum=float(numbers.min()) if len(numbers) else None,
        maximum=float(numbers.max()) if len(numbers) else None,
        values=tuple(sorted(values.dropna().astype(str).unique())) if kind in {"category", "boolean"} else (),
    )


def _why_ignored(frame: pd.DataFrame, name: str, kind: Kind, target: str, task: Task) -> str:
    values = frame[name]
    if values.isna().mean() > MOST_MISSING:
        return f"empty in {values.isna().mean():.0%} of the rows"
    distinct = values.nunique()
    if distinct <= 1:
        return "the same in every row"
    if kind == "date":
        return "a date; make features of it first"
    if distinct == len(values) and (_ID.search(name) or kind in {"text", "category"} or _counts_up(values)):
        return "another value in every row, like an id"
    if kind == "text":
        return "free text, or too many categories"
    if gives_target_away(values, frame[target], task):
        return f"suspected leakage: it tells '{target}' by itself"
    return ""


def _counts_up(values: pd.Series[object]) -> bool:
    steps = values.diff().dropna() if kind_of(values) == "number" else values.iloc[:0]
    return len(steps) > 0 and bool((steps == 1).all())
