"""The pages and the API of letters: signing by mail, links that only persons use, no leak."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

fastapi = pytest.importorskip("fastapi", reason="the extra `server` is not installed")
from fastapi.testclient import TestClient  # noqa: E402 (after the check that it is there)

from tercet.api.letters import add_letters  # noqa: E402
from tercet.api.problems import add_problems  # noqa: E402
from tercet.flows.desk import make_desk  # noqa: E402
from tercet.flows.letter import (  # noqa: E402
    Person,
    check_export,
    sign_by_key,
    write_letter,
)
from tercet.flows.letter_service import LetterService  # noqa: E402
from tercet.flows.letter_style import STYLE  # noqa: E402
from tercet.web.letters import mount_letters  # noqa: E402

OURS = {"origin": "http://testserver"}
TYPED = {
    "name": "Trần Văn Bình <b>", "profession": "Animator", "country": "VN", "visibility": "named",
    "email": "binh@b.example",
}  # fmt: skip


@dataclass
class Served:
    """A client of a server with one letter, and its keeper's folder."""

    client: TestClient
    folder: Path
    sha256: str

    @property
    def url(self) -> str:
        return f"/letters/{self.sha256}"

    def page(self) -> str:
        return str(self.client.get(self.url).text)

    def sign(self, **changes: str) -> Any:
        return self.client.post(f"{self.url}/sign", data=TYPED | changes, headers=OURS)

    def links(self) -> list[str]:
        (path,) = (self.folder / "mail").glob("*.eml")
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        found = re.findall(r"https://\S+", message.get_content())  # type: ignore[attr-defined]
        return [f"{urlsplit(url).path}?{urlsplit(url).query}" for url in found]

    def press(self, link: str) -> Any:
        path, _, token = link.partition("?token=")
        return self.client.post(path, data={"token": token}, headers=OURS)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    desk = make_desk(tmp_path / "keeper", "Keeper")
    text = "We make films.\n\n<script>alert(1)</script> & more."
    kept = write_letter(desk, title="Our <works>", text=text, language="en")
    app = fastapi.FastAPI()
    add_letters(
        app, LetterService(desk, address="https://keeper.example", sender="office@k.example")
    )
    mount_letters(app)
    add_problems(app)
    with TestClient(app) as client:
        yield Served(client, desk.folder, kept.sha256)


def test_a_visitor_signs_confirms_and_withdraws_without_any_script(served: Served) -> None:
    assert "on its way" in served.sign().text
    to_confirm, to_withdraw = served.links()
    assert "Yes, I sign" in served.client.get(to_confirm).text  # a program that opens the link
    assert "Trần" not in served.page()  # has confirmed nothing
    assert "is confirmed" in served.press(to_confirm).text
    assert "Trần Văn Bình &lt;b&gt;" in served.page()
    assert served.press(to_confirm).status_code == 403
    assert "is withdrawn" in served.press(to_withdraw).text
    assert "Trần" not in served.page()
    assert list((served.folder / "mail").iterdir()) == []


def test_the_form_tells_nobody_whether_an_address_has_signed(served: Served) -> None:
    said = [message_in(served.sign())]
    said.append(message_in(served.sign(name="Too Soon")))
    served.press(served.links()[0])
    service = served.client.app.state.letters  # type: ignore[attr-defined]
    service.desk.clock = lambda: "2099-01-01T00:00:00Z"  # long after the last message
    said.append(message_in(served.sign(name="Somebody Else")))
    said.append(message_in(served.sign(email="new@b.example")))
    assert len(set(said)) == 1
    assert "Somebody Else" not in served.page()
    assert "Too Soon" not in served.page()


def message_in(answer: Any) -> str:
    assert answer.status_code == 200
    found = re.search(r'role="status"><p>(.*?)</p>', answer.text)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.example\r\nBcc: x@y.example"}, "email"),
        ({"name": "  "}, "name"),
        ({"name": "a\u202eb"}, ""),
        ({"country": "XX"}, "country"),
        ({"visibility": ""}, "visibility"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    served: Served, changes: dict[str, str], field: str
) -> None:
    answer = served.sign(**changes)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    if field and field != "visibility":
        assert f'href="#{field}"' in answer.text
    assert 'value="Animator"' in answer.text
    assert not (served.folder / "mail").exists()


def test_another_site_cannot_sign_for_a_visitor(served: Served) -> None:
    for headers in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = served.client.post(f"{served.url}/sign", data=TYPED, headers=headers)
        assert answer.status_code == 403
    assert not (served.folder / "mail").exists()


def test_a_page_runs_and_loads_nothing(served: Served) -> None:
    answer = served.client.get(served.url)
    policy = answer.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy
    assert f"<style>{STYLE}</style>" in answer.text
    assert not re.search(r"<script|<link|<img|\bsrc=|url\(|@import|\sstyle=|\son\w+=", answer.text)
    assert "&lt;script&gt;" in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_api_gives_the_signed_export_and_takes_signatures_by_key(
    served: Served, tmp_path: Path
) -> None:
    (listed,) = served.client.get("/v1/letters").json()["data"]
    assert listed["sha256"] == served.sha256
    signer = make_desk(tmp_path / "signer", "Composer")
    parcel = sign_by_key(signer, served.sha256, Person("Ánh"))
    answer = served.client.post(f"/v1/letters/{served.sha256}/signatures", json=parcel)
    assert answer.status_code == 201
    found = check_export(served.client.get(f"/v1/letters/{served.sha256}").json(), signer.clock())
    assert (found.counts.verified, found.counts.unverified) == (0, 1)
    altered = parcel | {"document": parcel["document"] | {"name": "Else"}}
    answer = served.client.post(f"/v1/letters/{served.sha256}/signatures", json=altered)
    assert answer.status_code == 403
    assert served.client.post(f"/v1/letters/{'0' * 64}/signatures", json=parcel).status_code in {
        400,
        404,
    }


def test_what_is_not_there_is_a_page_that_says_so(served: Served) -> None:
    answer = served.client.get(f"/letters/{'0' * 64}")
    assert answer.status_code == 404
    assert "<h1>no letter" in answer.text
    assert served.client.get(f"{served.url}/confirm?token=nothing").status_code == 403


COLOURS = re.compile(r"--(\w+): (#[0-9a-f]{6})")
PAIRS = [("ink", "paper"), ("soft", "paper"), ("link", "paper"), ("on", "act"), ("ink", "panel"),
         ("soft", "panel")]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1; 1.4.11: 3 to 1 for the edges of fields."""
    light, dark = STYLE.split("prefers-color-scheme: dark", 1)
    colours = dict(COLOURS.findall(light))
    colours |= dict(COLOURS.findall(dark.split("}", 1)[0])) if scheme == "dark" else {}
    for ink, ground in PAIRS:
        assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert _contrast(colours["edge"], colours["paper"]) >= 3


def _contrast(one: str, other: str) -> float:
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
