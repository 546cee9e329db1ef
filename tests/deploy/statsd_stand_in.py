"""Stands in for prom/statsd-exporter where no registry is reached: reads the same mapping file, answers there.

The standard library and PyYAML alone: it runs in an image made of Debian packages. Of the mapping language it
knows what deploy/monitoring/statsd.yml uses, and refuses the rest.
"""

from __future__ import annotations

import re
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

KINDS = {"c": "counter", "g": "gauge", "ms": "observer"}
KNOWN = {
    "match",
    "match_type",
    "match_metric_type",
    "name",
    "labels",
    "observer_type",
    "histogram_options",
    "ttl",
    "action",
}
WINDOW_SECONDS = 3600.0
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Target:
    """What a StatsD name becomes."""

    name: str
    labels: Mapping[str, str]
    ttl_seconds: float
    buckets: tuple[float, ...] = ()
    dropped: bool = False


@dataclass
class Series:
    """All that came for one name and one set of labels."""

    value: float = 0.0
    count: int = 0
    set_at: float = 0.0
    seen: list[tuple[float, float]] = field(default_factory=list)
    buckets: dict[float, int] = field(default_factory=dict)


class Mappings:
    """The mapping file."""

    def __init__(self, text: str) -> None:
        """Read it; what this stand-in does not know is an error."""
        content = yaml.safe_load(text)
        self._quantiles = [one["quantile"] for one in content["defaults"]["summary_options"]["quantiles"]]
        self._rules = content["mappings"]
        strange = {key for rule in self._rules for key in rule} - KNOWN
        if strange:
            raise ValueError(f"the stand-in does not know {sorted(strange)}")
        # The exporter asks all patterns with asterisks before all regular expressions.
        self._rules.sort(key=lambda rule: rule.get("match_type", "glob") != "glob")

    @property
    def quantiles(self) -> list[float]:
        """Those of a summary."""
        return list(self._quantiles)

    def target(self, name: str, kind: str) -> Target:
        """Say what a name becomes."""
        for rule in self._rules:
            if rule.get("match_metric_type", kind) != kind:
                continue
            pattern = rule["match"]
            if rule.get("match_type", "glob") == "glob":
                pattern = "^" + re.escape(pattern).replace(r"\*", r"([^.]*)") + "$"
            if found := re.search(pattern, name):
                template = re.sub(r"\$\{?(\d+)\}?", r"\\\1", rule["name"])
                return Target(
                    re.sub(r"[^a-zA-Z0-9_]", "_", found.expand(template)),
                    rule.get("labels", {}),
                    _seconds(str(rule.get("ttl", "0s"))),
                    tuple(rule.get("histogram_options", {}).get("buckets", ())),
                    rule.get("action") == "drop",
                )
        return Target(re.sub(r"[^a-zA-Z0-9_]", "_", name), {}, 0.0)


class Exporter:
    """Takes lines of StatsD and gives a page of metrics."""

    def __init__(self, mappings: Mappings, clock: Callable[[], float] = time.time) -> None:
        """Begin with nothing."""
        self._mappings = mappings
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self._kinds: dict[str, str] = {}
        self._targets: dict[str, Target] = {}
        self._series: dict[str, dict[Labels, Series]] = {}

    def take(self, line: str) -> None:
        """Count one line; what is no StatsD is left out."""
        head, _, rest = line.strip().partition(":")
        value, _, unit = rest.partition("|")
        kind = KINDS.get(unit.partition("|")[0])
        if not head or kind is None:
            return
        name, *tags = head.split(",")
        target = self._mappings.target(name, kind)
        if target.dropped:
            return
        labels = dict(tag.split("=", 1) for tag in tags if "=" in tag) | dict(target.labels)
        with self._lock:
            self._kinds[target.name] = kind
            self._targets[target.name] = target
            series = self._series.setdefault(target.name, {}).setdefault(
                tuple(sorted(labels.items())), Series()
            )
            self._add(series, kind, value, target)

    def _add(self, series: Series, kind: str, value: str, target: Target) -> None:
        series.set_at = self._clock()
        if kind == "gauge":
            relative = value.startswith(("+", "-"))
            series.value = (series.value if relative else 0.0) + float(value)
        elif kind == "counter":
            series.value += float(value)
        else:
            seconds = float(value) / 1000
            series.value += seconds
            series.count += 1
            series.seen.append((series.set_at, seconds))
            for bound in target.buckets:
                series.buckets[bound] = series.buckets.get(bound, 0) + (seconds <= bound)

    def page(self) -> str:
        """Return the metrics in Prometheus's text format."""
        now = self._clock()
        lines = [
            "# TYPE process_start_time_seconds gauge",
            f"process_start_time_seconds {self._started}",
        ]
        with self._lock:
            for name, target in sorted(self._targets.items()):
                kind = self._kinds[name]
                observer = "histogram" if target.buckets else "summary"
                lines.append(f"# TYPE {name} {observer if kind == 'observer' else kind}")
                for labels, series in sorted(self._series[name].items()):
                    if target.ttl_seconds and now - series.set_at > target.ttl_seconds:
                        continue
                    lines += self._lines(name, dict(labels), series, target, now)
        return "\n".join(lines) + "\n"

    def _lines(
        self, name: str, labels: dict[str, str], series: Series, target: Target, now: float
    ) -> list[str]:
        if self._kinds[name] != "observer":
            return [_sample(name, labels, series.value)]
        if target.buckets:
            bounds = [
                *((str(bound), series.buckets[bound]) for bound in target.buckets),
                ("+Inf", series.count),
            ]
            lines = [_sample(f"{name}_bucket", labels | {"le": bound}, count) for bound, count in bounds]
        else:
            series.seen = [one for one in series.seen if now - one[0] <= WINDOW_SECONDS]
            recent = sorted(seconds for _, seconds in series.seen)
            lines = [
                _sample(
                    name,
                    labels | {"quantile": str(part)},
                    recent[min(int(part * len(recent)), len(recent) - 1)] if recent else float("nan"),
                )
                for part in self._mappings.quantiles
            ]
        return [
            *lines,
            _sample(f"{name}_sum", labels, series.value),
            _sample(f"{name}_count", labels, series.count),
        ]


def serve(mappings: Path, udp_port: int, http_port: int, host: str = "") -> None:
    """Listen until the process ends."""
    exporter = Exporter(Mappings(mappings.read_text(encoding="utf-8")))

    class Listener(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            for line in self.request[0].decode("utf-8", "replace").splitlines():
                exporter.take(line)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (exporter.page() if self.path == "/metrics" else "ok\n").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: Prometheus comes every few seconds."""

    with (
        socketserver.UDPServer((host, udp_port), Listener) as listener,
        ThreadingHTTPServer((host, http_port), Page) as page,
    ):
        threading.Thread(target=page.serve_forever, daemon=True).start()
        listener.serve_forever()


def _seconds(duration: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    return float(duration[:-1]) * units[duration[-1]]


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(
        '{}="{}"'.format(key, text.replace("\\", "\\\\").replace('"', '\\"'))
        for key, text in sorted(labels.items())
    )
    return f"{name}{{{inside}}} {value}"


if __name__ == "__main__":
    options = dict(one.lstrip("-").split("=", 1) for one in sys.argv[1:])
    serve(
        Path(options["statsd.mapping-config"]),
        int(options.get("statsd.listen-udp", ":9125").rpartition(":")[2]),
        int(options.get("web.listen-address", ":9102").rpartition(":")[2]),
    )
