"""Write the tree in ARCHITECTURE.md from the first line of every module's docstring.

python docs/build_tree.py
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "ARCHITECTURE.md"
PACKAGE = ROOT / "src" / "tercet"
BEGIN = "<!-- tree: written by `make docs` from the modules' docstrings -->\n```text\n"
END = "```\n<!-- end of tree -->"


def first_line(file: Path) -> str:
    """Return the first sentence of the module docstring of ``file``, on one line."""
    text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return re.sub(r"\s+", " ", text.partition("\n\n")[0]).strip()


def tree_lines(folder: Path, depth: int = 0) -> list[str]:
    """Return one line for ``folder`` and one for each module below it."""
    init = folder / "__init__.py"
    about = first_line(init) if init.is_file() else ""
    lines = [_line(f"{folder.name}/", about, depth)]
    modules = [file for file in sorted(folder.glob("*.py")) if file != init]
    lines += [_line(file.name, first_line(file), depth + 1) for file in modules]
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and any(inner.glob("*.py")):
            lines += tree_lines(inner, depth + 1)
        elif inner.is_dir() and inner.name != "__pycache__" and any(inner.iterdir()):
            lines.append(_line(f"{inner.name}/", "data", depth + 1))
    return lines


def _line(name: str, about: str, depth: int) -> str:
    left = "  " * depth + name
    return f"{left:28} {about}".rstrip()


def page_with_tree(page: str) -> str:
    """Return ``page`` with the tree between its two marks written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{chr(10).join(tree_lines(PACKAGE))}\n{END}{after}"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page_with_tree(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
