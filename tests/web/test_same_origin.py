"""Who may change things: our own pages, whatever a browser lets other sites send."""

from __future__ import annotations

import pytest

from tercet.core.errors import RefusedError
from tercet.web.same_origin import check_same_origin

HOST = "studio.example:8000"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin", "origin": "http://studio.example:8000"},
        {"origin": "http://studio.example:8000"},
        {"origin": "https://STUDIO.example:8000"},
    ],
)
def test_our_own_pages_may(headers: dict[str, str]) -> None:
    check_same_origin(headers | {"host": HOST})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://studio.example"},
        {"origin": "http://studio.example:8000.evil.example"},
        {"origin": "http://evil.example/?studio.example:8000"},
        {"origin": "http://user@studio.example:8000"},
        {"origin": "http://[broken"},
        {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
        {"origin": "http://studio.example:8000", "sec-fetch-site": "cross-site"},
        {"referer": "http://studio.example:8000/"},
    ],
)
def test_others_may_not(headers: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        check_same_origin(headers | {"host": HOST})


def test_no_host_is_nobodys_page() -> None:
    with pytest.raises(RefusedError):
        check_same_origin({"origin": "http://"})
