"""What follows from .env: which services are ours, and by which addresses all of them are found.

A server that exists is named by one address; its parts are taken out here, because Compose cannot take one apart. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from airfoil.errors import SettingsError
from airfoil.stack.deploy import hosts, logins

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = ("features", "flower", "maintenance", "metrics", "status", "grafana")
"""What a small server can leave out."""
SERVICES = {
    "": (
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "airflow-worker",
        "proxy",
    ),
    "postgres": ("postgres",),
    "redis": ("redis",),
    "s3": ("s3",),
    "mlflow": ("mlflow",),
    "features": ("feature-server",),
    "flower": ("flower",),
    "maintenance": ("maintenance",),
    "metrics": ("statsd-exporter", "postgres-exporter", "redis-exporter", "prometheus", "alertmanager"),
    "status": ("status",),
    "grafana": ("grafana",),
}
"""Profile of compose.yaml -> services that run as long as it is on; those of the first always do."""
EXECUTORS = {"false": "", "true": ",EdgeExecutor:airfoil.runtime.edge_executor.EdgeExecutor"}
"""Whether workers on other hosts are let in -> what stands behind Celery in Airflow's executors."""
TLS = ("internal", "automatic", "own")
_HTTPS_PORT = "443"
_POSTGRES_PORT = 5432
_REDIS_PORT = 6379
_PLAIN = re.compile(r"[A-Za-z0-9._~-]+")
_OTHER = re.compile(r"[^A-Za-z0-9._~-]")
_UNIT = re.compile(r".{4}")
_MEANS_MORE = re.compile(r"[0-9.eE-]+|true|false|null|NaN|-?Infinity")
"""What JSON reads as something else than text."""
_MODES = ("disable", "allow", "prefer", "require")
"""How TLS is asked of PostgreSQL without an authority's certificate, which no container of ours has."""
_CHECKED = "ssl_cert_reqs"
"""What Celery and redis-py call whether a server's certificate is checked."""


def derived(given: Mapping[str, str], version: str) -> dict[str, str]:
    """Return the variables of the last part of env.example, from values as Compose reads them.

    In a network that others use as well, somebody else may answer to `redis`: there our servers are found by their name
    with that of the private network behind it, which Docker reads so and nobody else can have.
    """
    profiles = _profiles(given, _parts(given))
    url = _url(given)
    network = given["COMPOSE_PROJECT_NAME"].replace("_", "-") + "-private"  # a host name has no underscore
    domain = f".{network}" if given["JOIN_NETWORK"] else ""
    return {
        "COMPOSE_PROFILES": ",".join(profiles),
        "AIRFOIL_STATUS_SERVICES": ",".join(name for one in ("", *profiles) for name in SERVICES[one]),
        "AIRFOIL_STATSD_ON": str("metrics" in profiles),
        "AIRFOIL_TAG": version,
        "AIRFOIL_URL": url,
        **hosts.derived(given, url, profiles),
        **logins.derived(given),
        "EDGE_EXECUTOR": _executor(given),
        "PRIVATE_NETWORK": network,
        "PRIVATE_DOMAIN": domain,
        **_postgres(given, domain),
        **_redis(given, domain),
        "S3_ENDPOINT": web_address(given, "S3_URL") or f"http://s3{domain}:8333",
        "MLFLOW_TRACKING_URI": web_address(given, "MLFLOW_URL") or f"http://mlflow{domain}:5000/mlflow",
    }


def _parts(given: Mapping[str, str]) -> list[str]:
    wanted = [part.strip() for part in given["AIRFOIL_PARTS"].split(",") if part.strip()]
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        raise _wrong(
            "AIRFOIL_PARTS", f"names {unknown[0]}, which is none", f"Choose among {', '.join(PARTS)}."
        )
    if "grafana" in wanted and "metrics" not in wanted:
        raise _wrong("AIRFOIL_PARTS", "names grafana without metrics, which it shows", "Add metrics.")
    return wanted


def _profiles(given: Mapping[str, str], parts: list[str]) -> list[str]:
    ours = {"postgres": "POSTGRES_URL", "redis": "REDIS_URL", "s3": "S3_URL", "mlflow": "MLFLOW_URL"}
    return [*(name for name, variable in ours.items() if not given[variable]), *parts]


def _url(given: Mapping[str, str]) -> str:
    """Return the address that people type."""
    host = given["AIRFOIL_HOST"]
    if not host or "/" in host or " " in host or host.count(":") == 1:
        raise _wrong("AIRFOIL_HOST", "is not a host name", 'Write the name alone, such as "ml.example.com".')
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise _wrong("AIRFOIL_HOST", "is an IPv6 address without its brackets", "Write [ADDRESS], or a name.")
    if given["AIRFOIL_TLS"] not in TLS:
        raise _wrong("AIRFOIL_TLS", "is none of its values", f"Choose among {', '.join(TLS)}.")
    if given["AIRFOIL_TLS"] == "automatic" and "@" not in given["AIRFOIL_TLS_EMAIL"]:
        raise _wrong(
            "AIRFOIL_TLS_EMAIL", "is empty", "Name who is told when a certificate cannot be renewed."
        )
    port = given["HTTPS_PORT"].rpartition(":")[2]
    if not port.isdecimal():
        raise _wrong("HTTPS_PORT", "is not a port", "Write a port, or ADDRESS:PORT.")
    return f"https://{host}" + (f":{port}" if port != _HTTPS_PORT else "")


def _executor(given: Mapping[str, str]) -> str:
    if given["EDGE_WORKERS"] not in EXECUTORS:
        raise _wrong("EDGE_WORKERS", "is none of its values", "Choose among true, false.")
    here = {name.strip() for name in given["WORKER_QUEUES"].split(",")}
    both = sorted(here & {name.strip() for name in given["EDGE_QUEUES"].split(",")})
    if both and given["EDGE_WORKERS"] == "true":
        raise _wrong("EDGE_QUEUES", f"names {both[0]}, which WORKER_QUEUES names too", "Take another name.")
    return EXECUTORS[given["EDGE_WORKERS"]]


def _postgres(given: Mapping[str, str], domain: str) -> dict[str, str]:
    if not given["POSTGRES_URL"]:
        host, port, database, mode = f"postgres{domain}", _POSTGRES_PORT, "postgres", "disable"
        password, user = given["POSTGRES_PASSWORD"], "postgres"
    else:
        parts = _named(given, "POSTGRES_URL", ("postgresql", "postgres"))
        host, port = parts.hostname or "", parts.port or _POSTGRES_PORT
        user, password = unquote(parts.username or "postgres"), unquote(parts.password or "")
        database = parts.path.strip("/") or "postgres"
        mode = _ssl_mode(parts.query)
    return {
        "POSTGRES_HOST": host,
        "POSTGRES_PORT": str(port),
        "POSTGRES_SSLMODE": mode,
        "POSTGRES_ADMIN_USER": user,
        "POSTGRES_ADMIN_PASSWORD": password,
        "POSTGRES_ADMIN_DATABASE": database,
    }


def _ssl_mode(query: str) -> str:
    """Return how TLS is asked for; what would be left out in silence is refused, for it may have asked for more."""
    options = parse_qs(query, keep_blank_values=True)
    mode = options.pop("sslmode", ["require"])[-1]
    if mode in {"verify-ca", "verify-full"}:
        raise _wrong(
            "POSTGRES_URL",
            f"asks for sslmode={mode}, and no container has the authority's certificate",
            "Write sslmode=require: TLS, without a look at the certificate. Keep the way to that server private.",
        )
    if mode not in _MODES:
        raise _wrong("POSTGRES_URL", "has an sslmode that is none", f"Choose among {', '.join(_MODES)}.")
    if options:
        raise _wrong(
            "POSTGRES_URL",
            f"has the option {min(options)}, which nothing reads",
            "sslmode alone may be given.",
        )
    return mode


def _redis(given: Mapping[str, str], domain: str) -> dict[str, str]:
    """Return the addresses for Celery, for the exporter, and for Feast, which has a form of its own."""
    if not given["REDIS_URL"]:
        password = given["REDIS_PASSWORD"]
        return {
            "CELERY_BROKER_URL": f"redis://:{quote(password, safe='')}@redis{domain}:{_REDIS_PORT}/0",
            "REDIS_ADDRESS": f"redis://redis{domain}:{_REDIS_PORT}",
            "REDIS_SERVER_USER": "",
            "REDIS_SERVER_PASSWORD": password,
            "FEAST_REDIS": f"redis{domain}:{_REDIS_PORT},db=1,password={_for_feast(password)},ssl=false",
        }
    parts = _named(given, "REDIS_URL", ("redis", "rediss"))
    secure = parts.scheme == "rediss"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    port = parts.port or _REDIS_PORT
    # One database of a server that others use: whose keys are whose tell the prefix and Feast's project.
    database = parts.path.strip("/") or "0"
    login = f",username={_for_feast(user)}" if user else ""
    login += f",password={_for_feast(password)}" if password else ""
    return {
        "CELERY_BROKER_URL": _broker(parts),
        "REDIS_ADDRESS": f"{parts.scheme}://{parts.hostname}:{port}",
        "REDIS_SERVER_USER": user,
        "REDIS_SERVER_PASSWORD": password,
        "FEAST_REDIS": f"{parts.hostname}:{port},db={database}{login},ssl={str(secure).lower()}",
    }


def _broker(parts: SplitResult) -> str:
    """Return the address as Celery wants it: whether certificates are checked is said, and no sign can be misread.

    Its results refuse an address that does not say it, and its queue would check none. Airflow puts variables of the
    environment in the place of words that begin with "$".
    """
    login, _, place = parts.netloc.rpartition("@")
    if login:
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        place = f"{quote(user, safe='')}:{quote(password, safe='')}@{place}"
    query = parts.query
    if parts.scheme == "rediss" and _CHECKED not in parse_qs(query):
        query = f"{query}&{_CHECKED}=required".lstrip("&")
    return parts._replace(netloc=place, query=query).geturl()


def _for_feast(text: str) -> str:
    """Return a text as it stands in Feast's form: between commas, in YAML, behind variables, and then as JSON."""
    if _PLAIN.fullmatch(text) and not _MEANS_MORE.fullmatch(text):
        return text
    return '"' + _OTHER.sub(lambda one: _UNIT.sub(r"\\u\g<0>", one[0].encode("utf-16-be").hex()), text) + '"'


def web_address(given: Mapping[str, str], name: str) -> str:
    """Return the address in a variable of .env, without a slash at its end; empty where none is, refused when wrong."""
    if not given[name]:
        return ""
    return _address(given, name, ("https", "http")).geturl().rstrip("/")


def _named(given: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> SplitResult:
    """Return an address of which the host is told alone, to programs that each want an IPv6 address in another form."""
    parts = _address(given, name, schemes)
    if ":" in (parts.hostname or ""):
        raise _wrong(
            name, "has an IPv6 address for a host", "Give that server a name in DNS, and write the name."
        )
    return parts


def _address(given: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> SplitResult:
    try:
        parts = urlsplit(given[name])
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in schemes or not parts.hostname:
        raise _wrong(
            name, "is not an address that begins with " + " or ".join(f"{one}://" for one in schemes)
        )
    return parts


def _wrong(name: str, what: str, move: str = "") -> SettingsError:
    return SettingsError(
        f"{name} in .env {what}.", move or "Correct it, or leave it empty for a server of ours."
    )
