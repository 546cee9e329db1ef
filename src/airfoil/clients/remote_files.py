"""Files of other machines, brought here: over http(s) and from S3. Whole or not at all, and never more than fits.

Nothing is read but copied; what a file is, others find out.
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote, urlsplit

from airfoil.clients.redirects import followed
from airfoil.clients.source_files import SUFFIXES
from airfoil.errors import (
    AirfoilError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StorageError,
)

if TYPE_CHECKING:
    import httpx

_CHUNK_BYTES = 1 << 20
_PATIENCE_SECONDS = 30.0
_WILD = "*?["


@dataclass(frozen=True)
class S3Access:
    """How an S3 store is reached. Without a key, what the environment or the machine offers is used."""

    key: str = ""
    secret: str = ""
    token: str = ""
    endpoint: str = ""
    """The address of a store that is not Amazon's, such as http://localhost:9000."""
    region: str = ""
    anonymous: bool = False


def fetch_http(
    url: str,
    folder: Path,
    name: str,
    headers: Mapping[str, str] | None = None,
    *,
    transport: httpx.BaseTransport | None = None,
) -> Path:
    """Copy what lies at an address into `folder`; headers go to that server, and to no other that it redirects to."""
    import httpx

    target = folder / (unquote(urlsplit(url).path).rpartition("/")[2] or "table")
    try:
        client = httpx.Client(transport=transport, timeout=_PATIENCE_SECONDS)
        request = client.build_request("GET", url, headers=headers)
        with client, followed(client, request, name, private=headers or ()) as answer:
            check_status(answer.status_code, name)
            check_room(folder, int(answer.headers.get("content-length") or 0), name)
            with target.open("wb") as file:
                for chunk in answer.iter_bytes(_CHUNK_BYTES):
                    file.write(chunk)
    except httpx.InvalidURL as error:
        raise NotFoundError(f"The address of {name} is none: {error}", "Check how it is written.") from error
    except httpx.HTTPError as error:
        raise ServiceUnreachableError(
            f"The server of {name} does not answer, or stopped in the middle: {error}", "Try again later."
        ) from error
    except OSError as error:
        not_written(name, error)
    return target


def fetch_s3(path: str, folder: Path, name: str, access: S3Access) -> list[Path]:
    """Copy one object, or all below a prefix or pattern, from S3 into `folder`."""
    return copy_files(_s3_filesystem(name, access), path, folder, name)


def lies_on_s3(path: str, name: str, access: S3Access) -> bool:
    """Tell whether there is an object, or one below a prefix or of a pattern."""
    try:
        return bool(_listed(_s3_filesystem(name, access), path.rstrip("/")))
    except OSError as error:
        fault = _s3_fault(error, name)
        if isinstance(fault, NotFoundError):
            return False
        raise fault from error


def _s3_filesystem(name: str, access: S3Access) -> Any:
    from pyarrow.fs import S3FileSystem

    options: dict[str, Any] = {
        "access_key": access.key or None,
        "secret_key": access.secret or None,
        "session_token": access.token or None,
        "region": access.region or None,
        "anonymous": access.anonymous,
        "connect_timeout": _PATIENCE_SECONDS,
        "request_timeout": _PATIENCE_SECONDS,
    }
    if access.endpoint:
        parts = urlsplit(access.endpoint if "://" in access.endpoint else f"https://{access.endpoint}")
        options |= {"endpoint_override": parts.netloc, "scheme": parts.scheme}
        # Without one, Amazon would be asked where the bucket lies.
        options["region"] = access.region or "us-east-1"
    try:
        return S3FileSystem(**options)
    except (OSError, ValueError) as error:
        raise _s3_fault(error, name) from error


def copy_files(filesystem: Any, path: str, folder: Path, name: str) -> list[Path]:
    """Copy files of an Arrow file system: one, all below a folder, or those that match a pattern."""
    try:
        found = _listed(filesystem, path.rstrip("/"))
        if not found:
            raise NotFoundError(f"There is no table {name}: nothing lies there", "Check bucket and key.")
        check_room(folder, sum(one.size or 0 for one in found), name)
        copies = []
        for number, one in enumerate(found):
            target = folder / f"{number:06d}-{one.base_name}"
            with filesystem.open_input_stream(one.path) as source:
                _write(source, target, name)
            copies.append(target)
    except OSError as error:
        raise _s3_fault(error, name) from error
    return copies


def _listed(filesystem: Any, path: str) -> list[Any]:
    from pyarrow.fs import FileSelector, FileType

    if any(sign in path for sign in _WILD):
        root = path[: min(path.index(sign) for sign in _WILD if sign in path)].rpartition("/")[0]
        below = filesystem.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
        files = [one for one in below if fnmatch.fnmatchcase(one.path, path)]
    else:
        (seen,) = filesystem.get_file_info([path])
        if seen.type == FileType.File:
            return [seen]
        below = filesystem.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
        files = [
            one
            for one in below
            if Path(one.base_name).suffix.lower() in SUFFIXES and _is_shown(one.path, path)
        ]
    return sorted((one for one in files if one.type == FileType.File), key=lambda one: one.path)


def _is_shown(path: str, root: str) -> bool:
    return not any(part.startswith((".", "_")) for part in path.removeprefix(root).strip("/").split("/"))


def _write(source: Any, target: Path, name: str) -> None:
    try:
        with target.open("wb") as file:
            while chunk := source.read(_CHUNK_BYTES):
                file.write(chunk)
    except OSError as error:
        if error.errno is not None:  # Arrow's own carry none: those are the other side's
            not_written(name, error)
        raise


def check_status(status: int, name: str) -> None:
    """Raise what an answer over HTTP means, unless it is a good one."""
    if status in {401, 403}:
        raise ServiceRefusedError(
            f"The server of {name} does not let us in ({status})",
            "Check the header that should open it; without one it has to be public.",
        )
    if status in {404, 410}:
        raise NotFoundError(
            f"There is no table {name}: the server has nothing there ({status})", "Check its address."
        )
    if not 200 <= status < 300:  # noqa: PLR2004 - what HTTP calls success
        raise ServiceAnswerError(
            f"The server of {name} answered {status}", "Try again later, or ask who runs it."
        )


def check_room(folder: Path, size: int, name: str) -> None:
    """Raise when so many bytes do not fit on the disk."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise StorageError(
            f"{name} has {size >> 20} MiB, and the disk of {folder} has room for {free >> 20} MiB",
            "Point the work folder at a larger disk, or read fewer files at a time.",
        )


def not_written(name: str, error: OSError) -> NoReturn:
    """Raise that a copy cannot be written."""
    raise StorageError(
        f"A copy of {name} cannot be written: {error.strerror or error}",
        "Free some space on the disk of the work folder.",
    ) from error


def _s3_fault(error: Exception, name: str) -> AirfoilError:
    said = " ".join(str(error).split())
    text = said.lower()
    if any(
        word in text
        for word in ("access_denied", "accessdenied", "signature", "invalid_access_key", "forbidden")
    ):
        return ServiceRefusedError(
            f"The S3 store of {name} does not let us in", "Check key, secret and the rights."
        )
    if any(
        word in text
        for word in ("no_such_bucket", "nosuchbucket", "no such bucket", "not found", "path does not exist")
    ):
        return NotFoundError(
            f"There is no table {name}: the store has no such bucket or key", "Check its address."
        )
    if any(word in text for word in ("network_connection", "curlcode", "timeout", "couldn't connect")):
        return ServiceUnreachableError(
            f"The S3 store of {name} does not answer: {said[:300]}", "Check the endpoint; try again later."
        )
    return ServiceAnswerError(f"The S3 store of {name} answered: {said[:300]}", "Try again later.")
