"""What the documents name exists: a page that names a file, a module or a name of ours stays true."""

import importlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from editor.batch.manifest import Header, Line
from editor.layers.recipes import Recipe
from editor.system.settings import Preferences
from inference.deltas import FILE_KEYS

ROOT = Path(__file__).parents[1]
PAGES = ("CONTRIBUTING.md", "README.md", "deltas/README.md", "docs/**/*.md")
TOP = ("editor", "widgets", "inference", "tests", "resources", "deltas", "docs")
PLACE = re.compile(rf"(?:\.ci|{'|'.join(TOP)})/[\w./*-]*")
FILE = re.compile(r"[A-Z]\w+\.md|pyproject\.toml|\.pre-commit-config\.yaml")
NAME = re.compile(rf"(?:{'|'.join(TOP[:4])})(?:\.\w+)+(?::\w+)?")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
MADE_ELSEWHERE = frozenset({"deltas/imported/"})  # in the user's folder, not in ours


def pages() -> list[Path]:
    return sorted({page for pattern in PAGES for page in ROOT.glob(pattern)})


def code_in(page: Path) -> Iterator[str]:
    """The words in backticks, outside of blocks; of several words each one, so that commands count."""
    for span in re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text(encoding="utf-8"))):
        yield from span.split()


def says_nothing_of(word: str) -> bool:
    """Whether nothing of the project is called so, though it looks as if."""
    if word in MADE_ELSEWHERE:
        return False
    if PLACE.fullmatch(word):
        return not any(ROOT.glob(word.rstrip("/")))
    if FILE.fullmatch(word):
        return not (ROOT / word).is_file()
    return NAME.fullmatch(word) is not None and not is_ours(word)


@cache
def is_ours(name: str) -> bool:
    """Whether "package.module", "package.module.name" or "package.module:name" is there."""
    parts = name.replace(":", ".").split(".")
    for count in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:count])
        if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
            found = importlib.import_module(".".join(parts[:count]))
            for part in parts[count:]:
                if not hasattr(found, part):
                    return part in getattr(found, "__dataclass_fields__", {})
                found = getattr(found, part)
            return True
    return False


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_everything_named_exists(page: Path) -> None:
    assert [word for word in code_in(page) if says_nothing_of(word)] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_there_are_pages_of_every_kind() -> None:
    found = {page.parent.relative_to(ROOT).as_posix() for page in pages()}
    assert {".", "docs/decisions", "docs/formats"} <= found


@pytest.mark.parametrize(
    "word",
    ["editor/nowhere.py", "docs/formats/", "inference.methods.redraw:redraw", "inference.methods.redraw:gone",
     "editor.layers.text.TextContent", "editor.layers.text.Nothing", "NOWHERE.md",
     "inference.kinds.Kind.editor"],
)  # fmt: skip
def test_what_is_not_there_is_found_out(word: str) -> None:
    gone = {"editor/nowhere.py", "inference.methods.redraw:gone", "editor.layers.text.Nothing", "NOWHERE.md"}
    assert says_nothing_of(word) == (word in gone)


def test_decisions_are_numbered_through() -> None:
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    assert [name[:4] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]


def examples(page: str, language: str) -> list[str]:
    """The blocks of a page in a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def recipes_in(value: Any) -> Iterator[Any]:
    """What stands under "recipe" anywhere in a JSON value."""
    if isinstance(value, dict):
        if value.get("recipe") is not None:
            yield value["recipe"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from recipes_in(item)


def test_recipes_of_the_pages_are_recipes() -> None:
    (plain,) = (json.loads(text) for text in examples("docs/formats/recipe.md", "json"))
    assert Recipe.from_json(plain).to_json() == plain
    (project,) = (json.loads(text) for text in examples("docs/formats/project.md", "json"))
    for recipe in recipes_in(project):
        assert Recipe.from_json(recipe).request.operation == "redraw"
    assert list(recipes_in(project))


def test_examples_of_formats_are_json() -> None:
    pages = [path for path in (ROOT / "docs/formats").glob("*.md") if path.name != "concepts.md"]
    for page in pages:
        assert [json.loads(text) for text in examples(str(page.relative_to(ROOT)), "json")], page.name


def test_lines_of_the_page_of_manifests_are_lines() -> None:
    header, line = (json.loads(text) for text in examples("docs/formats/manifest.md", "json"))
    assert Header.from_json(header).to_json() == header
    assert Line.from_json(line).to_json() == line


def test_the_page_of_settings_has_all_of_them() -> None:
    text = (ROOT / "docs/formats/settings.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    names = [item.name for item in Preferences.declared()]
    assert told[: len(names)] == names
    (example,) = (json.loads(block) for block in examples("docs/formats/settings.md", "json"))
    Preferences.from_json({name: example[name] for name in names})


def test_the_page_of_deltas_has_their_keys() -> None:
    text = (ROOT / "docs/formats/deltas.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(tokenwise_delta[\w.]+)`", text, re.MULTILINE)) == set(FILE_KEYS.values())


def test_the_declaration_that_contributors_read_is_the_one_there_is() -> None:
    (shown,) = (block for block in examples("CONTRIBUTING.md", "python") if block.startswith("Operation("))
    source = (ROOT / "inference/operations.py").read_text(encoding="utf-8")
    assert "".join(shown.split()).rstrip(")") in "".join(source.split())
