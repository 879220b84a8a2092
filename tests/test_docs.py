"""The docs, run: Python blocks, marked command lines, links, generated pages.

How to mark a block is told in CONTRIBUTING.md, "Docs that run".
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "vectors" / "README.md",
        ROOT / "models" / "README.md",
    ]
)
BLOCK = re.compile(
    r"^(?:<!-- run(?: exit=(?P<exit>\d))? -->\n+)?```(?P<language>[a-z]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
COMMAND_S_MAX = 60


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; ``line`` counts from 1, ``marked`` tells whether it is meant to run."""

    language: str
    text: str
    line: int
    marked: bool
    exit_status: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(
            language=found["language"],
            text=found["text"],
            line=text.count("\n", 0, found.start("text")) + 1,
            marked=found.group().startswith("<!-- run"),
            exit_status=int(found["exit"] or 0),
        )
        for found in BLOCK.finditer(text)
    ]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


PYTHON_PAGES = [page for page in PAGES if any(b.language == "python" for b in blocks(page))]
COMMAND_PAGES = [page for page in PAGES if any(b.marked for b in blocks(page))]


@pytest.fixture
def work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a copy of examples/, as a reader has it in the checkout."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=name_of)
def test_python_blocks(page: Path, work_folder: Path) -> None:
    """The blocks of a page run in order and share their names, as for one who types along."""
    names: dict[str, object] = {"__name__": "__docs__"}
    for block in blocks(page):
        if block.language == "python":
            padded = "\n" * (block.line - 1) + block.text
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(padded, str(page), "exec"), names)


def commands_of(block: Block) -> list[tuple[str, list[str]]]:
    """Return each ``$ command`` with the lines it is shown to print."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


def shown(expected: list[str]) -> re.Pattern[str]:
    """Return the pattern of printed lines, where ``...`` stands for any text."""
    body = "\n".join(expected).strip()
    return re.compile(".*?".join(re.escape(part) for part in body.split("...")), re.DOTALL)


_HOMES = {"TERCET_HOME", "XDG_CONFIG_HOME"}  # a reader has none; other tests may have set them


@pytest.mark.parametrize("page", COMMAND_PAGES, ids=name_of)
def test_marked_commands(page: Path, work_folder: Path) -> None:
    scripts = str(Path(sys.executable).parent)
    own = {name: text for name, text in os.environ.items() if name not in _HOMES}
    environment = own | {
        "PATH": scripts + os.pathsep + os.environ["PATH"],
        "HOME": str(work_folder),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    for block in (block for block in blocks(page) if block.marked):
        commands = commands_of(block)
        assert commands, (
            f"{page}:{block.line}: marked to run, but has no line that begins with '$ '"
        )
        for command, expected in commands:
            done = subprocess.run(
                ["bash", "-c", command], env=environment, cwd=work_folder,
                capture_output=True, text=True, check=False, timeout=COMMAND_S_MAX,
            )  # fmt: skip
            where = f"{page}:{block.line}: {command}\n{done.stdout}{done.stderr}"
            assert done.returncode == block.exit_status, where
            assert shown(expected).search(done.stdout + done.stderr), where


def test_the_readme_is_among_them() -> None:
    assert ROOT / "README.md" in PYTHON_PAGES
    assert ROOT / "docs" / "commands" / "clear.md" in COMMAND_PAGES
    assert sum(block.language == "python" for block in blocks(ROOT / "README.md")) >= 1


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    dead = [
        found["target"]
        for found in LINK.finditer(
            re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        )
        if not re.match(r"[a-z]+:|#", found["target"])
        and not (page.parent / found["target"].partition("#")[0]).exists()
    ]
    assert not dead


@pytest.mark.parametrize("name", ["failures", "reasons"])
def test_generated_pages_are_fresh(name: str) -> None:
    build = runpy.run_path(str(ROOT / "docs" / f"build_{name}.py"))
    written = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    assert written == build[f"{name}_page"](), "run: make docs"


def test_every_reason_has_words() -> None:
    from tercet.consent.reasons import all_reasons, explain_reason

    assert not [code for code in all_reasons() if explain_reason(code) == code]


def test_architecture_tree_is_fresh() -> None:
    build = runpy.run_path(str(ROOT / "docs" / "build_tree.py"))
    written = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    assert build["BEGIN"] in written
    assert build["END"] in written
    assert written == build["page_with_tree"](written), "run: make docs"


def test_readme_names_every_signal_and_policy() -> None:
    from tercet.consent.policy_file import BUILT_IN
    from tercet.consent.signals import SIGNALS

    text = (ROOT / "README.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `([a-z0-9_-]+)` \|", text, re.MULTILINE))
    assert {signal.name for signal in SIGNALS} | set(BUILT_IN) <= rows


def test_command_pages_name_every_option() -> None:
    from tercet.cli.main import COMMANDS, tercet

    missing = {}
    for name in COMMANDS:
        page = ROOT / "docs" / "commands" / f"{name}.md"
        text = page.read_text("utf-8") if page.is_file() else ""
        command = tercet.get_command(click.Context(tercet), name)
        assert command, name
        options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
        missing[name] = [o.opts[-1] for o in options if not any(f"`{x}" in text for x in o.opts)]
    assert not {name: options for name, options in missing.items() if options}
