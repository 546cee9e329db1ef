"""The answer to one query, written as Parquet while it comes in: any database that SQLAlchemy knows.

One query, one moment: whatever is done with the table afterwards sees the same rows. A type is what the values are;
where a later part has other values, the column is widened to what holds both, and to text at last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
    TableError,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Engine

ROWS_AT_A_TIME = 20_000
_TABLE = re.compile(r'[\w$"]+(\.[\w$"]+)*')


def fetch_query(url: str, query: str, folder: Path, name: str, *, rows: int = ROWS_AT_A_TIME) -> Path:
    """Ask a database once, read-only, and write the answer into `folder`; return the file."""
    from sqlalchemy import exc, text

    if not query.strip():
        raise ConfigurationError(
            f"Nobody said what to read from {name}", "Give a table or a SELECT as `query`."
        )
    statement = query if not _TABLE.fullmatch(query.strip()) else f"SELECT * FROM {query.strip()}"  # noqa: S608 - a name
    engine = _engine(url, name)
    try:
        with engine.connect() as connection:
            asked = connection.execution_options(stream_results=True, yield_per=rows)
            if connection.dialect.name == "postgresql":
                asked = asked.execution_options(postgresql_readonly=True)
            answer = asked.execute(text(statement.replace(":", r"\:")))
            names = list(answer.keys())
            twice = next((one for number, one in enumerate(names) if one in names[:number]), None)
            if twice is not None:
                raise TableError(f"{name} gives more than one column '{twice}'", "Name one of them with AS.")
            return _write(names, answer.partitions(), folder)
    except exc.SQLAlchemyError as error:
        raise _fault(error, name) from error
    finally:
        engine.dispose()


def _engine(url: str, name: str) -> Engine:
    from sqlalchemy import create_engine, exc
    from sqlalchemy.engine import make_url

    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
            # SQLite would make an empty database instead.
            raise NotFoundError(f"There is no database {name} at {address.database}", "Check its path.")
        return create_engine(address)
    except (exc.ArgumentError, exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"The address of {name} is of no kind that can be read here: {error}",
            "Paths, https://, s3://, postgresql:// and sqlite:/// are; other databases need their driver installed.",
        ) from error


def _write(names: Sequence[str], parts: Iterator[Any], folder: Path) -> Path:
    """Write parts as long as their types agree; begin a new file where they do not, and make one of all in the end."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.null()) for name in names])
    written: list[Path] = []
    writer = None
    try:
        for rows in parts:
            columns = [_array(values) for values in zip(*rows, strict=True)]
            wider = _unified(schema, pa.schema(zip(names, (one.type for one in columns), strict=True)))
            if writer is None or wider != schema:
                if writer is not None:
                    writer.close()
                written.append(folder / f"part{len(written)}.parquet")
                schema, writer = wider, pq.ParquetWriter(written[-1], wider)
            cast = [_cast(one, kind.type) for one, kind in zip(columns, schema, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(cast, schema=schema))
    finally:
        if writer is not None:
            writer.close()
    if len(written) == 1:
        return written[0]
    whole = folder / "whole.parquet"
    with pq.ParquetWriter(whole, schema) as writer:
        for path in written:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(ROWS_AT_A_TIME):
                    cast = [_cast(one, kind.type) for one, kind in zip(batch.columns, schema, strict=True)]
                    writer.write_batch(pa.RecordBatch.from_arrays(cast, schema=schema))
            path.unlink()
    return whole


def _array(values: Sequence[Any]) -> pa.Array:
    """Return values of a database as Arrow has them; what Arrow has no single type for becomes text."""
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([None if one is None else _text(one) for one in values], pa.string())


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes | memoryview) else str(value)


def _unified(schema: pa.Schema, other: pa.Schema) -> pa.Schema:
    import pyarrow as pa

    fields = []
    for one, two in zip(schema, other, strict=True):
        if pa.types.is_null(one.type) or pa.types.is_null(two.type):
            fields.append(two if pa.types.is_null(one.type) else one)
            continue
        try:
            both = pa.unify_schemas([pa.schema([one]), pa.schema([two])], promote_options="permissive")
            fields.append(both.field(0))
        except pa.ArrowException:
            fields.append(pa.field(one.name, pa.string()))
    return pa.schema(fields)


def _cast(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if column.type == wanted:
        return column
    try:
        return column.cast(wanted)
    except pa.ArrowException:
        return pa.array([None if one is None else _text(one) for one in column.to_pylist()], wanted)


def _fault(error: Exception, name: str) -> AirfoilError:
    """Return what to say instead of SQLAlchemy's error, which quotes the statement and a page of its manual."""
    from sqlalchemy import exc

    said = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".?")
    text = said.lower()
    if any(word in text for word in ("password", "authentication", "permission denied", "access denied")):
        return ServiceRefusedError(
            f"The database of {name} does not let us in: {said[:300]}", "Check user and rights."
        )
    if any(
        word in text
        for word in ("no such table", "does not exist", "undefined", "syntax error", "no such column")
    ):
        return NotFoundError(
            f"The database cannot answer the query of {name}: {said[:200]}", "Check the query."
        )
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError):
        return ServiceUnreachableError(
            f"The database of {name} does not answer, or went away: {said[:300]}", "Try again later."
        )
    return ServiceAnswerError(
        f"The database of {name} answered: {said[:200]}", "Check the query; try again later."
    )
