"""Drawings: rendered from their bytes alone; what is hostile is refused, soon and in words."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tercet.consent.fingerprints import image
from tercet.consent.fingerprints.fingerprint import Array, Band
from tercet.consent.fingerprints.picture_svg import ELEMENTS_MAX, SIDE_PX, rendered
from tercet.core.errors import UndecodableError

_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '


def drawing(inner: str, size: str = 'viewBox="0 0 300 200"') -> bytes:
    return f"{_HEAD}{size}>{inner}</svg>".encode()


def pixels(raw: bytes) -> Array:
    return np.asarray(cv2.imdecode(np.frombuffer(rendered(raw), np.uint8), cv2.IMREAD_UNCHANGED))


def shapes(seed: int) -> str:
    random = np.random.default_rng(seed)
    made = ['<rect width="300" height="200" fill="#888"/>']
    for x, y, r, colour in random.integers((0, 0, 3, 0), (300, 200, 25, 0xFFFFFF), (120, 4)):
        made.append(f'<circle cx="{x}" cy="{y}" r="{r}" fill="#{colour:06x}"/>')
        made.append(f'<path d="M{y} {x}l{r} 9l-{r} {r}z" fill="#{0xFFFFFF - colour:06x}"/>')
    return "".join(made)


def small_png(side: int = 8) -> bytes:
    return cv2.imencode(".png", np.full((side, side, 3), 99, np.uint8))[1].tobytes()


def data_url(raw: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(raw).decode()


def test_a_drawing_is_rendered_in_its_shape_and_colours() -> None:
    picture = pixels(drawing('<rect width="150" height="200" fill="#ff0000"/>'))
    assert picture.shape[:2] == (pytest.approx(SIDE_PX * 2 / 3, abs=1), SIDE_PX)
    assert tuple(picture[300, 100]) == (0, 0, 255, 255)
    assert picture[300, 900, 3] == 0


@pytest.mark.parametrize("unit", ["pt", "mm", "in", "pc", "cm"])
def test_a_drawing_sized_in_points_or_millimetres_is_drawn_as_one_in_pixels(unit: str) -> None:
    """Without a resolution resvg knows no size of such a page and draws nothing."""
    inner = '<rect width="2" height="2" fill="#ff0000"/>'
    found = pixels(drawing(inner, f'width="300{unit}" height="200{unit}" viewBox="0 0 3 2"'))
    assert found.shape[:2] == (pytest.approx(SIDE_PX * 2 / 3, abs=3), SIDE_PX)
    assert tuple(found[300, 300]) == (0, 0, 255, 255)
    assert found[300, 900, 3] == 0


def test_a_small_mirrored_copy_of_a_drawing_on_a_page_is_found() -> None:
    stored = image.fingerprint(rendered(drawing(shapes(1))))
    page = np.full((700, 900, 3), 240, np.uint8)
    copy = cv2.imdecode(np.frombuffer(rendered(drawing(shapes(1))), np.uint8), cv2.IMREAD_COLOR)
    page[200:440, 300:660] = cv2.resize(copy, (360, 240), interpolation=cv2.INTER_AREA)[:, ::-1]
    item = image.fingerprint(cv2.imencode(".jpg", page)[1].tobytes())
    found = image.METHOD.verify(item, 1, stored)
    assert found is not None
    assert found.band is Band.CERTAIN
    other = image.fingerprint(rendered(drawing(shapes(2))))
    assert image.METHOD.verify(item, 2, other) is None


def test_a_picture_inside_is_drawn() -> None:
    picture = pixels(drawing(f'<image href="{data_url(small_png())}" width="300" height="200"/>'))
    assert tuple(picture[picture.shape[0] // 2, SIDE_PX // 2]) == (99, 99, 99, 255)


@pytest.mark.parametrize("size", ['width="1e9" height="1e9"', 'viewBox="0 0 9e30 9e30"'])
def test_a_drawing_of_any_size_is_rendered_small(size: str) -> None:
    assert max(pixels(drawing('<rect width="9" height="9"/>', size)).shape) <= SIDE_PX


def nested(levels: int) -> bytes:
    inner = '<rect id="u0" width="3" height="3"/>'
    for level in range(levels):
        inner += f'<g id="u{level + 1}">' + f'<use xlink:href="#u{level}"/>' * 10 + "</g>"
    return drawing(f'<defs>{inner}</defs><use href="#u{levels}"/>')


def header_of_a_huge_png() -> bytes:
    raw = small_png()
    return raw[:16] + (100_000).to_bytes(4, "big") * 2 + raw[24:]


HOSTILE = {
    "billion laughs": b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    + drawing("<text>&b;</text>"),
    "external entity": b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    + drawing("<text>&a;</text>"),
    "use of use": nested(7),
    "use of itself": drawing('<g id="a"><use href="#a"/></g>'),
    "two that use each other": drawing(
        '<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'
    ),
    "address": drawing('<image href="https://example.com/a.png" width="9" height="9"/>'),
    "local file": drawing('<image xlink:href="/etc/hostname" width="9" height="9"/>'),
    "file of another drawing": drawing('<use href="other.svg#a"/>'),
    "filter that reads a file": drawing('<filter id="f"><feImage href="a.png"/></filter>'),
    "drawing in a drawing": drawing('<image href="data:image/svg+xml,%3Csvg/%3E"/>'),
    "huge picture inside": drawing(f'<image href="{data_url(header_of_a_huge_png())}"/>'),
    "script": drawing("<script>document.title</script>"),
    "foreign content": drawing("<foreignObject><p>more</p></foreignObject>"),
    "deep": drawing("<g>" * 5000 + "</g>" * 5000),
    "not well-formed": drawing("<g>"),
    "another root": b"<html><svg/></html>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_drawing_is_refused_at_once(name: str) -> None:
    started = time.process_time()
    with pytest.raises(UndecodableError) as refused:
        rendered(HOSTILE[name])
    assert refused.value.hint
    assert time.process_time() - started < 2


def test_the_most_that_may_be_drawn_is_drawn_in_seconds() -> None:
    started = time.process_time()
    assert pixels(nested(4)).shape[1] == SIDE_PX
    assert time.process_time() - started < 5
    assert ELEMENTS_MAX > 10**4


def test_no_file_beside_the_drawing_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(small_png())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UndecodableError, match="refers to"):
        rendered(drawing('<image href="a.png" width="300" height="200"/>'))
