"""Files of web servers, kept: fetched once, asked whether they changed, and gone on with where they broke off.

A kept file is known by its address and the server's ETag (or its last change). What is unfinished has another name, so
a file is whole or absent, whoever is killed in between. Bytes are limited, and taken as they are: nothing is unpacked.
So many addresses are kept, those that were asked for last.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from airfoil.clients.redirects import followed
from airfoil.clients.remote_files import check_room, check_status, not_written
from airfoil.errors import (
    NotFoundError,
    ServiceAnswerError,
    ServiceUnreachableError,
    TableError,
    redact,
)

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 8 << 30
TRIES = 5
KEPT_FILES = 24
_PATIENCE_SECONDS = 30.0
_DAY_SECONDS = 86_400.0
"""What was asked for since then may still be read."""
_NOT_MODIFIED, _PARTIAL, _TOO_FAR, _SERVER_FAULT = 304, 206, 416, 500
_LOCK, _ADDRESS = "lock", "address"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptFile:
    """A file as it lies here, and which one it is."""

    path: Path
    mark: str
    """The server's ETag, else when it was last changed; empty when the server says neither."""
    is_new: bool
    """Whether anything was fetched."""


@dataclass(frozen=True)
class _Marks:
    """How a server tells one version of a file from another."""

    etag: str = ""
    changed: str = ""
    size: int = -1

    @property
    def for_range(self) -> str:
        """What says that the rest is of the same version; a weak ETag does not."""
        return self.changed if self.etag.startswith("W/") else self.etag or self.changed


@dataclass(frozen=True)
class FileKeeper:
    """Keeps files below a folder, which several tasks and machines may share."""

    folder: Path
    most_bytes: int = MOST_BYTES
    tries: int = TRIES
    keep: int = KEPT_FILES
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    transport: httpx.BaseTransport | None = None

    def fetch(self, url: str, name: str, headers: Mapping[str, str] | None = None) -> KeptFile:
        """Return the file at an address as it is now; a broken connection is taken up again some times.

        Headers go to the server of that address, and to no other that it redirects to. A file that was fetched takes
        the place of the one that nobody has asked for for the longest time.
        """
        with _place(self.folder, url, name) as place:
            found = self._fetch(url, name, headers or {}, place)
        if found.is_new:
            self._let_go()
        return found

    def _fetch(self, url: str, name: str, headers: Mapping[str, str], place: _Place) -> KeptFile:
        for tried in range(1, self.tries + 1):
            try:
                return self._ask(url, name, headers, place)
            except (ServiceUnreachableError, ServiceAnswerError) as error:
                if tried == self.tries or isinstance(error, _FinalAnswerError):
                    raise
                log.warning("%s; trying again", error)
                self.pause(2.0 ** (tried - 1))
        raise AssertionError  # the last try returns or raises

    def _let_go(self) -> None:
        """Remove files of addresses that others were asked for after; the folders stay, for who waits at their lock."""
        asked = sorted(((_asked_at(one), one) for one in self.folder.iterdir()), reverse=True)
        for at, folder in asked[self.keep :]:
            if 0 < at < self.clock() - _DAY_SECONDS:
                with suppress(OSError), (folder / _LOCK).open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if _asked_at(folder) == at:
                        _empty(folder)

    def _ask(self, url: str, name: str, headers: Mapping[str, str], place: _Place) -> KeptFile:
        import httpx

        known, begun = place.known(), place.begun()
        asked = {**headers, "Accept-Encoding": "identity", **_conditions(known, begun, place.part)}
        client = httpx.Client(transport=self.transport, timeout=_PATIENCE_SECONDS)
        try:
            request = client.build_request("GET", url, headers=asked)
            with client, followed(client, request, name, private=headers) as answer:
                return self._take(answer, name, place, known)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise NotFoundError(
                f"The address of {name} is none: {error}", "Check how it is written."
            ) from error
        except httpx.HTTPError as error:
            raise ServiceUnreachableError(
                f"The server of {name} does not answer, or stopped in the middle: {error}",
                "Try again later; what has come is kept.",
            ) from error

    def _take(self, answer: httpx.Response, name: str, place: _Place, known: _Marks | None) -> KeptFile:
        if answer.status_code == _NOT_MODIFIED and known:
            return KeptFile(place.file, known.etag or known.changed, is_new=False)
        if answer.status_code == _TOO_FAR:
            place.forget()
            raise ServiceAnswerError(f"The server of {name} has less than it had", "Try again.")
        _check_content(answer, name)
        begun, size = _Marks(), 0
        if answer.status_code == _PARTIAL:
            begun, size = place.begun() or begun, place.part_bytes()
            if not _goes_on(answer, begun, size):
                place.forget()
                raise ServiceAnswerError(
                    f"The server of {name} sends another part than it was asked for", "Try again."
                )
        marks = _marks_of(answer, begun)
        self._check_size(name, max(marks.size, size))
        check_room(place.folder, max(0, marks.size - size), name)
        try:
            place.begin(marks, is_fresh=size == 0)
            with place.part.open("ab") as file:
                for chunk in answer.iter_raw():
                    size += len(chunk)
                    self._check_size(name, size)
                    file.write(chunk)
            if marks.size >= 0 and size != marks.size:
                raise ServiceUnreachableError(
                    f"The server of {name} stopped after {size} of {marks.size} bytes", "Try again later."
                )
            place.finish(marks)
        except OSError as error:
            not_written(name, error)
        return KeptFile(place.file, marks.etag or marks.changed, is_new=True)

    def _check_size(self, name: str, size: int) -> None:
        if size > self.most_bytes:
            raise TableError(
                f"{name} has more than {self.most_bytes >> 20} MiB, and that is more than is fetched",
                "Check the address, or split the file.",
            )


class _FinalAnswerError(ServiceAnswerError):
    """An answer that asking again does not change."""


@dataclass(frozen=True)
class _Place:
    """Where one address is kept: the file, what came so far of the next one, and the marks of both."""

    folder: Path
    name: str

    @property
    def file(self) -> Path:
        return self.folder / self.name

    @property
    def part(self) -> Path:
        return self.folder / "unfinished.part"

    def known(self) -> _Marks | None:
        marks = _read(self.folder / "kept.json")
        return marks if marks and self.file.is_file() and self.file.stat().st_size == marks.size else None

    def begun(self) -> _Marks | None:
        return _read(self.folder / "unfinished.json") if self.part_bytes() else None

    def part_bytes(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def begin(self, marks: _Marks, *, is_fresh: bool) -> None:
        if is_fresh:
            self.forget()
        _write(self.folder / "unfinished.json", marks)

    def finish(self, marks: _Marks) -> None:
        size = self.part_bytes()
        # Between the two a file without marks, or with those of another size, counts as none.
        (self.folder / "kept.json").unlink(missing_ok=True)
        self.part.replace(self.file)
        _write(self.folder / "kept.json", _Marks(marks.etag, marks.changed, size))
        self.forget()

    def forget(self) -> None:
        self.part.unlink(missing_ok=True)
        (self.folder / "unfinished.json").unlink(missing_ok=True)


@contextmanager
def _place(folder: Path, url: str, name: str) -> Iterator[_Place]:
    """Hold the place of an address alone: two tasks that want the same file fetch it once."""
    tail = unquote(urlsplit(url).path).rpartition("/")[2] or "table"
    own = folder / hashlib.sha256(url.encode()).hexdigest()[:20]
    try:
        own.mkdir(parents=True, exist_ok=True)
        with (own / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (own / _ADDRESS).write_text(redact(url), encoding="utf-8")
            yield _Place(own, f"file-{tail[-100:]}")
    except OSError as error:
        not_written(name, error)


def _asked_at(folder: Path) -> float:
    """Return when an address was last asked for; 0 for a folder of somebody else's."""
    with suppress(OSError):
        return (folder / _ADDRESS).stat().st_mtime
    return 0.0


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in {_LOCK, _ADDRESS}:
            path.unlink()


def _conditions(known: _Marks | None, begun: _Marks | None, part: Path) -> dict[str, str]:
    asked = {}
    if known and known.etag:
        asked["If-None-Match"] = known.etag
    elif known and known.changed:
        asked["If-Modified-Since"] = known.changed
    if begun and begun.for_range:
        asked |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": begun.for_range}
    return asked


def _check_content(answer: httpx.Response, name: str) -> None:
    """Raise what an answer means that is no table as it lies there."""
    check_status(answer.status_code, name)
    if answer.headers.get("content-type", "").partition(";")[0].strip() == "text/html":
        raise TableError(f"There is a web page at the address of {name}, and no table", "Check the address.")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise _FinalAnswerError(
            f"The server of {name} packs what it sends, unasked", "Ask who runs it, or use a mirror."
        )


def _goes_on(answer: httpx.Response, begun: _Marks, size: int) -> bool:
    """Tell whether a part is the next one of the same version; not every server heeds `If-Range`."""
    first: str = answer.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    etag: str = answer.headers.get("etag", begun.etag)
    return first == str(size) and etag == begun.etag


def _marks_of(answer: httpx.Response, begun: _Marks) -> _Marks:
    """Return the marks of the whole file; a part of it need not repeat them, and its length is not the file's."""
    sent = answer.headers
    size = sent.get("content-range", "").rpartition("/")[2] or sent.get("content-length", "")
    return _Marks(
        sent.get("etag", begun.etag),
        sent.get("last-modified", begun.changed),
        int(size) if size.isdecimal() else begun.size,
    )


def _read(path: Path) -> _Marks | None:
    with suppress(OSError, ValueError, TypeError):
        return _Marks(**json.loads(path.read_text(encoding="utf-8")))
    return None


def _write(path: Path, marks: _Marks) -> None:
    path.write_text(json.dumps(asdict(marks)), encoding="utf-8")
