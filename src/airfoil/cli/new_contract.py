"""What `airfoil new contract` reads off a table that is known to be good, and the file it becomes.

What a column keeps is decided in airfoil.steps.quality.inference.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import AlreadyExistsError, ConfigurationError
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from airfoil.steps.quality.contract import Contract

SUFFIX = ".contract.yaml"


@dataclass(frozen=True)
class Draft:
    """A contract that was read off a table, as text too."""

    contract: Contract
    text: str
    called: str
    """The table."""


def draft(location: str, name: str = "", *, room: float | None = None) -> Draft:
    """Read a contract off a table, wherever it lies."""
    from airfoil.clients.table_sources import TableSource, open_table
    from airfoil.steps.quality.contract_text import teaching_yaml
    from airfoil.steps.quality.inference import ROOM, infer_contract
    from airfoil.steps.scans import Scan

    if room is not None and room < 0:
        raise ConfigurationError("A range cannot have less than no room.", "Give --room a share such as 0.5.")
    source = TableSource(location, name=name)
    with open_table(source) as table:
        scan = Scan.of_parquet(table.paths, table.name)
        contract = infer_contract(scan, room=ROOM if room is None else room)
    return Draft(contract, teaching_yaml(contract, source.called), source.called)


def file_of(made: Draft) -> Path:
    """Return where a contract goes when nobody says: beside where one works, called like its table."""
    stem = made.called.partition(".")[0]
    plain = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in stem).strip("_")
    return Path(f"{plain or 'table'}{SUFFIX}")


def write(made: Draft, path: Path) -> None:
    """Write the contract; what is there stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(made.text)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.parent.is_dir():
            raise AlreadyExistsError(
                f"{path} exists already.", "Name another file with `--to`, or move it away."
            ) from error
        raise storage_error(path, error) from error
