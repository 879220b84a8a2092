"""The methods, one for each medium. A new medium is one file and one line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from tercet.consent.fingerprints.fingerprint import Method
from tercet.core.work import Medium

_ROOMS = {
    Medium.IMAGE: "tercet.consent.fingerprints.image",
    Medium.VIDEO: "tercet.consent.fingerprints.video",
    Medium.AUDIO: "tercet.consent.fingerprints.audio",
    Medium.TEXT: "tercet.consent.fingerprints.text",
}


@cache
def method_for(medium: Medium) -> Method:
    """Return the method that recognises ``medium``; its libraries are loaded now."""
    return cast("Method", import_module(_ROOMS[medium]).METHOD)


def method_named(name: str) -> Method | None:
    """Return the method of a versioned name ("image-1"); None when it is not used (any more)."""
    medium = name.partition("-")[0]
    if medium not in set(Medium):
        return None
    method = method_for(Medium(medium))
    return method if method.name == name else None
