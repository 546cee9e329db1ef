"""One Python file, read and parsed once for all rules: its tree, its names, and what runs while it is parsed.

A file may hold anything: what cannot be read is a fault, never an exception.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from airfoil.lint.fault import Edit, Fault, fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES = 4 * 1024 * 1024
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """A file that is Python."""

    name: str
    """The path as people should see it."""
    content: bytes
    """The text in UTF-8, in which the tree counts."""
    tree: ast.Module
    encoding: str = "utf-8"

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines, with their ends; as Python counts them, a form feed ends none."""
        return io.BytesIO(self.content).readlines()

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def parse_nodes(self) -> tuple[ast.AST, ...]:
        """The nodes that are evaluated while the file is parsed, in their order."""
        return tuple(_evaluated(self.tree, self))

    @cached_property
    def names(self) -> dict[str, str]:
        """What a local name stands for: `pd` -> `pandas`, `DAG` -> `airflow.sdk.DAG`."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    @cached_property
    def values(self) -> dict[str, ast.expr]:
        """Names that are bound once in the file, with what they are bound to."""
        bound = Counter(
            node.id for node in self.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )
        found: dict[str, ast.expr] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name) and bound[target.id] == 1:
                        found[target.id] = node.value
        return found

    @cached_property
    def is_dag_file(self) -> bool:
        """Whether a DAG is made here; what is slow at the top of another module is slow once."""
        return any(
            isinstance(node, ast.Call | ast.Name | ast.Attribute) and is_dag(self.dotted(_called(node)))
            for node in self.parse_nodes
        )

    def dotted(self, node: ast.AST | None) -> str:
        """Give the full name of an expression such as `pd.read_csv`; nothing for what is no name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.names.get(node.id, node.id), *reversed(parts)])

    def resolve(self, node: ast.expr | None) -> ast.expr | None:
        """Give what a name is bound to, else the expression itself."""
        if isinstance(node, ast.Name):
            return self.values.get(node.id, node)
        return node

    def is_imported(self, node: ast.AST) -> bool:
        """Tell whether a name leads to something imported."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.names

    def offset(self, line: int, column: int) -> int:
        """Turn a place of the tree into an offset in the file."""
        return sum(len(one) for one in self.lines[: line - 1]) + column

    def text_of(self, node: ast.expr) -> bytes:
        """Give the bytes of an expression."""
        start, end = self.span(node)
        return self.content[start:end]

    def span(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        """Give where an expression stands in the file."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def rename_keyword(self, keyword: ast.keyword, name: str) -> Edit:
        """Replace the name of an argument."""
        start = self.offset(keyword.lineno, keyword.col_offset)
        return Edit(start, start + len((keyword.arg or "").encode()), name.encode())

    def replace_inside(self, node: ast.expr, old: str, new: str) -> Edit | None:
        """Replace text inside a literal, when it stands there exactly once as it is."""
        start, end = self.span(node)
        text = self.content[start:end]
        if text.count(old.encode()) != 1:
            return None
        return Edit(start, end, text.replace(old.encode(), new.encode()))


def is_dag(dotted: str) -> bool:
    """Tell whether a full name is one of the homes of `DAG` and `@dag`."""
    return dotted.startswith("airflow.") and dotted.rpartition(".")[2] in {"DAG", "dag"}


def read_source(path: Path, name: str) -> Source | Fault:
    """Read and parse a file."""
    try:
        if not path.is_file():
            return fault("AF001", name, 1, "This is not a file.", "Remove it, or mend the link.")
        if path.stat().st_size > MOST_BYTES:
            mend = "Keep data out of Python files: read it inside a task."
            return fault("AF001", name, 1, f"The file is larger than {MOST_BYTES // 2**20} MiB.", mend)
        return parse_source(path.read_bytes(), name)
    except OSError as error:
        said = error.strerror or type(error).__name__
        return fault("AF001", name, 1, f"The file cannot be read: {said}.", "Make it readable for you.")


def parse_source(content: bytes, name: str) -> Source | Fault:
    """Parse the content of a file."""
    if b"\0" in content:
        return fault("AF001", name, 1, "The file is binary.", "Move it out of the folder of DAGs.")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return fault("AF001", name, line, f"The file is not {error.encoding.upper()}.", "Save it as UTF-8.")
    except SyntaxError as error:
        return fault("AF001", name, 1, f"The file cannot be decoded: {error.msg}.", "Save it as UTF-8.")
    # The tree counts columns in UTF-8 and knows no byte order mark.
    plain = content.decode(encoding).encode()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(plain.decode(), name)
            compile(
                tree, name, "exec", dont_inherit=True
            )  # sees what the grammar allows: an argument given twice
            return Source(name, plain, tree, encoding)
    except SyntaxError as error:
        return fault("AF002", name, error.lineno or 1, f"Not Python: {error.msg}.", "Correct this line.")
    except (ValueError, RecursionError, MemoryError) as error:
        said = str(error) or type(error).__name__
        return fault("AF002", name, 1, f"Python cannot read it: {said}.", "Split what is nested too deep.")


def _called(node: ast.AST) -> ast.AST:
    return node.func if isinstance(node, ast.Call) else node


def _evaluated(tree: ast.Module, source: Source) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(_children(node, source))))


def _children(node: ast.AST, source: Source) -> Iterator[ast.AST]:
    """Give what is evaluated with a node: of a function its decorators and defaults, and of a DAG's its body."""
    if isinstance(node, ast.Lambda):
        yield from (one for one in (*node.args.defaults, *node.args.kw_defaults) if one is not None)
    elif isinstance(node, FUNCTIONS):
        yield from node.decorator_list
        yield from (one for one in (*node.args.defaults, *node.args.kw_defaults) if one is not None)
        if any(is_dag(source.dotted(_called(one))) for one in node.decorator_list):
            yield from node.body
    elif isinstance(node, ast.If) and _is_not_at_parse(node.test, source):
        yield from node.orelse
    else:
        yield from ast.iter_child_nodes(node)


def _is_not_at_parse(test: ast.expr, source: Source) -> bool:
    """Tell whether a condition holds for scripts or type checkers only."""
    if source.dotted(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
        return True
    return isinstance(test, ast.Compare) and source.dotted(test.left) == "__name__"
