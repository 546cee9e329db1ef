"""Say of a run which data it used, as MLflow's run inputs: a name, where the data lies, and a short digest of it.

The digest is ours (the content hash of a `DataRef`): MLflow's own would read the frame, which costs seconds. No data is
read here.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

from airfoil.errors import ConfigurationError
from airfoil.records import DataRef

MAX_DIGEST_CHARACTERS = 36
MAX_NAME_CHARACTERS = 500
MAX_TAG_CHARACTERS = 500
CONTEXT_TAG = "mlflow.data.context"
HASH_TAG = "airfoil.content_hash"
_HTTP = frozenset({"http", "https"})


def dataset_input(name: str, ref: DataRef | str, context: str) -> dict[str, Any]:
    """Return one input of a run as MLflow's REST API takes it; a bare address has itself for a digest."""
    if not name or len(name) > MAX_NAME_CHARACTERS:
        raise ConfigurationError(
            f"A dataset needs a name of 1 to {MAX_NAME_CHARACTERS} characters, not {name!r:.60}"
        )
    if isinstance(ref, str) and ref:
        ref = DataRef(uri=ref, content_hash=hashlib.sha256(ref.encode()).hexdigest())
    if not isinstance(ref, DataRef):
        raise ConfigurationError(
            f"The dataset '{name}' is given as {type(ref).__name__}, and only a DataRef or an address can be logged",
            "Write it first (`ref = work.write('name', frame)`), and log the DataRef that comes back.",
        )
    kind, source = _source(ref.uri)
    dataset = {
        "name": name,
        "digest": ref.content_hash.rpartition(":")[2][:MAX_DIGEST_CHARACTERS],
        "source_type": kind,
        "source": json.dumps(source),
    }
    if ref.rows is not None:
        dataset["profile"] = json.dumps({"num_rows": ref.rows})
    tags = {CONTEXT_TAG: context, HASH_TAG: ref.content_hash}
    rows = [{"key": key, "value": value[:MAX_TAG_CHARACTERS]} for key, value in tags.items()]
    return {"dataset": dataset, "tags": rows}


def _source(uri: str) -> tuple[str, dict[str, str]]:
    """Return MLflow's name for a kind of source, and what it says about one."""
    scheme = urlsplit(uri).scheme
    if scheme in _HTTP:
        return "http", {"url": uri}
    is_local = len(scheme) <= 1 or scheme == "file"  # one letter is a drive of Windows
    return ("local" if is_local else scheme), {"uri": uri}
