"""How the Content Credentials of a video stand, in one line: read from the file itself."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tercet.credit.credentials_reading import Credentials, State, read_credentials
from tercet.flows.serve import Content

_LINES = {
    State.TRUSTED: "valid, signed by {signer}; a trusted authority vouches for it",
    State.VALID: "valid, signed by {signer}; nobody else vouches for that name",
    State.INVALID: "not valid: the file was changed after it was signed",
    State.BROKEN: "there, and cannot be read",
    State.REMOTE: "not in the file",
    State.NONE: "none",
}
_KEPT = 256  # videos whose line is remembered


def credentials_line(content: Content) -> str:
    """Return how the credentials of a video's file stand just now."""
    try:
        changed_ns = content.path.stat().st_mtime_ns
        return _line(content.path, content.media_type, changed_ns)
    except OSError:
        return "the file cannot be read"


@lru_cache(_KEPT)
def _line(path: Path, media_type: str, _changed_ns: int) -> str:
    with path.open("rb") as file:
        return line_of(read_credentials(file, media_type))


def line_of(credentials: Credentials) -> str:
    """Return credentials in a line; the signer's name is as the signer wrote it."""
    return _LINES[credentials.state].format(signer=credentials.signer or "an unnamed signer")
