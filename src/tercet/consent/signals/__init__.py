"""Every permission signal, one file each. To add one: write the file, add one line here."""

from __future__ import annotations

from tercet.consent.signal import Resource, Signal
from tercet.consent.signals import (
    agreement,
    ai_txt,
    aipref,
    c2pa,
    content_signal,
    fetch_price,
    licence,
    llms_txt,
    plus,
    registry,
    robots,
    rsl,
    schema_org,
    tdm_ai,
    tdmrep,
    x_robots,
)
from tercet.core.declaration import Declaration, Source

SIGNALS: tuple[Signal, ...] = (
    robots.SIGNAL,
    aipref.SIGNAL,
    content_signal.SIGNAL,
    rsl.SIGNAL,
    tdmrep.SIGNAL,
    ai_txt.SIGNAL,
    x_robots.SIGNAL,
    plus.SIGNAL,
    c2pa.SIGNAL,
    tdm_ai.SIGNAL,
    registry.SIGNAL,
    agreement.SIGNAL,
    licence.SIGNAL,
    schema_org.SIGNAL,
    fetch_price.SIGNAL,
    llms_txt.SIGNAL,
)


def read(resource: Resource, raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return what every signal that reads ``resource`` finds in ``raw``, in registered order."""
    return tuple(
        declaration
        for signal in SIGNALS
        for kind, reader in signal.readers
        if kind is resource
        for declaration in reader(raw, source)
    )
