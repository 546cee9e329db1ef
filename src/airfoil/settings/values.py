"""What a single value may be: ports, hosts, database addresses, folders, module names.

Each check returns the value, or raises ValueError with the part of a sentence that follows "must be"; so does the
description of each type. Must not know which key a value belongs to.
"""

import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*\.?")
_DRIVER = re.compile(r"postgresql(\+[a-z0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{1,61}[A-Za-z0-9]")
_CPU = re.compile(r"[1-9][0-9]*m")
_MEMORY = re.compile(r"[1-9][0-9]*(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)")
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,253}")
_MAIL_SCHEMES = ("smtp", "smtp+starttls", "smtps")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_MOST_CPUS = 4096
_POD_PARTS = ("apiVersion", "kind", "metadata", "spec")


def _host(value: str) -> str:
    """Accept an IP address or a name: no scheme, no port, no brackets."""
    problem = 'an IP address or a host name, such as "127.0.0.1" (no scheme, no port)'
    try:
        ipaddress.ip_address(value)
    except ValueError:
        # 127.0.0.300 looks like a name to a pattern, and like a mistyped address to everybody else.
        last_label = value.rstrip(".").rpartition(".")[2]
        if not _HOST_NAME.fullmatch(value) or last_label.isdigit():
            raise ValueError(problem) from None
    return value


def _address(value: str, problem: str) -> SplitResult:
    """Take an address apart whose host and port can be such."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is what checks it
        _host(parts.hostname or "")
    except ValueError:
        raise ValueError(problem) from None
    return parts


def _database(value: str) -> str:
    """Accept the SQLAlchemy address of SQLite or PostgreSQL; empty means SQLite inside the project."""
    if not value:
        return value
    problem = '"sqlite:///FILE" or "postgresql://USER@HOST/NAME"'
    scheme, separator, rest = value.partition("://")
    if not separator or _CONTROL.search(value):
        raise ValueError(problem)
    if scheme == "sqlite":
        if not rest.startswith("/") or not rest[1:].partition("?")[0] or rest[1:].startswith(":memory:"):
            raise ValueError('"sqlite:///FILE" with a file (four slashes for an absolute path)')
        return value
    if scheme == "postgres":
        raise ValueError(f'{problem} (the scheme is "postgresql", not "postgres")')
    if not _DRIVER.fullmatch(scheme):
        raise ValueError(problem)
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise ValueError(
            f'{problem}; write "/", "@", ":" and "%" in a password as %2F, %40, %3A and %25'
        ) from None
    if not parts.path.strip("/"):
        raise ValueError(f"{problem} with the NAME of a database")
    return value


def _artifacts(value: str) -> str:
    """Accept a folder or s3://BUCKET/PREFIX; empty means a folder inside the project."""
    scheme, separator, rest = value.partition("://")
    if _CONTROL.search(value):
        raise ValueError('a folder or "s3://BUCKET/PREFIX"')
    if separator and (scheme != "s3" or not _BUCKET.fullmatch(rest.partition("/")[0])):
        raise ValueError('a folder or "s3://BUCKET/PREFIX"')
    return value


def _server(value: str) -> str:
    """Accept the web address of a server that exists; empty means we start one."""
    if not value:
        return value
    problem = 'the address of a server, such as "https://mlflow.example.com" (no user name, "?" or "#")'
    parts = _address(value, problem)
    clean = not _CONTROL.search(value) and " " not in value and not (parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not clean or "@" in parts.netloc:
        raise ValueError(problem)
    return value.rstrip("/")


def _is_mailbox(value: str) -> bool:
    return bool(_MAILBOX.fullmatch(value)) and not _CONTROL.search(value)


def _mail_address(value: str) -> str:
    """Accept the address of one mailbox; empty where none is needed."""
    if value and not _is_mailbox(value):
        raise ValueError('a mail address, such as "team@example.com"')
    return value


def _mail_addresses(value: tuple[str, ...]) -> tuple[str, ...]:
    """Accept addresses of mailboxes."""
    if not all(_is_mailbox(one) for one in value):
        raise ValueError('a list of mail addresses, such as ["team@example.com"]')
    return value


def _mail_server(value: str) -> str:
    """Accept where mail is handed in; empty means a mail server on this machine."""
    if not value:
        return value
    problem = '"smtp://HOST", "smtp+starttls://USER@HOST:587" or "smtps://USER@HOST"'
    parts = _address(
        value, f'{problem}; write "/", "@", ":" and "%" in user name and password as %2F, %40, %3A and %25'
    )
    rest = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in _MAIL_SCHEMES or rest or _CONTROL.search(value) or " " in value:
        raise ValueError(problem)
    return value


def _webhook(value: str) -> str:
    """Accept the address of an incoming webhook; empty means none. Its path is a secret, so nothing of it is quoted."""
    if not value:
        return value
    problem = 'the whole address of a webhook, such as "https://hooks.slack.com/services/..."'
    if _address(value, problem).scheme not in {"http", "https"} or _CONTROL.search(value) or " " in value:
        raise ValueError(problem)
    return value


def _username(value: str) -> str:
    """Accept a login name; a colon would end it in basic auth."""
    if ":" in value or _CONTROL.search(value):
        raise ValueError("a login name without a colon")
    return value


def _folder(value: Path) -> Path:
    """Accept any path that a file system can hold."""
    if not value.parts or _CONTROL.search(str(value)):
        raise ValueError("a folder, relative to the project or absolute")
    return value


def _name(value: str) -> str:
    """Accept a name that fits on a line."""
    if not value.strip() or _CONTROL.search(value):
        raise ValueError("a name of 1 to 100 characters on one line")
    return value


def _modules(value: tuple[str, ...]) -> tuple[str, ...]:
    """Accept names that Python can import."""
    for module in value:
        if not all(part.isidentifier() for part in module.split(".")):
            raise ValueError('a list of module names, such as ["sklearn.linear_model"]')
    return value


def plain_name(value: str) -> str:
    """Accept a name that is a folder's name everywhere."""
    if not _PLAIN_NAME.fullmatch(value):
        raise ValueError('a name of letters, digits, "-" and "_"')
    return value


def _cpu(value: float | str) -> float | str:
    """Accept a number of processors, or thousandths of one as Kubernetes writes them."""
    fits = _CPU.fullmatch(value) if isinstance(value, str) else 0 < value <= _MOST_CPUS
    if not fits:
        raise ValueError('a number of processors above 0, or thousandths such as "500m"')
    return value


def _memory(value: str) -> str:
    """Accept an amount of memory as Kubernetes writes it."""
    if not _MEMORY.fullmatch(value):
        raise ValueError('an amount such as "512Mi" or "4Gi"')
    return value


def _pod(value: dict[str, Any]) -> dict[str, Any]:
    """Accept the parts of a Kubernetes pod; what is in them is for Kubernetes to judge."""
    unknown = [key for key in value if key not in _POD_PARTS]
    if unknown:
        raise ValueError("a table with metadata and spec, as in a pod's manifest")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("a table of texts, numbers, lists and tables (dates in quotes)") from None
    return value


Port = Annotated[int, Field(ge=1, le=65535, description="a whole number from 1 to 65535")]
Host = Annotated[
    str,
    AfterValidator(_host),
    Field(description='an IP address or a host name in quotes, such as "127.0.0.1"'),
]
DatabaseUrl = Annotated[
    str, AfterValidator(_database), Field(description='text such as "postgresql://USER@HOST/NAME"')
]
ArtifactsPlace = Annotated[
    str, AfterValidator(_artifacts), Field(description='a folder or "s3://BUCKET/PREFIX", in quotes')
]
ServerUrl = Annotated[
    str, AfterValidator(_server), Field(description='an address such as "https://mlflow.example.com"')
]
MailAddress = Annotated[
    str, AfterValidator(_mail_address), Field(description='a mail address, such as "team@example.com"')
]
MailAddresses = Annotated[
    tuple[str, ...],
    Field(max_length=100, description='a list of mail addresses, such as ["team@example.com"]'),
    AfterValidator(_mail_addresses),
]
MailServerUrl = Annotated[
    str, AfterValidator(_mail_server), Field(description='text such as "smtp+starttls://USER@HOST:587"')
]
WebhookUrl = Annotated[
    str, AfterValidator(_webhook), Field(description="the whole address of a webhook, in quotes")
]
Username = Annotated[
    str, AfterValidator(_username), Field(max_length=200, description="a login name, in quotes")
]
Folder = Annotated[Path, Field(strict=False, description="a folder in quotes"), AfterValidator(_folder)]
Name = Annotated[
    str, Field(max_length=100, description="a name of 1 to 100 characters"), AfterValidator(_name)
]
Modules = Annotated[
    tuple[str, ...],
    Field(max_length=200, description='a list of module names, such as ["sklearn.linear_model"]'),
    AfterValidator(_modules),
]
Seconds = Annotated[
    float,
    Field(gt=0, le=86400, allow_inf_nan=False, description="a number of seconds above 0 and up to 86400"),
]
Mebibytes = Annotated[int, Field(ge=1, le=2**24, description="a whole number of MiB from 1 to 16777216")]
PlainName = Annotated[
    str,
    Field(max_length=100, description='a name of letters, digits, "-" and "_"'),
    AfterValidator(plain_name),
]
Cpu = Annotated[
    int | float | str,
    Field(description='a number of processors, or thousandths such as "500m"'),
    AfterValidator(_cpu),
]
Memory = Annotated[
    str, Field(description='an amount in quotes, such as "512Mi" or "4Gi"'), AfterValidator(_memory)
]
Pod = Annotated[
    dict[str, Any],
    Field(description="a table with metadata and spec, as in a pod's manifest"),
    AfterValidator(_pod),
]
