"""Unpack gzip as it comes in, in pieces of bounded size: a kilobyte may claim to be a gigabyte, and is not believed.

What is too much is the caller's decision; a piece is handed out before the next one is made. Must not touch files.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

MAGIC = b"\x1f\x8b"
PIECE_BYTES = 1 << 18
_GZIP = 16 + zlib.MAX_WBITS


class GzipStream:
    """Unpacks the bytes it is fed; a stream may have several members, one after the other."""

    def __init__(self) -> None:
        """Begin before the first member."""
        self._member = zlib.decompressobj(_GZIP)
        self._began = False

    @property
    def is_whole(self) -> bool:
        """Whether the last member has ended, so that nothing is missing."""
        return self._member.eof or not self._began

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Give what these bytes unpack to, piece by piece; `zlib.error` when they are no gzip."""
        while packed:
            if self._member.eof:
                if not packed.strip(b"\0"):  # padding, as tapes and some tools leave it
                    return
                self._member = zlib.decompressobj(_GZIP)
            self._began = True
            piece = self._member.decompress(packed, PIECE_BYTES)
            if piece:
                yield piece
            packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        while not self._member.eof and (piece := self._member.decompress(b"", PIECE_BYTES)):
            yield piece
