from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.feature_store import cells

pytestmark = pytest.mark.unit

INT64 = st.integers(-(2**63), 2**63 - 1)


def naive_varint(number: int) -> bytes:
    left, found = number % 2**64, bytearray()
    while left >= 0x80:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])


@given(st.lists(INT64))
def test_varints_are_those_of_protocol_buffers(numbers):
    made = cells.varints(np.array(numbers, dtype=np.int64))
    assert made.to_list() == [naive_varint(number) for number in numbers]


@given(st.lists(st.binary(max_size=40)))
def test_strings_survive_the_way_in_and_out(strings):
    assert cells.from_list(strings).to_list() == strings
    assert cells.from_list(strings).flat() == b"".join(strings)


@given(st.lists(st.none() | st.binary(max_size=20)), st.integers(0, 5))
def test_a_column_of_bytes_may_have_gaps_and_may_be_a_slice(strings, start):
    array = pa.array(strings, pa.binary()).slice(min(start, len(strings)))
    assert cells.from_arrow(array).to_list() == [one or b"" for one in array.to_pylist()]


def test_hidden_bytes_below_a_gap_are_not_shown():
    offsets, data = pa.py_buffer(np.array([0, 3, 6], dtype=np.int32)), pa.py_buffer(b"abcdef")
    array = pa.Array.from_buffers(pa.binary(), 2, [pa.py_buffer(b"\x02"), offsets, data], null_count=1)
    assert cells.from_arrow(array).to_list() == [b"", b"def"]


@given(st.lists(st.tuples(st.binary(max_size=5), INT64, st.booleans())), st.binary(max_size=4))
def test_joined_rows_are_their_parts_side_by_side(rows, constant):
    left, numbers, flags = zip(*rows, strict=True) if rows else ((), (), ())
    is_kept = np.array(flags, dtype=np.bool_)
    parts = [cells.from_list(left), constant, cells.varints(np.array(numbers, dtype=np.int64)).where(is_kept)]
    wanted = [one + constant + (naive_varint(number) if flag else b"") for one, number, flag in rows]
    joined = cells.join(len(rows), parts)
    assert joined.to_list() == wanted
    assert joined.lengths.tolist() == [len(one) for one in wanted]
    assert joined.flat(1, 3) == b"".join(wanted[1:3])
    assert joined.flat(keep=is_kept) == b"".join(one for one, flag in zip(wanted, flags, strict=True) if flag)


def test_numbers_lie_in_memory_as_little_endian():
    assert cells.fixed(np.array([1, 258], dtype=">i4")).to_list() == [b"\x01\0\0\0", b"\x02\x01\0\0"]


@given(st.lists(st.integers(0, 10**9)))
def test_digits_are_decimal(numbers):
    made = cells.digits(np.array(numbers, dtype=np.int64), b"$", b";")
    assert made.to_list() == [b"$%d;" % number for number in numbers]


def test_nothing_at_all_is_a_table_without_rows():
    assert cells.join(0, [b"abc", cells.from_list([])]).flat() == b""
