"""Passwords that people try first. Where one could be set, it is refused; no password is named in an error.

Text in, yes or no out. Must import nothing of Airfoil: the front door of every room may ask.
"""

from __future__ import annotations

import re

FEWEST_CHARACTERS = 12
_ALIKE = str.maketrans("04@13578$!|l", "oaaiestbsiii")
"""Signs that people write in the place of letters; l, I and 1 are one to them."""
_WORDS = """airflow airfoil admin administrator root user guest test demo default secret letmein welcome password
    passwort pass postgres postgresql redis minio mlflow grafana flower celery seaweedfs change me it this my hunter
    iloveyou love sunshine dragon monkey trustno football baseball basketball princess master shadow superman batman
    starwars pokemon login hello freedom whatever computer internet michael jordan charlie summer winter spring
    autumn server"""
_KEYS = """qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm azertyuiop abcdefghijklmnopqrstuvwxyz 1q2w3e4r5t6y7u8i9o0p
    1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik 1qay2wsx3edc4rfv5tgb6zhn7ujm8ik"""
"""What fingers do on a keyboard, from left to right."""
_SHORTEST_WALK = 3
_ONE_SIGN = re.compile(r"(.)\1+", re.DOTALL)
_BETWEEN = re.compile(r"[\W\d_]")


def _alike(text: str) -> str:
    """Return a text in the letters that people see in it, as long as it was."""
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in text).translate(_ALIKE)


def _walks() -> set[str]:
    rows = _alike(_KEYS).split()
    both = [*rows, *(row[::-1] for row in rows)]
    return {row[start:end] for row in both for start in range(len(row)) for end in _ends(row, start)}


def _ends(row: str, start: int) -> range:
    return range(start + _SHORTEST_WALK, len(row) + 1)


_PARTS = {*_alike(_WORDS).split(), *_walks()}
_LONGEST = max(map(len, _PARTS))


def is_tried_first(text: str) -> bool:
    """Tell whether a password is one that everybody knows.

    That is: words that are tried first and walks over a keyboard, alone or joined, with digits and signs around them;
    or nothing but digits and signs, or one sign.
    """
    letters = _alike(text)
    ends = {0}  # where a part may end: the next one is sought from each of them once, so no text takes long
    for place in range(len(text)):
        if place in ends:
            following = range(place + 1, min(place + _LONGEST, len(text)) + 1)
            ends |= {end for end in following if letters[place:end] in _PARTS}
            ends |= {place + 1} if _BETWEEN.match(text[place]) else set()
    return bool(text) and (len(text) in ends or bool(_ONE_SIGN.fullmatch(text)))


def is_weak(text: str) -> bool:
    """Tell whether nobody should use this as a password."""
    return len(text) < FEWEST_CHARACTERS or is_tried_first(text)
