"""The job s3-init: makes the buckets that are named, where they are not there yet.

`python -m airfoil.runtime.container.buckets NAME...`; the store and our keys stand in the usual variables (AWS_*). Ends
with code 78 and one line when the store does not let us in, with 75 when it does not answer.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_CONFIGURATION = 78
EXIT_UNAVAILABLE = 75
_MISSING = frozenset({"404", "NoSuchBucket", "NotFound"})
_OURS = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
"""Somebody else, another start of this job most likely, was first."""


def make(client: Any, names: Sequence[str]) -> list[str]:
    """Make what is missing; return the names of what was made."""
    from botocore.exceptions import ClientError

    made = []
    for name in names:
        try:
            client.head_bucket(Bucket=name)
        except ClientError as error:
            if _code(error) not in _MISSING:
                raise
        else:
            continue
        try:
            client.create_bucket(Bucket=name)
        except ClientError as error:
            if _code(error) not in _OURS:
                raise
        else:
            made.append(name)
    return made


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def main() -> None:
    """Make the buckets that the arguments name."""
    from botocore.exceptions import BotoCoreError, ClientError

    names = sys.argv[1:]
    try:
        made = make(_client(), names)
    except ClientError as error:
        print(f"airfoil: the S3 store refuses: {error}. Check the S3_ values in .env.", file=sys.stderr)
        raise SystemExit(EXIT_CONFIGURATION) from None
    except BotoCoreError as error:
        print(f"airfoil: the S3 store does not answer: {error}", file=sys.stderr)
        raise SystemExit(EXIT_UNAVAILABLE) from None
    print(f"buckets made: {', '.join(made) or 'none'}; there already: {len(names) - len(made)}")


def _client() -> Any:
    import boto3
    from botocore.config import Config

    # Stores other than Amazon's want the bucket in the path.
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 8, "mode": "standard"})
    return boto3.client("s3", config=config)


if __name__ == "__main__":
    main()
