"""Records on their way between tasks: plain JSON in XCom, records again where a parameter is annotated with one.

A plain Airflow refuses to rebuild classes it was not told about; JSON needs no permission. What holds no record is left
exactly as it is. Must not know what a task does with the values.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError

from airfoil import records
from airfoil.errors import ConfigurationError
from airfoil.records import Record

_MAX_CHARACTERS = 200


class _Misfit(Exception):  # noqa: N818 - never leaves this module
    """A value is not what its annotation says; the text says where and why."""


def to_plain(value: Any) -> Any:
    """Return a value with every record in its lists, tuples and dictionaries as plain JSON."""
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, list | tuple | set | frozenset) and any(map(_holds_record, value)):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping) and any(map(_holds_record, value.values())):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def _holds_record(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_record, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_holds_record, value))
    return isinstance(value, Record)


def rebuild_arguments(
    function: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call with records in place of the JSON that their annotations say is a record."""
    hints = _record_hints(function)
    if not hints:
        return tuple(args), dict(kwargs)
    bound = inspect.signature(function).bind_partial(*args, **kwargs)
    for name, hint in hints.items():
        if name not in bound.arguments:
            continue
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            whole: Any = types.GenericAlias(tuple, (hint, ...))  # the annotation is of one of them
        elif kind is inspect.Parameter.VAR_KEYWORD:
            whole = types.GenericAlias(dict, (str, hint))
        else:
            whole = hint
        value = bound.arguments[name]
        try:
            bound.arguments[name] = _rebuilt(value, whole)
        except _Misfit as misfit:
            raise ConfigurationError(
                f"The argument '{name}' of {getattr(function, '__name__', function)} should be {_spelled(whole)}, "
                f"and {_shown(value)} came: {misfit}",
                "Return that record from the task before, or correct the annotation.",
            ) from misfit.__cause__
    return bound.args, bound.kwargs


def _record_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations that speak of a record, by parameter."""
    function = inspect.unwrap(function)
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = parameter.annotation
        if isinstance(hint, str):
            hint = _evaluated(hint, function)
        if hint is not inspect.Parameter.empty and _speaks_of_record(hint):
            found[name] = hint
    return found


def _evaluated(text: str, function: Callable[..., Any]) -> Any:
    """Evaluate one annotation; names that exist for type checkers only are looked for among our records.

    One by one, because a single name that cannot be found must not hide the others.
    """
    names = {name: value for name, value in vars(records).items() if isinstance(value, type)}
    names |= vars(typing) | getattr(function, "__globals__", {})
    with suppress(
        Exception
    ):  # an annotation may be any text, and only one that names a record is our business
        closure = inspect.getclosurevars(function) if inspect.isfunction(function) else None
        names |= closure.nonlocals if closure else {}
    with suppress(Exception):  # as above
        return eval(text, names)  # noqa: S307 - the text stands in the code that is about to run
    return inspect.Parameter.empty


def _speaks_of_record(hint: Any) -> bool:
    if isinstance(hint, type) and not get_args(hint):
        return issubclass(hint, Record)
    return any(map(_speaks_of_record, get_args(hint)))


def _rebuilt(value: Any, hint: Any) -> Any:
    """Return the value as the annotation says; parts of the annotation that speak of no record change nothing."""
    if not _speaks_of_record(hint):
        return value
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _rebuilt(value, parts[0])
    if origin in {Union, types.UnionType}:
        return _rebuilt_as_one_of(value, parts)
    if isinstance(hint, type) and not parts:
        return _record(value, hint)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise _Misfit("it is no dictionary")
        return {key: _inside(item, parts[1], f"['{key}']") for key, item in value.items()}
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return _rebuilt_items(value, origin, parts)
    return value


def _rebuilt_items(value: Any, origin: type, parts: tuple[Any, ...]) -> Any:
    # What mapped tasks returned comes as a lazy sequence of Airflow's, which is neither list nor tuple.
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise _Misfit("it is no list")
    items = list(value)
    if origin is tuple and Ellipsis not in parts:
        if len(items) != len(parts):
            raise _Misfit(f"it has {len(items)} items in place of {len(parts)}")
        kinds: Iterable[Any] = parts
    else:
        kinds = [parts[0]] * len(items)
    rebuilt = [
        _inside(item, kind, f"[{at}]") for at, (item, kind) in enumerate(zip(items, kinds, strict=True))
    ]
    return origin(rebuilt) if origin in {tuple, set, frozenset} else rebuilt


def _rebuilt_as_one_of(value: Any, kinds: tuple[Any, ...]) -> Any:
    plain = [kind for kind in kinds if not _speaks_of_record(kind)]
    if value is None and type(None) in plain:
        return None
    misfits = []
    for kind in kinds:
        if kind in plain:
            continue
        try:
            return _rebuilt(value, kind)
        except _Misfit as misfit:
            misfits.append(misfit)
    if any(kind is not type(None) for kind in plain):
        return value
    raise misfits[0]


def _record(value: Any, kind: type[Record]) -> Record:
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise _Misfit("it is no dictionary")
    try:
        return kind.from_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _Misfit(f"{place}: {first['msg']}" if place else first["msg"]) from error


def _inside(value: Any, hint: Any, place: str) -> Any:
    try:
        return _rebuilt(value, hint)
    except _Misfit as misfit:
        raise _Misfit(f"{place}: {misfit}") from misfit.__cause__


def _spelled(hint: Any) -> str:
    if isinstance(hint, type) and not get_args(hint):
        return hint.__name__
    text = str(hint)
    for module in (records.__name__, "typing", "collections.abc"):
        text = text.replace(f"{module}.", "")
    return text


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    shown = text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}..."
    return f"{type(value).__name__} {shown}"
