"""verify, explain, compare and policies as a person at a terminal meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "tercet"
NO = "\x1b[2J\x1b]0;owned\x07https://creativecommons.org/licenses/by-nd/4.0/"
TABLE = f"""url,licence
http://a.example/1.jpg,CC0-1.0
http://a.example/2.jpg,https://creativecommons.org/licenses/by-nc/4.0/
http://a.example/3.jpg,{NO}
"""


def tercet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"HOME": str(folder), "NO_COLOR": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def cleared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cleared")
    (folder / "urls.csv").write_text(TABLE, "utf-8")
    for policy in ("strict", "research"):
        done = tercet(folder, "clear", "urls.csv", "--policy", policy, "-o", policy)
        assert done.returncode == 0, done.stderr
    return folder


def test_verify_says_what_holds(cleared: Path) -> None:
    done = tercet(cleared, "verify", "strict")
    assert done.returncode == 0
    assert "verified: signed by key" in done.stdout
    assert "--public-key" in done.stderr
    said = json.loads(tercet(cleared, "verify", "strict", "--json").stdout)
    assert said["holds"] is True
    assert {"signature", "rows", "verdicts add up"} <= {check["name"] for check in said["checks"]}


def test_verify_refuses_another_key(cleared: Path) -> None:
    done = tercet(cleared, "verify", "strict", "--public-key", "A" * 43 + "=")
    assert done.returncode == 1
    assert "DIFFERS  signature: signed with another key" in done.stdout
    assert "verified" not in done.stdout


def test_explain_quotes_without_steering_the_terminal(cleared: Path) -> None:
    done = tercet(cleared, "explain", "strict", "http://a.example/3.jpg")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_explain_by_name_and_by_position_agree(cleared: Path) -> None:
    first = tercet(cleared, "explain", "strict", "http://a.example/2.jpg", "--json").stdout
    assert first == tercet(cleared, "explain", "strict", "1", "--json").stdout
    said = json.loads(first)
    assert (said["item"], said["item_id"]) == ("http://a.example/2.jpg", 1)
    assert said["reasons"]


def test_compare_counts_every_item_once(cleared: Path) -> None:
    said = json.loads(tercet(cleared, "compare", "strict", "research", "--json").stdout)
    assert sum(count for _, _, count in said["moves"]) == 3
    assert said["changed_count"] == sum(n for old, new, n in said["moves"] if old != new)
    same = json.loads(tercet(cleared, "compare", "strict", "strict", "--json").stdout)
    assert (same["changed_count"], same["examples"]) == (0, [])


def test_policies_lists_what_clear_accepts(cleared: Path) -> None:
    said = json.loads(tercet(cleared, "policies", "--json").stdout)
    assert said[0]["id"] == "strict"
    assert {"eu-tdm", "uk", "us-licensed"} <= {policy["id"] for policy in said}
    for policy in (said[0], said[-1]):
        shown = tercet(cleared, "policies", policy["id"])
        assert shown.returncode == 0
        assert policy["title"] in shown.stdout
        assert all(source["url"] in shown.stdout for source in policy["sources"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "nowhere"), "no clearance in nowhere"),
        (("explain", "nowhere", "x"), "no clearance in nowhere"),
        (("explain", "strict", "http://a.example/9.jpg"), "no item 'http://a.example/9.jpg'"),
        (("compare", "strict", "nowhere"), "no clearance in nowhere"),
        (("policies", "nothing"), "no policy named 'nothing'"),
        (("policies", "missing.toml"), "cannot read the policy missing.toml"),
        (("explain", "strict"), "Missing argument"),
        (("nonsense",), "No such command"),
    ],
)
def test_errors_say_what_and_what_to_do(
    cleared: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = tercet(cleared, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_as_json_is_a_problem_document(cleared: Path) -> None:
    done = tercet(cleared, "verify", "nowhere", "--json")
    assert done.returncode == 2
    assert set(json.loads(done.stderr)) >= {"type", "title"}
