"""Contents in a place, each once, under the SHA-256 of what lies there; reading one proves that it is whole.

Must not know what a content is for.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import shutil
import tempfile
import time
import zlib
from typing import IO, TYPE_CHECKING, Any

from airfoil.errors import NotFoundError, StorageError
from airfoil.stack.backup.manifest import Stored
from airfoil.stack.backup.place import CHUNK_BYTES, Place, Readable
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager
    from pathlib import Path

FOLDER = "objects/"
FRESH_SECONDS = 12 * 3600.0
"""What nothing refers to is removed after a day; what is used again has to be younger than this, or is written anew."""
_TRIES = 3


class _Checked(io.RawIOBase):
    """Reads on, and says at the end whether that was what it should be."""

    def __init__(self, stream: Readable, digest: str, complaint: Callable[[], Exception]) -> None:
        self._stream, self._digest, self._complaint = stream, digest, complaint
        self._hash = hashlib.sha256()
        self._ended = False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; the complaint comes in place of the end."""
        found = self._stream.read(len(buffer))
        self._hash.update(found)
        if not found and not self._ended:
            self._ended = True
            if self._hash.hexdigest() != self._digest:
                raise self._complaint()
        buffer[: len(found)] = found
        return len(found)


class Objects:
    """The contents of a place."""

    def __init__(
        self,
        place: Place,
        *,
        used: AbstractSet[str] = frozenset(),
        trusted: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`used` are contents that some backup refers to, which therefore stay; not `trusted`, all is written again."""
        self._place = place
        self._used = used
        self._clock = clock
        self._there: dict[str, int] | None = None if trusted else {}
        self.written_bytes = 0
        """What was not there before."""

    def has(self, digest: str, size: int) -> bool:
        """Tell whether a content lies there and will go on lying there."""
        return self._known().get(digest) == size

    def put_file(self, path: Path, *, packed: bool = False) -> Stored:
        """Keep the content of a file."""
        if packed:
            with tempfile.TemporaryFile(dir=path.parent) as small, path.open("rb") as whole:
                _pack(whole, small)
                return self._put_packed(small)
        return self.put(lambda: path.open("rb"), str(path))

    def put_bytes(self, content: bytes, *, packed: bool = False) -> Stored:
        """Keep a content that is in memory."""
        if packed:
            small = io.BytesIO()
            _pack(io.BytesIO(content), small)
            return self._put_packed(small)
        return self.put(lambda: io.BytesIO(content), "a text")

    def put(self, open_content: Callable[[], AbstractContextManager[Readable]], shown: str) -> Stored:
        """Keep what can be read twice: once for its name, once to copy it. What changes in between is read again."""
        for _ in range(_TRIES):
            with open_content() as stream:
                digest, size = measured(stream)
            if self.has(digest, size):
                return Stored(object=digest, bytes=size)
            try:
                with open_content() as stream:
                    self._place.put(
                        name_of(digest),
                        io.BufferedReader(_Checked(stream, digest, _ChangedError), CHUNK_BYTES),
                    )
            except _ChangedError:
                continue
            self._known()[digest] = size
            self.written_bytes += size
            return Stored(object=digest, bytes=size)
        raise StorageError(
            f"{shown} changed each time it was read.", "Take the backup when nothing writes there."
        )

    @contextlib.contextmanager
    def open(self, stored: Stored, shown: str) -> Iterator[Readable]:
        """Read a content, unpacked; who reads to the end has read what was kept, or gets an error that names it."""

        def complaint() -> StorageError:
            return StorageError(
                f"{shown} is damaged: what lies there is not what was kept ({stored.object[:12]})."
            )

        with contextlib.ExitStack() as opened:
            try:
                stream = opened.enter_context(self._place.open(name_of(stored.object)))
            except NotFoundError as error:
                raise StorageError(
                    f"{shown} is missing: there is no content {stored.object[:12]}."
                ) from error
            checked = io.BufferedReader(_Checked(stream, stored.object, complaint), CHUNK_BYTES)
            if not stored.packed:
                yield checked
                return
            try:
                yield opened.enter_context(gzip.GzipFile(fileobj=checked, mode="rb"))
                while checked.read(CHUNK_BYTES):  # to the end, where the check is
                    pass
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise complaint() from error

    def read(self, stored: Stored, shown: str) -> bytes:
        """Return a whole content."""
        with self.open(stored, shown) as stream:
            return stream.read()

    def fetch(self, stored: Stored, target: Path, shown: str) -> None:
        """Write a content to a file, readable by its owner alone."""
        with self.open(stored, shown) as stream:
            try:
                descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    shutil.copyfileobj(stream, file, CHUNK_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise storage_error(target, error) from error

    def prove(self, stored: Stored, shown: str) -> None:
        """Read a content as it lies there; StorageError when it is not what was kept."""
        with self.open(stored.model_copy(update={"packed": False}), shown) as stream:
            while stream.read(CHUNK_BYTES):
                pass

    def _put_packed(self, small: IO[bytes]) -> Stored:
        @contextlib.contextmanager
        def again() -> Iterator[IO[bytes]]:
            small.seek(0)
            yield small

        return self.put(again, "a copy").model_copy(update={"packed": True})

    def _known(self) -> dict[str, int]:
        if self._there is None:
            fresh = self._clock() - FRESH_SECONDS
            self._there = {
                digest: item.bytes
                for item in self._place.items(FOLDER)
                if (digest := digest_of(item.name)) in self._used or item.modified > fresh
            }
        return self._there


class _ChangedError(Exception):
    """A file was written to between two looks."""


def name_of(digest: str) -> str:
    """Return where a content lies in a place."""
    return f"{FOLDER}{digest[:2]}/{digest}"


def digest_of(name: str) -> str:
    """Return the digest that a name in a place stands for."""
    return name.rpartition("/")[2]


def measured(stream: Readable) -> tuple[str, int]:
    """Return the digest and the size of a content, read part by part."""
    found, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK_BYTES):
        found.update(chunk)
        size += len(chunk)
    return found.hexdigest(), size


def _pack(whole: Readable, small: IO[bytes]) -> None:
    """Write as gzip; the same content gives the same bytes, whenever it is packed."""
    with gzip.GzipFile(filename="", fileobj=small, mode="wb", compresslevel=1, mtime=0) as packing:
        shutil.copyfileobj(whole, packing, CHUNK_BYTES)
