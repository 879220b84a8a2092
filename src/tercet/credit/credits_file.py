"""`tercet/credits@1`: who stands behind one video, each with a part of a million."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.credit import WHOLE_PARTS, Credit
from tercet.core.errors import InputError, IntegrityError
from tercet.core.version import __version__
from tercet.credit.making import Making

CREDITS_TYPE = "tercet/credits@1"
CREDITS_BYTES_MAX = 256 * 1024 * 1024  # a million works of some 250 bytes each


def credits_document(making: Making, credits_of_video: Sequence[Credit]) -> dict[str, Any]:
    """Return the document, without a signature: the same values give the same bytes.

    The largest shares stand first. No credits at all is for engines of which nobody knows what
    they have learned from. Raises IntegrityError when shares do not add up to ``WHOLE_PARTS``,
    one is negative, or a work stands there twice.
    """
    _check(credits_of_video)
    ordered = sorted(credits_of_video, key=lambda credit: (-credit.share_parts, credit.work))
    return {
        "type": CREDITS_TYPE,
        "tercet": __version__,
        **making.document(),
        "methods": sorted({credit.method for credit in ordered}),
        "whole_parts": WHOLE_PARTS,
        "credits": [asdict(credit) for credit in ordered],
    }


def read_credits(raw: bytes) -> dict[str, Any]:
    """Return the document in ``raw``, its shape and sum checked; the signature is not.

    Raises InputError when it is no `tercet/credits@1`, IntegrityError when it does not add up.
    """
    if len(raw) > CREDITS_BYTES_MAX:
        raise InputError(f"expected credits of at most {CREDITS_BYTES_MAX:,} bytes")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected credits as JSON: {error}") from error
    if not isinstance(document, dict) or document.get("type") != CREDITS_TYPE:
        raise InputError(f"expected a document of the type {CREDITS_TYPE}")
    try:
        listed = [Credit(**line) for line in document["credits"]]
        coded = document["video"]["coded_sha256"]
    except (KeyError, TypeError) as error:
        raise InputError(f"expected a whole {CREDITS_TYPE}: {error}") from error
    texts = [text for line in listed for text in (line.work, line.title, line.owner, line.licence)]
    if not isinstance(coded, dict) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"expected a whole {CREDITS_TYPE}: digests and names as text")
    _check(listed)
    return document


def credits_bytes(document: dict[str, Any]) -> bytes:
    """Return a credits document as it stands in a file: canonical JSON and one line feed."""
    return canonical_json(document) + b"\n"


def _check(credits_of_video: Sequence[Credit]) -> None:
    shares = [credit.share_parts for credit in credits_of_video]
    if not all(type(share) is int and share >= 0 for share in shares):
        raise IntegrityError("expected shares of whole parts, zero or more")
    if shares and sum(shares) != WHOLE_PARTS:
        raise IntegrityError(f"expected credits of {WHOLE_PARTS:,} parts, got {sum(shares):,}")
    if len({credit.work for credit in credits_of_video}) != len(shares):
        raise IntegrityError("expected every work once in the credits, got one twice")
