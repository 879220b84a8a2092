"""The lines that the docs show for the OpenAI package, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from serving import Served

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/serve.md", "docs/commands/serve.md")
BLOCK = re.compile(r"^```text\n(from openai import .*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_shown_lines_write_a_video(
    page: str, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = BLOCK.findall((ROOT / page).read_text("utf-8"))
    assert len(shown) == 1
    assert "http://127.0.0.1:8000" in shown[0]
    lines = shown[0].replace("http://127.0.0.1:8000", served.url)
    lines = re.sub(r'seconds="\d+"', 'seconds="1"', lines)
    monkeypatch.chdir(tmp_path)
    exec(compile(lines, page, "exec"), {})
    assert b"ftyp" in Path("out.mp4").read_bytes()[:12]
