"""gzip comes out in bounded pieces, whatever the pieces it comes in."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.gzip_streams import PIECE_BYTES, GzipStream

pytestmark = pytest.mark.unit


def unpack(packed, step):
    stream = GzipStream()
    pieces = [piece for at in range(0, len(packed), step) for piece in stream.feed(packed[at : at + step])]
    return b"".join(pieces), stream.is_whole


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=3), st.integers(1, 50))
def test_members_of_any_size_in_pieces_of_any_size(members, step):
    packed = b"".join(gzip.compress(one) for one in members)
    assert unpack(packed, step) == (b"".join(members), True)


@given(st.binary(min_size=1, max_size=500), st.integers(1, 17))
def test_what_is_cut_short_is_not_whole(content, cut):
    packed = gzip.compress(content)
    assert unpack(packed[:-cut], 100)[1] is False


def test_a_bomb_comes_in_bounded_pieces():
    stream, sizes = GzipStream(), []
    for piece in stream.feed(gzip.compress(bytes(30 << 20))):
        sizes.append(len(piece))
        if sum(sizes) > 5 << 20:
            break
    assert max(sizes) <= PIECE_BYTES


def test_padding_after_the_end_is_no_fault():
    assert unpack(gzip.compress(b"data") + bytes(512), 7) == (b"data", True)


def test_what_is_no_gzip_is_an_error():
    with pytest.raises(zlib.error):
        list(GzipStream().feed(b"date,close\n"))


def test_nothing_is_whole():
    assert GzipStream().is_whole
