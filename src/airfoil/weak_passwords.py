"""Passwords that people try first. Where one could be set, it is refused; no password is named in an error.

Text in, yes or no out. Must import nothing of Airfoil: the front door of every room may ask.
"""

from __future__ import annotations

import re

FEWEST_CHARACTERS = 12
# Words that are tried first, alone or joined, with digits and signs around them; or nothing but one sign or digits.
_TRIED_FIRST = re.compile(
    r"""(?ix) ([\W\d_]* (airflow|airfoil|admin|administrator|root|user|guest|test|demo|default|secret|letmein|welcome|
        password|passwort|passw0rd|pass|postgres|postgresql|redis|minio|mlflow|grafana|flower|celery|
        seaweedfs|change|me|it|this|qwerty|qwertyuiop|iloveyou|abc|abcdef|hunter))+ [\W\d_]*
        | [\W\d_]+ | (.)\3+"""
)


def is_tried_first(text: str) -> bool:
    """Tell whether a password is one that everybody knows."""
    return bool(_TRIED_FIRST.fullmatch(text))


def is_weak(text: str) -> bool:
    """Tell whether nobody should use this as a password."""
    return len(text) < FEWEST_CHARACTERS or is_tried_first(text)
