"""What follows when a signal's resource could not be fetched or read.

One table decides it, for the clearing, for the survey and for the docs (docs/failures.md is
generated from it). Silence (absent) is never a grant, so "absent" is safe under `strict`;
what could not be checked is held; nothing here ever allows.
"""

from __future__ import annotations

from enum import StrEnum

from tercet.consent.signal import Resource


class Failure(StrEnum):
    """Why a resource gave no bytes that could be read."""

    UNREACHABLE = "unreachable"  # DNS, TCP or TLS failed
    CLIENT_ERROR = "client_error"  # any 4xx but 429
    TOO_MANY_REQUESTS = "too_many_requests"  # 429
    SERVER_ERROR = "server_error"  # 5xx
    WRONG_MEDIA_TYPE = "wrong_media_type"
    HTML_INSTEAD = "html_instead"  # an HTML page where a text or data file was expected
    PARSE_ERROR = "parse_error"
    OVERSIZE = "oversize"
    REDIRECT_OFF_HOST = "redirect_off_host"
    REDIRECT_LOOP = "redirect_loop"  # or more redirects than the limit
    TIMEOUT = "timeout"
    ADDRESS_REFUSED = "address_refused"  # a private, loopback or link-local address
    ROBOTS_REFUSED = "robots_refused"  # robots.txt forbids our own agent to fetch it


class Consequence(StrEnum):
    """What a failure means for the verdict."""

    ABSENT = "absent"  # as if the site had no such file: nothing is said
    READ = "read"  # the bytes are read all the same
    HELD = "held"  # could not be checked: the item is held


_DEFAULT: dict[Failure, Consequence] = {
    Failure.UNREACHABLE: Consequence.HELD,
    Failure.CLIENT_ERROR: Consequence.ABSENT,
    Failure.TOO_MANY_REQUESTS: Consequence.HELD,
    Failure.SERVER_ERROR: Consequence.HELD,
    Failure.WRONG_MEDIA_TYPE: Consequence.READ,
    Failure.HTML_INSTEAD: Consequence.ABSENT,
    Failure.PARSE_ERROR: Consequence.HELD,
    Failure.OVERSIZE: Consequence.HELD,
    Failure.REDIRECT_OFF_HOST: Consequence.HELD,
    Failure.REDIRECT_LOOP: Consequence.HELD,
    Failure.TIMEOUT: Consequence.HELD,
    Failure.ADDRESS_REFUSED: Consequence.HELD,
    Failure.ROBOTS_REFUSED: Consequence.HELD,
}

_SPECIAL: dict[tuple[Resource, Failure], Consequence] = {
    # RFC 9309 2.2.4 and 2.5: read what can be read, and stop at the limit.
    (Resource.ROBOTS_TXT, Failure.PARSE_ERROR): Consequence.READ,
    (Resource.ROBOTS_TXT, Failure.OVERSIZE): Consequence.READ,
    (Resource.ROBOTS_TXT, Failure.HTML_INSTEAD): Consequence.READ,
    # RFC 9309 2.3.1.2: redirects may lead to another authority, the rules still hold here.
    (Resource.ROBOTS_TXT, Failure.REDIRECT_OFF_HOST): Consequence.READ,
    # More than five redirects: "MAY assume that the robots.txt file is unavailable".
    (Resource.ROBOTS_TXT, Failure.REDIRECT_LOOP): Consequence.HELD,
    # A robots.txt or an item that names an RSL file which cannot be had: RSL says unlicensed.
    (Resource.RSL_XML, Failure.CLIENT_ERROR): Consequence.HELD,
    (Resource.RSL_XML, Failure.HTML_INSTEAD): Consequence.HELD,
    (Resource.RSL_XML, Failure.REDIRECT_OFF_HOST): Consequence.READ,
    # An item that answers 4xx has no headers and no page: nothing could be checked on it.
    (Resource.HTTP_HEADERS, Failure.CLIENT_ERROR): Consequence.HELD,
    (Resource.HTML, Failure.CLIENT_ERROR): Consequence.HELD,
    (Resource.HTML, Failure.HTML_INSTEAD): Consequence.READ,
    (Resource.HTML, Failure.REDIRECT_OFF_HOST): Consequence.READ,
    (Resource.HTTP_HEADERS, Failure.REDIRECT_OFF_HOST): Consequence.READ,
    # llms.txt has no permission vocabulary: whatever happens to it says nothing.
    **{(Resource.LLMS_TXT, failure): Consequence.ABSENT for failure in Failure},
}


def consequence(resource: Resource, failure: Failure) -> Consequence:
    """Return what ``failure`` to get ``resource`` means for the verdict. Total."""
    return _SPECIAL.get((resource, failure), _DEFAULT[failure])
