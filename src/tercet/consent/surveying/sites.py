"""What is asked of one site: robots.txt first, then the files it lets us fetch, then RSL."""

from __future__ import annotations

from dataclasses import replace

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.consent.surveying.collecting import Collector
from tercet.consent.surveying.resources import ROBOTS, RSL, SITE_KINDS, Kind
from tercet.consent.surveying.targets import Target, target_of
from tercet.core.declaration import Carrier, Source
from tercet.core.limits import RSL_LINKS_MAX

_OUT_OF_REACH = (Failure.UNREACHABLE, Failure.TIMEOUT, Failure.ADDRESS_REFUSED)
_ABSENT = (Failure.CLIENT_ERROR, Failure.HTML_INSTEAD)


async def survey_site(collector: Collector, site: Target) -> list[Captured]:
    """Return the captures of one site: at least one for every resource a site is asked for.

    A site whose robots.txt cannot be reached at all is not asked for more: the other resources
    get the same failure.
    """
    robots = await collector.file(ROBOTS, replace(site, path=ROBOTS.paths[0]), site.site)
    found = [robots]
    failure = robots[0].failure
    for kind in SITE_KINDS:
        if failure in _OUT_OF_REACH:
            found.append(not_asked(kind, site, failure, robots[0].fetched_at))
        else:
            found += await _first_present(collector, kind, site)
    found += await follow_rsl(collector, [robots], site.site)
    return found


async def _first_present(collector: Collector, kind: Kind, site: Target) -> list[Captured]:
    """Ask the places a file may be at, one after the other, until one has it."""
    found: list[Captured] = []
    for path in kind.paths:
        captured = await collector.file(kind, replace(site, path=path), site.site)
        found.append(captured)
        if captured[0].failure not in _ABSENT:
            break
    return found


def not_asked(kind: Kind, site: Target, failure: Failure | None, at: str) -> Captured:
    """Return the capture of a file that was not asked for because the site is out of reach."""
    capture = Capture(
        resource=kind.resource,
        carrier=Carrier.FILE,
        site=site.site,
        uri=site.site + kind.paths[0],
        fetched_at=at,
        failure=failure,
        note="not asked for: /robots.txt of the site could not be reached",
    )
    return capture_of(capture, None)


async def follow_rsl(
    collector: Collector, captured: list[Captured], site: str, item: str = ""
) -> list[Captured]:
    """Return the RSL files that captures point to; every pointer gets exactly one capture."""
    pointers: dict[str, None] = {}
    for capture, raw in captured:
        pointers.update(dict.fromkeys(rsl_pointers(capture, raw)))
    found: list[Captured] = []
    for number, pointer in enumerate(pointers):
        target = target_of(pointer)
        if target is None or number >= RSL_LINKS_MAX:
            found.append(_unfollowed(pointer, site, item, invalid=target is None))
        else:
            found.append(await collector.file(RSL, target, site, item=item, pointer=pointer))
    return found


def rsl_pointers(capture: Capture, raw: bytes) -> list[str]:
    """Return the URLs of the RSL files a capture points to, as the RSL reader found them."""
    from tercet.consent import signals

    if not capture.raw_sha256 or capture.resource is Resource.RSL_XML:
        return []
    source = Source(capture.uri, capture.carrier, capture.fetched_at, capture.media_type)
    return [
        value
        for signal in signals.SIGNALS
        if signal.name == "rsl"
        for kind, reader in signal.readers
        if kind is capture.resource
        for declaration in reader(raw, source)
        for name, value in declaration.evidence
        if name == "licence_url"
    ]


def _unfollowed(pointer: str, site: str, item: str, *, invalid: bool) -> Captured:
    capture = Capture(
        resource=Resource.RSL_XML,
        carrier=Carrier.FILE,
        site=site,
        item=item,
        uri=pointer,
        failure=Failure.UNREACHABLE if invalid else Failure.OVERSIZE,
        note="no http or https URL" if invalid else f"more than {RSL_LINKS_MAX} RSL files",
    )
    return capture_of(capture, None)
