"""May this be registered? What a file can identify, and in words why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tercet.consent.fingerprints.fingerprint import Fingerprint, Unfit

HASH_ONLY_HINT = "--hash-only registers it by its SHA-256 alone: only the very same bytes are found"

WORDS = {
    Unfit.BLANK: "there is nothing to see or read in it",
    Unfit.LOW_TEXTURE: "too little in it is its own: a flat area, a gradient, a plain drawing",
    Unfit.SILENCE: "it is silent; a silent recording claims nothing",
    Unfit.STATIONARY: "it is the same at any moment: a tone, a hum, noise",
    Unfit.TOO_SHORT: "it is too short",
    Unfit.BOILERPLATE: "it is what many works carry: a licence, a notice, colour bars",
}


@dataclass(frozen=True, slots=True)
class Fitness:
    """What a file is good for as a reference.

    ``fit`` are the fingerprints to register; ``unfit`` names, in stable words, what is wrong with
    the others; ``refusal`` says in plain words why nothing can be found by it, "" when something
    can; ``flags`` are doubts that do not stand in the way.
    """

    fit: tuple[Fingerprint, ...]
    unfit: tuple[str, ...] = ()
    refusal: str = ""
    flags: tuple[str, ...] = ()


def fitness(fingerprints: Sequence[Fingerprint], problem: str) -> Fitness:
    """Return what the fingerprints of one file are good for; ``problem`` is what went wrong.

    A video with a blank picture is still found by its sound, and the other way round.
    """
    fit = tuple(each for each in fingerprints if not each.unfit and has_keys(each))
    reasons = sorted({reason for each in fingerprints for reason in each.unfit})
    if any(not each.unfit and not has_keys(each) for each in fingerprints):
        reasons = sorted({*reasons, Unfit.LOW_TEXTURE})
    flags = (f"not wholly looked at: {problem}",) if problem and fit else ()
    if fit:
        return Fitness(fit, tuple(map(str, reasons)), flags=flags)
    if reasons:
        why = "; ".join(WORDS[reason] for reason in reasons)
        refusal = f"it cannot identify anything: {why}"
    else:
        refusal = f"it could not be looked at: {problem or 'nothing to find it by'}"
    return Fitness((), tuple(map(str, reasons)) or ("undecodable",), refusal)


def has_keys(fingerprint: Fingerprint) -> bool:
    """Say whether anything could be found by a fingerprint."""
    return any(len(track) for track in fingerprint.tracks.values())
