"""What a PostgreSQL schema consists of, as statements that make it again: types, sequences, tables, keys, indexes.

Written out because `pg_dump` is often missing, or older than the server, and because a copy has to be readable where no
server is. Tables, sequences, enums, keys and indexes are known; views, functions and triggers are not, and the
schemas of Airflow, MLflow and Feast have none. Must not read rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airfoil.stack.backup.sqlite_copies import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = "current_schema()::regnamespace"
_TABLES = f"""
select c.relname from pg_class c
where c.relnamespace = {_HERE} and c.relkind = 'r' order by c.relname
"""  # noqa: S608 - no value of anybody's
_COLUMNS = f"""
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, t.typname
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relnamespace = {_HERE} and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
order by c.relname, a.attnum
"""  # noqa: S608 - as above
_ENUMS = f"""
select t.typname, array_agg(e.enumlabel::text order by e.enumsortorder)
from pg_type t join pg_enum e on e.enumtypid = t.oid
where t.typnamespace = {_HERE} group by t.typname order by t.typname
"""  # noqa: S608 - as above
_SEQUENCES = f"""
select c.relname, format_type(s.seqtypid, null), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle,
       pg_sequence_last_value(c.oid), d.deptype::text, o.relname, a.attname
from pg_sequence s
join pg_class c on c.oid = s.seqrelid
left join pg_depend d on d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
     and d.refclassid = 'pg_class'::regclass
left join pg_class o on o.oid = d.refobjid
left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
where c.relnamespace = {_HERE} order by c.relname
"""  # noqa: S608 - as above
_CONSTRAINTS = f"""
select c.relname, k.conname, pg_get_constraintdef(k.oid), k.contype::text
from pg_constraint k join pg_class c on c.oid = k.conrelid
where k.connamespace = {_HERE} and k.contype in ('p', 'u', 'c', 'f', 'x')
order by array_position(array['p', 'u', 'x', 'c', 'f'], k.contype::text), c.relname, k.conname
"""  # noqa: S608 - as above
_INDEXES = f"""
select pg_get_indexdef(i.indexrelid), current_schema()
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
where c.relnamespace = {_HERE} and t.relkind = 'r'
  and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
order by c.relname
"""  # noqa: S608 - as above


@dataclass(frozen=True)
class Column:
    """One column that holds values of its own."""

    name: str
    type: str
    """The name of its type, such as `timestamptz`."""


@dataclass(frozen=True)
class Sequence:
    """One sequence, and how far it has counted."""

    name: str
    value: int | None
    table: str
    column: str
    """To which it belongs; empty where it is alone."""
    make: str
    """The statement that makes it; empty where its column does."""

    @property
    def belong(self) -> str:
        """The statement that gives it to its column; empty where there is nothing to do."""
        if not (self.make and self.table):
            return ""
        return f"alter sequence {quoted(self.name)} owned by {quoted(self.table)}.{quoted(self.column)}"


@dataclass(frozen=True)
class Catalogue:
    """A schema."""

    columns: dict[str, list[Column]]
    """By table."""
    before: tuple[str, ...]
    """What has to be there before rows come."""
    after: tuple[str, ...]
    """What is quicker, or only possible, when rows are there."""
    sequences: tuple[Sequence, ...]


def read(connection: Any) -> Catalogue:
    """Read the schema that a connection works in."""
    columns: dict[str, list[Column]] = {name: [] for (name,) in connection.execute(_TABLES)}
    lines: dict[str, list[str]] = {name: [] for name in columns}
    for table, name, kind, required, default, identity, generated, typename in connection.execute(_COLUMNS):
        lines[table].append(_column(name, kind, required, default, identity, generated))
        if not generated:
            columns[table].append(Column(name, typename))
    sequences = tuple(_sequence(row) for row in connection.execute(_SEQUENCES))
    before = [
        f"create type {quoted(name)} as enum ({_texts(values)})"
        for name, values in connection.execute(_ENUMS)
    ]
    before += [one.make for one in sequences if one.make]
    before += [f"create table {quoted(table)} ({', '.join(parts)})" for table, parts in lines.items()]
    after = [
        f"alter table {quoted(table)} add constraint {quoted(name)} {definition}"
        for table, name, definition, _ in connection.execute(_CONSTRAINTS)
    ]
    # Foreign keys come last: they want the indexes of what they point to.
    keys = [statement for statement in after if " FOREIGN KEY " in statement]
    after = [statement for statement in after if statement not in keys]
    after += list(_indexes(connection))
    after += [*keys, *(one.belong for one in sequences if one.belong)]
    return Catalogue(columns, tuple(before), tuple(after), sequences)


def foreign_keys(connection: Any) -> list[tuple[str, str, str]]:
    """Return table, name and definition of each foreign key."""
    return [
        (table, name, definition)
        for table, name, definition, kind in connection.execute(_CONSTRAINTS)
        if kind == "f"
    ]


def table_names(connection: Any) -> list[str]:
    """Return the tables of the schema."""
    return [name for (name,) in connection.execute(_TABLES)]


def enum_names(connection: Any) -> list[str]:
    """Return the enums of the schema."""
    return [name for name, _ in connection.execute(_ENUMS)]


def lone_sequences(connection: Any) -> list[str]:
    """Return the sequences that no column owns."""
    return [str(row[0]) for row in connection.execute(_SEQUENCES) if row[8] is None]


def _column(name: str, kind: str, required: bool, default: Any, identity: Any, generated: Any) -> str:  # noqa: FBT001 - a row of the catalogue
    words = [quoted(name), kind]
    if _is(generated):
        words.append(f"generated always as ({default}) stored")
    elif _is(identity):
        words.append(f"generated {'always' if _text(identity) == 'a' else 'by default'} as identity")
    elif default is not None:
        words.append(f"default {default}")
    if required:
        words.append("not null")
    return " ".join(words)


def _sequence(row: Any) -> Sequence:
    name, kind, start, step, least, most, cycle, value, owned, table, column = row
    make = (
        f"create sequence {quoted(name)} as {kind} start {start} increment {step} minvalue {least} "
        f"maxvalue {most}{' cycle' if cycle else ''}"
    )
    return Sequence(name, value, table or "", column or "", "" if owned == "i" else make)


def _indexes(connection: Any) -> Iterator[str]:
    for definition, schema in connection.execute(_INDEXES):
        yield definition.replace(f" ON {schema}.", " ON ", 1).replace(f' ON "{schema}".', " ON ", 1)


def _texts(values: list[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _text(value: Any) -> str:
    """Return a `"char"` of the catalogue, which comes as bytes or text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _is(value: Any) -> bool:
    return value is not None and _text(value) not in {"", "\0"}
