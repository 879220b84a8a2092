"""llms.txt: a guide for readers by machine, with no vocabulary of permissions. It grants nothing.

Source: llmstxt.org. The file is recorded so that nobody need wonder whether it was looked at;
lines that look like a policy (``LLM-Policy:``, read by crawler-commons) are kept as evidence.
"""

from __future__ import annotations

import re

from tercet.consent.plain_text import clean
from tercet.consent.signal import Resource, Signal, declare
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.limits import TEXT_FILE_BYTES_MAX

_SPEC = ("llms_txt", "llms.txt", "2")
_POLICY = re.compile(r"[>*\-# \t]*((?:llm|ai)-policy)[ \t]*:[ \t]*(.*)", re.IGNORECASE)
_POLICIES_MAX = 20


def read_file(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return one advisory declaration for an llms.txt, none for an empty or an HTML one. Total."""
    text = raw[:TEXT_FILE_BYTES_MAX].decode("utf-8-sig", "replace")
    if not text.strip() or text.lstrip()[:15].lower().startswith(("<!doctype", "<html", "<?xml")):
        return ()
    lines = text.splitlines()
    titles = (line[2:] for line in lines if line.startswith("# "))
    evidence = {"title": clean(next(titles, ""), 200)}
    policies = [match for match in map(_POLICY.match, lines) if match]
    if policies:
        kept = (f"{match[1]}: {match[2].strip()}" for match in policies[:_POLICIES_MAX])
        evidence["policy_lines"] = clean(" | ".join(kept))
    reading = Reading((Statement(()),), note="llms.txt has no words for permissions")
    return (
        declare(
            _SPEC, raw, source, (reading,), lines=(1, max(1, len(lines))), advisory=True,
            evidence={name: value for name, value in evidence.items() if value},
        ),
    )  # fmt: skip


SIGNAL = Signal(
    name="llms_txt",
    title="llms.txt (evidence only)",
    spec=_SPEC[1],
    spec_version=_SPEC[2],
    url="https://llmstxt.org/",
    readers=((Resource.LLMS_TXT, read_file),),
)
