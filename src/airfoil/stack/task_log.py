"""Airflow's structured task log entries as plain text lines, without the parts that only Airflow needs.

Pure: values in, lines out.
"""

from __future__ import annotations

from typing import Any

OPEN_GROUP = "::group::"
CLOSE_GROUP = "::endgroup::"
# The first group of every log lists where the text was read from: paths inside the platform.
SOURCES_GROUP = "Log message source details"
HANDLED = frozenset({"timestamp", "level", "event", "error_detail"})
# The same in each line of one log, or of interest to Airflow's developers only.
NAMES = frozenset({"dag_id", "run_id", "task_id", "map_index", "try_number"})
NOISE = NAMES | {"logger", "filename", "lineno", "chan", "loc", "ti", "ti_id"}
AIRFLOW_FRAMES = "/site-packages/airflow/"


def lines(content: list[Any]) -> list[str]:
    """Turn the `content` of a log answer (objects, or strings where Airflow could not parse) into lines."""
    text: list[str] = []
    in_sources = False
    for entry in content:
        event = str(entry.get("event", "")) if isinstance(entry, dict) else str(entry)
        if event.startswith(OPEN_GROUP):
            in_sources = event.removeprefix(OPEN_GROUP).startswith(SOURCES_GROUP)
        if event.startswith(CLOSE_GROUP):
            in_sources = False
        elif not in_sources:
            text.extend(_entry_lines(entry if isinstance(entry, dict) else {}, event))
    return text


def _entry_lines(entry: dict[str, Any], event: str) -> list[str]:
    head, *rest = event.removeprefix(OPEN_GROUP).splitlines() or [""]
    stamp = str(entry.get("timestamp") or "")[:19].replace("T", " ")
    level = str(entry.get("level") or "").upper()
    extra = [f"{key}={value}" for key, value in entry.items() if key not in HANDLED and key not in NOISE]
    first = " ".join(part for part in (stamp, f"{level:<7}" if level else "", head, *extra) if part)
    return [first, *rest, *_traceback_lines(entry.get("error_detail"))]


def _traceback_lines(detail: object) -> list[str]:
    """Rebuild a Python traceback from structlog's dictionaries; causes first, as Python does."""
    if not isinstance(detail, list):
        return []
    blocks = [_error_lines(error) for error in detail if isinstance(error, dict)]
    return [line for block in reversed(blocks) for line in block]


def _error_lines(error: dict[str, Any]) -> list[str]:
    frames = [frame for frame in error.get("frames") or [] if isinstance(frame, dict)]
    block = ["Traceback (most recent call last):"] if frames else []
    inside_airflow = 0
    for frame in frames:
        file = str(frame.get("filename"))
        # A dozen frames of task start-up would push the person's own line out of the last twenty.
        if AIRFLOW_FRAMES in file.replace("\\", "/"):
            inside_airflow += 1
            continue
        block.extend(_folded(inside_airflow))
        inside_airflow = 0
        block.append(f'  File "{file}", line {frame.get("lineno")}, in {frame.get("name")}')
    block.extend(_folded(inside_airflow))
    value = str(error.get("exc_value") or "")
    block.extend((f"{error.get('exc_type')}: {value}" if value else str(error.get("exc_type"))).splitlines())
    block.extend(str(note) for note in error.get("exc_notes") or [])
    return block


def _folded(frames: int) -> list[str]:
    return [f"  ... {frames} frame{'' if frames == 1 else 's'} inside Airflow"] if frames else []
