"""An S3 bucket, or a part of one, as a place for files: listed, read, written whole, removed.

Where the store is and who we are comes from the usual variables (AWS_*, and MLFLOW_S3_ENDPOINT_URL as for MLflow). Must
not know what the files are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

SCHEME = "s3://"
_ENDPOINT = "MLFLOW_S3_ENDPOINT_URL"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_REFUSED = frozenset(
    {"401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
)
_PARTS_OF_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Item:
    """A file in a bucket."""

    name: str
    bytes: int
    modified: float


class Bucket:
    """What lies below `s3://BUCKET/PREFIX`."""

    def __init__(self, address: str, environ: Mapping[str, str], *, client: Any = None) -> None:
        """`client` is boto3's, made from the environment when it is not given."""
        self.title = address
        self._bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = client if client is not None else _client(environ)

    def items(self, prefix: str = "") -> Iterator[Item]:
        """List what lies there; a bucket that does not exist is an error."""
        with self._told():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                for row in page.get("Contents", ()):
                    name = str(row["Key"]).removeprefix(self._prefix)
                    if not name.endswith("/"):
                        yield Item(name, int(row["Size"]), row["LastModified"].timestamp())

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for reading."""
        with self._told(name):
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
        with contextlib.closing(body):
            yield body

    def put(self, name: str, content: Any) -> None:
        """Write a file; it is there when all of it has arrived."""
        key, begin = self._prefix + name, _beginning(content)
        with self._told(name):
            if len(begin) < _PARTS_OF_BYTES:  # all of it: no need for what sends large files in parts
                self._client.put_object(Bucket=self._bucket, Key=key, Body=begin)
            else:
                self._client.upload_fileobj(_Readable(begin, content), self._bucket, key, Config=_parts())

    def delete(self, name: str) -> None:
        """Remove a file."""
        with self._told(name):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """S3 has no locks; what a second writer could disturb is left alone for a day."""
        yield

    @contextlib.contextmanager
    def _told(self, name: str = "") -> Iterator[None]:
        """Tell in our words what boto3 raises."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            self._tell(str(error.response.get("Error", {}).get("Code", "")), name, error)
        except (BotoCoreError, Boto3Error) as error:
            raise ServiceUnreachableError(
                f"{self.title} cannot be used: {error}.", "Check AWS_ENDPOINT_URL and the network."
            ) from error

    def _tell(self, code: str, name: str, error: Exception) -> NoReturn:
        told: AirfoilError = ServiceAnswerError(f"{self.title} answered {code}: {error}.")
        if code in _MISSING and name:
            told = NotFoundError(f"There is no {name} in {self.title}.")
        elif code in {*_MISSING, "NoSuchBucket"}:
            told = ConfigurationError(f"There is no bucket {self._bucket}.", "Make it, or name another.")
        elif code in _REFUSED:
            told = ServiceRefusedError(
                f"{self.title} does not let us in ({code}).",
                "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            )
        raise told from error


class _Readable:
    """Nothing but `read`: boto3 would ask a file for more than a stream can do, and close it."""

    def __init__(self, begin: bytes, rest: Any) -> None:
        self._begin, self._rest = begin, rest

    def read(self, size: int = -1) -> bytes:
        if not self._begin:
            found: bytes = self._rest.read(size)
            return found
        taken = self._begin if size < 0 else self._begin[:size]
        self._begin = self._begin[len(taken) :]
        return taken + self._rest.read() if size < 0 else taken


def _client(environ: Mapping[str, str]) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise ConfigurationError("boto3 is not installed.", "`uv pip install 'airfoil[s3]'`") from error
    config = Config(
        retries={"max_attempts": 5, "mode": "standard"},
        # Stores other than Amazon's do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    # Those of the mapping, which need not be the process's; what it does not say boto3 looks for itself.
    keys = (
        {name.lower(): environ.get(name) or None for name in _KEYS}
        if all(map(environ.get, _KEYS[:2]))
        else {}
    )
    return boto3.client("s3", endpoint_url=environ.get(_ENDPOINT) or None, config=config, **keys)


def _beginning(content: Any) -> bytes:
    """Read as much as one part holds; a stream may give less at a time than it has."""
    found = bytearray()
    while len(found) < _PARTS_OF_BYTES and (more := content.read(_PARTS_OF_BYTES - len(found))):
        found += more
    return bytes(found)


def _parts() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_chunksize=_PARTS_OF_BYTES, use_threads=False)
