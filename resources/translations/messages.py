"""Find the texts of errors and other messages in the sources, for lupdate and for the tests.

    python resources/translations/messages.py > FILE.py     writes translate("Errors", …) for each

lupdate knows calls such as translate("Context", "text") only; `EditorError("…", "…")`, its subclasses and
`Message("…")` keep their context to themselves (see inference/messages.py).
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("editor", "inference", "widgets")
CONTEXT = "Errors"
ERROR, MESSAGE = "EditorError", "Message"


@dataclass(frozen=True)
class Call:
    """One call of a constructor: `texts` are the expressions where literals belong."""

    path: Path
    node: ast.Call
    texts: tuple[ast.expr, ...]
    scope: ast.AST  # the function, or the module, that it stands in

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.node.lineno}"

    @property
    def literals(self) -> tuple[str, ...]:
        return tuple(
            text.value
            for text in self.texts
            if isinstance(text, ast.Constant) and isinstance(text.value, str)
        )

    @property
    def values(self) -> tuple[str | None, ...]:
        """The names of what fills the gaps; None for `**`."""
        return tuple(keyword.arg for keyword in self.node.keywords)


def sources() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the application but the training of the built-in models."""
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            if "miniworld" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def calls() -> list[Call]:
    """Every call that makes a message or a user's error, in the order of the sources."""
    modules = list(sources())
    errors = _errors([tree for _, tree in modules])
    return [call for path, tree in modules for call in _calls(path, tree, tree, errors)]


def texts() -> list[str]:
    """Every literal once, in the order of the sources."""
    return list(dict.fromkeys(text for call in calls() for text in call.literals if text))


def _errors(trees: list[ast.Module]) -> frozenset[str]:
    """The names of `EditorError` and everything that inherits it."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {ERROR}
    while more := {
        node.name
        for node in classes
        if node.name not in found and found & {_name(base) for base in node.bases}
    }:
        found |= more
    return frozenset(found)


def _calls(path: Path, node: ast.AST, scope: ast.AST, errors: frozenset[str]) -> Iterator[Call]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        scope = node
    if isinstance(node, ast.Call):
        name = _name(node.func)
        if name in errors:
            yield Call(path, node, tuple(node.args[:2]), scope)
        elif name == MESSAGE:
            yield Call(path, node, tuple(node.args[:1]), scope)
    for child in ast.iter_child_nodes(node):
        yield from _calls(path, child, scope, errors)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


if __name__ == "__main__":
    for text in texts():
        sys.stdout.write(f"translate({CONTEXT!r}, {text!r})\n")
