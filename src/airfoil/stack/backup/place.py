"""Where backups lie: a place keeps named contents, each of them there whole or not at all.

`FolderPlace` is a folder; others (S3) have the same methods and are handed in. Must not know what the contents are.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from airfoil.errors import NeighbourError, NotFoundError
from airfoil.stack.storage import PRIVATE_FILE_MODE, make_private_folder, storage_error, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

CHUNK_BYTES = 1024 * 1024
_UNFINISHED = ".tmp"
_LOCK = ".lock"
_IGNORE = ".gitignore"
_SHARED_FILE_MODE = 0o666  # less what the umask takes


@dataclass(frozen=True)
class Item:
    """Something that lies in a place."""

    name: str
    bytes: int
    modified: float
    """Epoch seconds."""


class Listed(Protocol):
    """What a listing tells of a content: an `Item`, or the like of another place."""

    @property
    def name(self) -> str:
        """Where it lies."""

    @property
    def bytes(self) -> int:
        """How large it is."""

    @property
    def modified(self) -> float:
        """When it was written, in epoch seconds."""


class Readable(Protocol):
    """What reads as a stream: a file, an answer of S3."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes; none at the end."""


class Source(Protocol):
    """Files that can be listed and read."""

    def items(self, prefix: str = "") -> Iterator[Listed]:
        """List what is there below a name, in no order."""

    def open(self, name: str) -> AbstractContextManager[Readable]:
        """Open a content; NotFoundError when there is none of that name."""


class Place(Source, Protocol):
    """Files that can be written and removed, too."""

    title: str
    """What people call it."""

    def put(self, name: str, content: Readable) -> None:
        """Write a content; whoever looks sees all of it or none. An error while it is read leaves nothing."""

    def delete(self, name: str) -> None:
        """Remove a content; none is fine."""

    def held(self) -> AbstractContextManager[None]:
        """Keep other writers out, where the place can."""


@contextlib.contextmanager
def opened(path: Path, missing: str) -> Iterator[BinaryIO]:
    """Open a file for reading; `missing` is the sentence for one that is not there."""
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise NotFoundError(missing) from error
    except OSError as error:
        raise storage_error(path, error) from error
    with stream:
        yield stream


class FolderPlace:
    """A folder of this machine, or of a disk that is mounted here."""

    def __init__(self, root: Path, *, durable: bool = True, private: bool = True) -> None:
        """`durable`: each file has to survive a power cut by itself. `private`: nobody else may read here."""
        self.root = root
        self.title = str(root)
        self._durable = durable
        self._private = private

    def items(self, prefix: str = "") -> Iterator[Item]:
        """List what is there; unfinished files and the lock are not."""
        for folder, _, names in os.walk(self.root / prefix):
            for name in names:
                path = Path(folder, name)
                if name.endswith(_UNFINISHED) or path in {self.root / _LOCK, self.root / _IGNORE}:
                    continue
                with contextlib.suppress(FileNotFoundError):
                    found = path.stat()
                    yield Item(path.relative_to(self.root).as_posix(), found.st_size, found.st_mtime)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file."""
        with opened(self.root / name, f"There is no {name} in {self.title}.") as stream:
            yield stream

    def put(self, name: str, content: Readable) -> None:
        """Write a file under another name, and give it its own when it is whole."""
        path = self.root / name
        self._make_folder(path.parent)
        unfinished = path.with_name(f".{secrets.token_hex(8)}{_UNFINISHED}")
        try:
            try:
                mode = PRIVATE_FILE_MODE if self._private else _SHARED_FILE_MODE
                descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
                with os.fdopen(descriptor, "wb") as stream:
                    shutil.copyfileobj(content, stream, CHUNK_BYTES)
                    stream.flush()
                    if self._durable:
                        os.fsync(stream.fileno())
                unfinished.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    unfinished.unlink()
                raise
        except OSError as error:
            raise storage_error(path, error) from error

    def _make_folder(self, folder: Path) -> None:
        if self._private:
            between = folder.relative_to(self.root).parents
            for one in (*(self.root / part for part in reversed(between)), folder):
                if not one.is_dir():
                    make_private_folder(one)
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(folder, error) from error

    def delete(self, name: str) -> None:
        """Remove a file."""
        path = self.root / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(path, error) from error

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let one writer in at a time; what a killed one left unfinished is removed."""
        make_private_folder(self.root)
        if not (self.root / _IGNORE).exists():  # backups inside a checkout are no part of it
            write_private(self.root / _IGNORE, "*\n")
        try:
            descriptor = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE_MODE)
        except OSError as error:
            raise storage_error(self.root, error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise NeighbourError(
                    f"Somebody else is writing a backup to {self.title}.", "Wait until that is done."
                ) from error
            except OSError:  # a file system that has no locks
                pass
            for folder, _, names in os.walk(self.root):
                for name in names:
                    if name.startswith(".") and name.endswith(_UNFINISHED):
                        with contextlib.suppress(OSError):
                            Path(folder, name).unlink()
            yield
        finally:
            os.close(descriptor)
