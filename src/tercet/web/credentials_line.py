"""How the Content Credentials of a video stand, in one line: read from the file itself."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tercet.core.errors import InputError
from tercet.flows.check import STANDINGS, CheckedVideo, Standing, check_video

_SIGNED = {
    Standing.INTACT: "not altered since {signer} signed it",
    Standing.UNKNOWN_SIGNER: "not altered since {signer} signed it; nobody whom this server trusts"
    " vouches for that name",
}
_KEPT = 256  # videos whose line is remembered while the file is the same


def credentials_line(path: Path) -> str:
    """Return how the credentials of a video's file stand just now."""
    try:
        return _line(path, path.stat().st_mtime_ns)
    except (OSError, InputError):
        return "the file cannot be read"


@lru_cache(_KEPT)
def _line(path: Path, _changed_ns: int) -> str:
    return line_of(check_video(path))


def line_of(checked: CheckedVideo) -> str:
    """Return what was found of a video; every check that does not hold is named."""
    words = _SIGNED.get(checked.standing, STANDINGS[checked.standing])
    failed = [f"{check.name} ({check.found})" for check in checked.checks if not check.holds]
    line = words.format(signer=checked.credentials.signer or "an unnamed signer")
    return f"{line}. These do not hold: {', '.join(failed)}" if failed else line
