"""From raw bytes to verdict: a denial, also a malformed one, never ends in ``cleared``.

Each case is one text of a site or an item, judged by ``strict`` and by ``eu-tdm``, which differ
most: under the first silence blocks, under the second it clears.
"""

from __future__ import annotations

import pytest

from tercet.consent.capture import Capture, capture_of
from tercet.consent.failures import Failure
from tercet.consent.paths import normalise_path
from tercet.consent.policy import decide
from tercet.consent.policy_file import built_in
from tercet.consent.rulebook import SITE_RESOURCES, compile_rulebook
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.core.usage import Usage
from tercet.core.verdict import Outcome

SITE = "https://example.org"
CARRIERS = {
    Resource.HTTP_HEADERS: Carrier.HEADER,
    Resource.HTML: Carrier.META,
    Resource.METADATA: Carrier.EMBEDDED,
    Resource.LICENCE_TEXT: Carrier.TABLE,
}
CC = "https://creativecommons.org/"
ROBOTS, HEADERS = Resource.ROBOTS_TXT, Resource.HTTP_HEADERS
EVERYBODY = "User-agent: *\nAllow: /\n"

NEVER = [
    (ROBOTS, "\ufeffUser-agent: GPTBot\nDisallow: /"),
    (ROBOTS, "User-agent: GPTBot\rDisallow: /\r"),
    (ROBOTS, "User-agent: foo, gptbot , bar\nDisallow: /"),
    (ROBOTS, "User-agent: Google-Extended/1.0\nDisallow: /"),
    (ROBOTS, "User-agent: GPTBot\nCrawl-delay: 5\nUser-agent: foobot\nDisallow: /"),
    (ROBOTS, "User-agent: *\nCrawl-delay: 5\nUser-agent: GPTBot\nDisallow: /"),
    (ROBOTS, "User-agent GPTBot\nDisallow /"),
    (ROBOTS, "User-agent: *\nDisallow: /%61"),
    (ROBOTS, "User-agent: *\nDisallow: a"),
    (ROBOTS, "User-agent: *\nDisallow: https://example.org/"),
    (ROBOTS, "User-agent: *\nDisallow: /\nUser-agent: GPTBot\nAllow: /"),
    (ROBOTS, EVERYBODY + "License: https://example.org/license.xml"),
    (ROBOTS, EVERYBODY + "Content-Signal: AI-Train = NO"),
    (ROBOTS, EVERYBODY + "Content-Signal: ai-train==no"),
    (ROBOTS, EVERYBODY + "Content-Signal: search=yes ai_train=no"),
    (ROBOTS, "User-agent: Googlebot\nContent-Signal: ai-train=no\nAllow: /"),
    (ROBOTS, EVERYBODY + "Content-Signal: ai-train=yes\nUser-agent: x\nContent-Signal: ai-train=n"),
    (ROBOTS, EVERYBODY + "Content-Usage: Train-AI=n"),
    (ROBOTS, "User-agent: *\nContent-Usage: /a train-ai=n\nContent-Usage: /a train-ai=y\nAllow: /"),
    *((HEADERS, f"Content-Usage: {value}") for value in (
        "train-ai=n", "TRAIN-AI=n", "train-ai=n,", 'train-ai="n"', "train-ai=?0", "train-ai = n",
        "train-ai=y, train-ai=n", "train-ai=n;x=1", "ai-train=n", "train-ai=y, ai-train=n",
        "train-ai=y\r\nContent-Usage: train-ai=n", "train-ai=y\r\nContent-Usage: =",
    )),
    *((HEADERS, f"X-Robots-Tag: {value}") for value in (
        "NoAI", "max-snippet:50, noai", "unavailable_after: Friday, 25-Jun-27 15:00:00 GMT, noai",
        "noai\r\nX-Robots-Tag: all", "GPTBot: noindex, noai", "no-ai", "noai noimageai",
    )),
    *((HEADERS, f"tdm-reservation: {value}") for value in (
        "1", '"1"', "0, 1", "1\r\ntdm-reservation: 0", "true", "yes", "01",
    )),
    *((Resource.TDMREP_JSON, text) for text in (
        '[{"location":"/","tdm-reservation":1}]', '{"location":"/","tdm-reservation":"1"}',
        '[{"location":"/","tdm-reservation":true},]', '[{"tdm-reservation":1}]',
        '[{"location":"/","tdm-reservation":0,"tdm-reservation":1}]', "", "not json",
        '[{"Location":"/","TDM_Reservation":1}]', "[{'location':'/','tdm-reservation':1}]",
    )),
    (Resource.METADATA, f'{{{{"TXXX:tdm-reservation":"1","WCOP":"{CC}licenses/by/4.0/"}}}}'),
    (Resource.HTML, '<META NAME=" tdm-reservation " CONTENT=" &#49; ">'),
]  # fmt: skip


def verdicts(resource: Resource, text: str, path: str = "/a") -> list[Outcome]:
    """Return what ``strict`` and ``eu-tdm`` say of a path when one text is all there is."""
    raw = text.encode()
    of_site = resource in SITE_RESOURCES
    site = [
        capture_of(Capture(kind, Carrier.FILE, site=SITE, failure=Failure.CLIENT_ERROR), None)
        for kind in SITE_RESOURCES
        if kind is not resource
    ]
    carrier = CARRIERS.get(resource, Carrier.FILE)
    said = capture_of(Capture(resource, carrier, site=SITE, uri=SITE + path), raw)
    books = [
        compile_rulebook([*site, said] if of_site else site, Usage.TRAIN_GENERATIVE, of_site=True),
        compile_rulebook([] if of_site else [said], Usage.TRAIN_GENERATIVE, of_site=False),
    ]
    first, second = (book.at(normalise_path(path.encode())).facts for book in books)
    return [decide(first | second, built_in(name)).outcome for name in ("strict", "eu-tdm")]


@pytest.mark.parametrize(("resource", "text"), NEVER)
def test_a_denial_is_never_cleared(resource: Resource, text: str) -> None:
    assert Outcome.CLEARED not in verdicts(resource, text)


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: GPTBot\nContent-Usage: train-ai=y\nAllow: /",
        "User-agent: Googlebot\nContent-Signal: ai-train=yes\nAllow: /",
        "User-agent: ClaudeBot\nUser-agent: GPTBot\nContent-Signal: ai-train=yes\nAllow: /",
    ],
)
def test_flaw_what_one_crawler_is_allowed_is_taken_for_a_grant_to_all(text: str) -> None:
    assert verdicts(ROBOTS, text) == [Outcome.BLOCKED, Outcome.CLEARED], "silence, no grant"


@pytest.mark.parametrize("agent", ["*", "TercetBot", "GPTBot\nUser-agent: *"])
def test_a_grant_to_everybody_or_to_us_is_one(agent: str) -> None:
    text = f"User-agent: {agent}\nContent-Usage: train-ai=y\nAllow: /"
    assert verdicts(ROBOTS, text) == [Outcome.CLEARED, Outcome.CLEARED]


def test_a_grant_to_one_crawler_still_lifts_its_own_denial() -> None:
    text = "User-agent: GPTBot\nContent-Usage: train-ai=n\nContent-Usage: /a/ train-ai=y\nAllow: /"
    assert verdicts(ROBOTS, text, "/b") == [Outcome.BLOCKED, Outcome.BLOCKED]
    assert verdicts(ROBOTS, text, "/a/b") == [Outcome.BLOCKED, Outcome.CLEARED]
