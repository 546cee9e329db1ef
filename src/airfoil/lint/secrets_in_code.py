"""Secrets written into code: passwords by the name they are given to, keys by their form, addresses with a password.

No measure of randomness: a rule that cries wolf is switched off. `# airfoil: allow-secret` on a line says that a person
has looked. A message never repeats the secret.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from airfoil.lint.calls import literal_items, text
from airfoil.lint.fault import Fault, fault
from airfoil.lint.source import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source

ALLOWED = b"airfoil: allow-secret"
MEND = "Keep it in a connection or a Variable, or in the environment, and change it: whoever saw this file knows it."
_SECRET_NAME = re.compile(
    r"(^|[_-])(password|passwd|pwd|passphrase|secret|api_?key|auth_?key|access_?key|secret_?key|private_?key"
    r"|(access|auth|api|bearer|refresh|secret|bot|hf|github)?_?token)$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\{\{|\$\{|^\$|^<.*>$|^%|^\*+$|^x+$|^\.+$|^(none|null|true|false|todo|string|basic|bearer|token|api_key)$"
    r"|^your[-_ ]|^env:",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"[A-Z_]*(PASSWORD|PASS|PWD|SECRET|TOKEN)[A-Z_]*")
"""How people write that a password stands here."""
_IS_ENVIRONMENT_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_SHORTEST = 4
WITH_DEFAULT = {"os.getenv", "os.environ.get", "getenv", "environ.get", "os.environ.setdefault"}
FORMS = {
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a Slack token": re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}"),
    "a Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "an API key": re.compile(r"\bsk-(proj-|ant-)?[A-Za-z0-9_-]{24,}"),
    "a private key": re.compile(r"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
}
_ADDRESS = re.compile(r"\b[a-zA-Z][\w+.-]*://[^\s:/@'\"{}$<>]*:(?P<password>[^\s/@'\"]+)@[\w\[]")


def find_secrets(source: Source) -> Iterator[Fault]:
    """AF401 to AF403."""
    documents = _docstrings(source)
    for node in source.nodes:
        for name, value in _named_values(node):
            secret = text(value)
            if secret and value and _SECRET_NAME.search(name) and _may_be_secret(secret):
                yield from _unless_allowed(
                    source, value, "AF401", f"The value of `{name}` stands in the code."
                )
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documents:
            yield from _forms(node, node.value, source)


def _forms(node: ast.Constant, value: str, source: Source) -> Iterator[Fault]:
    for what, form in FORMS.items():
        if form.search(value):
            yield from _unless_allowed(source, node, "AF402", f"This looks like {what}.")
            return
    for match in _ADDRESS.finditer(value):
        password = match["password"]
        if not (_PLACEHOLDER.search(password) or _CAPITAL.fullmatch(password) or "{" in password):
            yield from _unless_allowed(source, node, "AF403", "This address holds a password.")
            return


def _unless_allowed(source: Source, node: ast.expr, code: str, message: str) -> Iterator[Fault]:
    lines = source.lines[node.lineno - 1 : node.end_lineno or node.lineno]
    if not any(ALLOWED in line for line in lines):
        yield fault(code, source.name, node.lineno, message, MEND)


def _named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Give every value that is bound to a name here."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield _target_name(target), node.value
    elif isinstance(node, ast.Call):
        yield from ((one.arg or "", one.value) for one in node.keywords)
        called = ast.unparse(node.func) if isinstance(node.func, ast.Attribute | ast.Name) else ""
        if called in WITH_DEFAULT and len(node.args) > 1:
            yield text(node.args[0]) or "", node.args[1]
    elif isinstance(node, ast.Dict):
        yield from ((name, value) for _, name, value in literal_items(node))
    elif isinstance(node, FUNCTIONS):
        named = node.args.posonlyargs + node.args.args
        last = named[len(named) - len(node.args.defaults) :]
        yield from ((one.arg, value) for one, value in zip(last, node.args.defaults, strict=True))
        yield from (
            (one.arg, value) for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        )


def _target_name(target: ast.expr) -> str:
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    return text(target.slice) or "" if isinstance(target, ast.Subscript) else ""


def _may_be_secret(value: str) -> bool:
    """Tell a secret from a placeholder, a path, an address, a name or a sentence."""
    if len(value) < _SHORTEST or any(letter.isspace() for letter in value):
        return False
    if value.startswith(("/", "./", "~", "http://", "https://", "s3://", "file:")):
        return False
    if _IS_ENVIRONMENT_NAME.fullmatch(value):
        return False
    return not _PLACEHOLDER.search(value)


def _docstrings(source: Source) -> set[ast.AST]:
    found: set[ast.AST] = set()
    for node in source.nodes:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(first.value)
    return found
