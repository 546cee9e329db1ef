"""What to count of a column, as Ibis expressions: its statistics, and the rows that break a rule. Runs nothing.

Says what `quality.expressions` says, in words that every engine understands. Text is compared byte by byte. Patterns
are the engine's: classes such as digits and words mean those of ASCII there.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError
from airfoil.steps.quality.column_types import NUMBERS, kind_of, moment_of, wanted_kind
from airfoil.steps.warehouse.tables import SPARK, exactly, is_infinite, microseconds

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from airfoil.steps.quality.questions import Question

_LEAST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**63 - 1
_MOST_DIGITS = 38
"""Of a decimal, in every engine."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _up_to(largest: int) -> str:
    """Return a pattern of whole numbers up to this one, which are compared digit by digit."""
    digits = str(largest)
    less = [
        f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if digit != "0"
    ]
    return "|".join([f"[0-9]{{1,{len(digits) - 1}}}", *less, digits])


_SPACE = r"[\t-\r ]*"
_WHOLE = rf"([+]?0*({_up_to(_LARGEST_INTEGER)})|-0*({_up_to(-_LEAST_INTEGER)}))"
_FLOAT = (
    r"[+-]?(([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?|[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])"
)
_LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_DAY_OF_YEAR = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_READABLE = {
    "integer": f"{_SPACE}{_WHOLE}{_SPACE}",
    "number": f"{_SPACE}{_FLOAT}{_SPACE}",
    "date": f"([0-9]{{4}}-{_DAY_OF_YEAR}|{_LEAP_YEAR}-02-29)",
    "boolean": "([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])",
}
"""What a text looks like that can be read as a value, for engines that would read `1.5` as the integer 2."""


def statistics(column: ir.Column, arrow_type: pa.DataType) -> dict[str, ir.Scalar]:
    """Return what is measured of a column, by the name that a profile gives it."""
    kind = kind_of(arrow_type)
    found = {"missing": column.isnull().sum()}
    if kind == "float":
        number = column.cast("float64")
        found["missing"] = (column.isnull() | number.isnan()).sum()
        found |= {"nan": number.isnan().sum(), "infinite": is_infinite(number).sum()}
        column = _finite(column)
    if kind in NUMBERS:
        exact = column.cast("float64")
        found |= {"mean": exact.mean(), "deviation": exact.std(how="sample")}
    if kind == "boolean":
        found["mean"] = column.cast("int8").cast("float64").mean()
    if kind in {*NUMBERS, "text", "date", "timestamp"}:
        found |= {"minimum": column.min(), "maximum": column.max()}
    return found


def present(column: ir.Column, arrow_type: pa.DataType) -> ir.BooleanValue:
    """Return whether a row has a value there; NaN is none."""
    if kind_of(arrow_type) != "float":
        return column.notnull()
    return column.notnull() & ~column.cast("float64").isnan().fill_null(True)


def breaks(question: Question, column: ir.Column, arrow_type: pa.DataType, engine: str) -> ir.BooleanValue:
    """Return whether a row breaks what is asked of one column; a row without a value breaks `missing` only."""
    import ibis

    rule, kind, has = question.rule, kind_of(arrow_type), present(column, arrow_type)
    if rule is None:
        raise ConfigurationError(f"No row can break '{question.asks}'")
    never = ibis.literal(False)
    if question.check == "missing":
        return ~has
    if question.check == "finite":
        return (is_infinite(column) if kind == "float" else never) & has
    if question.check == "type":
        pattern = _READABLE.get(_family(wanted_kind(rule.type)), "") if kind == "text" else ""
        return has & ~(column.re_search(_whole(pattern, engine)) if pattern else never)
    if question.check == "set":
        return has & ~_is_one_of(column, kind, rule.one_of, engine)
    if question.check == "pattern":
        return has & ~column.re_search(_whole(f"(?:{rule.matches})", engine))
    broken = never
    if rule.at_least is not None:
        broken |= _outside(column, arrow_type, rule.at_least, engine, is_least=True)
    if rule.at_most is not None:
        broken |= _outside(column, arrow_type, rule.at_most, engine, is_least=False)
    return has & broken


def _whole(pattern: str, engine: str) -> str:
    """Return a pattern for a whole text."""
    # Java's "$" also stands before a line break at the end.
    return rf"^{pattern}\z" if engine == SPARK else f"^{pattern}$"


def _family(wanted: str) -> str:
    return "number" if wanted in {"float", "decimal"} else wanted


def _finite(column: ir.FloatingColumn) -> ir.FloatingColumn:
    import ibis

    wide = column.cast("float64")
    return ibis.cases((wide.isnan() | is_infinite(wide), ibis.null(column.type())), else_=column)


def _is_one_of(column: ir.Column, kind: str, values: tuple[Any, ...], engine: str) -> ir.BooleanValue:
    import ibis

    if kind == "text":
        return column.isin([str(value) for value in values])
    if kind == "boolean":
        truths = [value for value in values if isinstance(value, bool)]
        return column.isin(truths) if truths else ibis.literal(False)
    if kind not in NUMBERS:
        moments = [moment_of(value) for value in values]
        if kind == "date":
            return column.isin([moment.date() for moment in moments])
        return microseconds(column, engine).isin([_micros(moment) for moment in moments])
    numbers = [value for value in values if not isinstance(value, str)]
    if kind == "integer":
        whole = [int(value) for value in numbers if value == int(value)]
        whole = [value for value in whole if _LEAST_INTEGER <= value <= _LARGEST_INTEGER]
        return column.isin(whole) if whole else ibis.literal(False)
    return column.cast("float64").isin([exactly(value) for value in numbers])


def _outside(
    column: ir.Column, arrow_type: pa.DataType, bound: Any, engine: str, *, is_least: bool
) -> ir.BooleanValue:
    import ibis
    import pyarrow as pa

    kind = kind_of(arrow_type)
    value, limit = column, bound
    if kind == "text":
        limit = ibis.literal(str(bound))
    elif kind == "integer":
        # A bound of 0.5 asks an integer to be at least 1.
        limit = math.ceil(bound) if is_least else math.floor(bound)
        if not _LEAST_INTEGER <= limit <= _LARGEST_INTEGER:
            value, limit = column.cast(f"decimal({_MOST_DIGITS}, 0)"), _decimal(limit, 0)
    elif kind == "decimal":
        limit = _decimal(bound, arrow_type.scale)
    elif kind == "float":
        # As the column would hold it: 0.3 in 32 bits is a little more than 0.3.
        value, limit = column.cast("float64"), exactly(pa.scalar(float(bound), arrow_type).as_py())
    elif kind == "date":
        limit = ibis.literal(moment_of(bound).date())
    else:
        value, limit = microseconds(column, engine), _micros(moment_of(bound))
    return value < limit if is_least else value > limit


def _decimal(bound: float, scale: int) -> ir.DecimalScalar:
    """Return a bound as a decimal of its own digits: engines would cut it to three, or to eighteen."""
    import ibis

    exact = Decimal(str(bound))
    places = min(_MOST_DIGITS, max(scale, len(f"{exact:f}".partition(".")[2])))
    # What has more digits than any value is as good as the largest that there is.
    largest = Decimal(f"{'9' * (_MOST_DIGITS - places)}.{'9' * places}")
    exact = max(largest.copy_negate(), min(largest, exact))
    return ibis.literal(f"{exact:f}").cast(f"decimal({_MOST_DIGITS}, {places})")


def _micros(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)
