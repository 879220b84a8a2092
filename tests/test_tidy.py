"""The house rules, checked: sizes, names, docstrings, one room for one thing, lint and types."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tercet.cli.main import COMMANDS
from tercet.consent.signals import SIGNALS

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests", "bench", "fuzz", "docs", "scripts", "examples")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
SOURCES = [file for file in FILES if file.is_relative_to(ROOT / "src")]

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
LINE_CHARACTERS_MAX = 100
BANNED_WORDS = {"manager", "helper", "helpers", "util", "utils", "handler", "misc", "common"}
LEFTOVERS = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b|NotImplemented[E]rror")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), filename=str(file))


def words_of(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def public_nodes(tree: ast.Module) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Public module-level classes and functions, and the public methods of those classes."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, Function) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


def swallows(node: ast.AST) -> bool:
    """Tell whether ``node`` drops an error on the floor."""
    if isinstance(node, ast.ExceptHandler):
        return all(isinstance(inner, ast.Pass) for inner in node.body)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return any(ast.unparse(kind) in {"Exception", "BaseException"} for kind in node.args)
    return False


def run(*command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_rules_see_the_house() -> None:
    assert len(SOURCES) > 10
    assert name_of(ROOT / "tests" / "test_tidy.py") in {name_of(file) for file in FILES}


BAD = """
class RowManager:
    def public(self): ...
    def _private(self): ...
try:
    work()
except ValueError:
    pass
with contextlib.suppress(Exception):
    work()
"""


def test_the_rules_catch_what_they_are_for() -> None:
    tree = ast.parse(BAD)
    assert [node.lineno for node in ast.walk(tree) if swallows(node)] == [7, 9]
    assert words_of("RowManager") & BANNED_WORDS == {"manager"}
    assert not words_of("HTTPManagement") & BANNED_WORDS
    assert [name for name, _ in public_nodes(tree)] == ["RowManager", "RowManager.public"]
    assert LEFTOVERS.search("# FIX" + "ME: later")
    assert not LEFTOVERS.search("TXXX")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_sizes(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    assert len(lines) <= FILE_LINES_MAX, f"{name_of(file)} has {len(lines)} lines"
    long = [
        f"{at}: {len(line)}" for at, line in enumerate(lines, 1) if len(line) > LINE_CHARACTERS_MAX
    ]
    assert not long, f"lines too long in {name_of(file)}: {long}"
    functions = [node for node in ast.walk(tree_of(file)) if isinstance(node, Function)]
    spans = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    assert not {name: span for name, span in spans.items() if span > FUNCTION_LINES_MAX}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nothing_swallowed_or_left_over(file: Path) -> None:
    swallowed = [getattr(node, "lineno", 0) for node in ast.walk(tree_of(file)) if swallows(node)]
    assert not swallowed, f"{name_of(file)} drops errors at lines {swallowed}"
    assert not LEFTOVERS.findall(file.read_text("utf-8"))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_names_say_something(file: Path) -> None:
    classes = [node.name for node in ast.walk(tree_of(file)) if isinstance(node, ast.ClassDef)]
    bad = [name for name in (*classes, file.stem) if words_of(name) & BANNED_WORDS]
    assert not bad, f"names that say nothing in {name_of(file)}: {bad}"


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_public_names_have_docstrings(file: Path) -> None:
    tree = tree_of(file)
    assert ast.get_docstring(tree), f"{name_of(file)} does not say what it is"
    bare = [name for name, node in public_nodes(tree) if not ast.get_docstring(node)]
    assert not bare, f"without a docstring in {name_of(file)}: {bare}"


def test_no_module_is_dead() -> None:
    """Every module is imported by another one, or is where a command or a worker begins."""
    entries = {
        "tercet.__main__",
        "tercet.cli.main",
        *(f"tercet.cli.{command}" for command in COMMANDS),
    }
    texts = {file: file.read_text("utf-8") for file in SOURCES}
    dead = []
    for file in SOURCES:
        parts = file.relative_to(ROOT / "src").with_suffix("").parts
        if parts[-1] == "__init__" or ".".join(parts) in entries:
            continue
        package, name = ".".join(parts[:-1]), parts[-1]
        used = re.compile(
            rf"{re.escape(package)}\.{name}\b"
            rf"|from {re.escape(package)} import [^#\n]*\b{name}\b"
            rf"|from {re.escape(package)} import \([^)]*\b{name}\b"
        )
        if not any(used.search(text) for other, text in texts.items() if other != file):
            dead.append(name_of(file))
    assert not dead


@pytest.mark.parametrize("signal", [signal.name for signal in SIGNALS])
def test_a_signal_is_one_room(signal: str) -> None:
    wanted = (
        f"src/tercet/consent/signals/{signal}.py",
        f"docs/signals/{signal}.md",
        f"vectors/{signal}.json",
        f"tests/consent/signals/test_{signal}.py",
    )
    missing = [path for path in wanted if not (ROOT / path).is_file()]
    assert not missing


def test_every_signal_file_is_registered() -> None:
    rooms = {
        file.stem
        for file in (ROOT / "src/tercet/consent/signals").glob("*.py")
        if re.search(r"^SIGNAL\b.* = Signal\(", file.read_text("utf-8"), re.MULTILINE)
    }
    assert rooms == {signal.name for signal in SIGNALS}
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)


def test_every_command_has_its_page() -> None:
    pages = {file.stem for file in (ROOT / "docs" / "commands").glob("*.md")} - {"README"}
    assert pages == set(COMMANDS)


def test_ruff() -> None:
    status, output = run("ruff", "check", ".")
    assert status == 0, output


def test_ruff_format() -> None:
    status, output = run("ruff", "format", "--check", ".")
    assert status == 0, output


def test_types() -> None:
    status, output = run("mypy")
    assert status == 0, output


def test_import_rule() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
