"""What must never be claimed: silence, blanks, test pictures and tones, licences, filler, intros.

Every one is registered, if `register` would take it, and looked for; so is what two unrelated
works share. Whatever is found is printed by name. A reference that is refused claims nothing.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bench.identify_edits import SEED
from bench.identify_media import Original
from bench.identify_trials import BANDS, Key, Plan, State, Subject, fingerprint_of, match

from bench import identify_av as files
from bench import identify_image_edits as stills
from tercet.consent.fingerprints.fingerprint import Fingerprint
from tercet.store.fingerprint_segments import FingerprintSegments

Array = np.ndarray[Any, np.dtype[Any]]
ROOMS = 100
_UNIQUE = re.compile(r"(static|noise|grain|room) \d+$")
"""Random: no two are alike, so that finding one by itself is no false claim."""
LICENCES = Path("/usr/share/common-licenses")
LOREM = (
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut"
    " labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco"
    " laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit in"
    " voluptate velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint occaecat"
    " cupidatat non proident, sunt in culpa qui officia deserunt mollit anim id est laborum."
)
NOTICES = {
    "cookies": "We use cookies to give you the best experience on our website. By continuing to"
    " use this site you agree to our use of cookies. Read our privacy policy to learn more.",
    "rights": "All rights reserved. No part of this publication may be reproduced, distributed or"
    " transmitted in any form or by any means without the prior written permission of the"
    " publisher, except in the case of brief quotations embodied in critical reviews.",
    "word": "sunset",
    "title": "The Old Man and the Sea",
    "empty": "",
    "numbers": " ".join(map(str, range(2000))),
    "alphabet": " ".join("abcdefghijklmnopqrstuvwxyz") * 40,
    "repeated": "buy now " * 500,
}


def colour_bars(height: int = 480, width: int = 640) -> Array:
    """SMPTE EG 1 colour bars, BGR: seven bars, the castellation, the pluge."""
    top = [(191, 191, 191), (0, 191, 191), (191, 191, 0), (0, 191, 0), (191, 0, 191),
           (0, 0, 191), (191, 0, 0)]  # fmt: skip
    middle = [top[6], (19, 19, 19), top[4], (19, 19, 19), top[2], (19, 19, 19), top[0]]
    bottom = [(76, 33, 0), (255, 255, 255), (106, 0, 50), (19, 19, 19), (9, 9, 9), (19, 19, 19),
              (29, 29, 29)]  # fmt: skip
    out = np.zeros((height, width, 3), np.uint8)
    for start, stop, row in ((0, 0.67, top), (0.67, 0.75, middle), (0.75, 1.0, bottom)):
        for at, colour in enumerate(row):
            x = slice(at * width // 7, (at + 1) * width // 7)
            out[round(start * height) : round(stop * height), x] = colour
    return out


def _pictures() -> Iterator[tuple[str, Any]]:
    for name, colour in (("black", 0), ("white", 255), ("grey", 128), ("blue", (200, 40, 20))):
        yield name, np.full((480, 640, 3), colour, np.uint8)
    ramp = np.linspace(0, 255, 640)
    across = np.broadcast_to(ramp[None, :, None], (480, 640, 3)).astype(np.uint8)
    y, x = np.mgrid[-1:1:480j, -1:1:640j]
    round_one = np.clip(255 - 200 * np.hypot(x, y), 0, 255)
    yield "gradient across", across.copy()
    yield "gradient down", np.rot90(across).copy()
    yield "gradient round", np.repeat(round_one[:, :, None], 3, axis=2).astype(np.uint8)
    yield "gradient, two colours", np.stack([across[:, :, 0], 255 - across[:, :, 0],
                                             np.full((480, 640), 90, np.uint8)], 2)  # fmt: skip
    yield "colour bars", colour_bars()
    yield "colour bars, large", colour_bars(720, 1280)
    yield (
        "chequered",
        np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((60, 60)))[:, :, None]
        .repeat(3, axis=2)
        .astype(np.uint8)
        * 255,
    )
    yield "stripes", (across // 32 % 2 * 255).astype(np.uint8)
    random = np.random.default_rng(SEED)
    for number in (1, 2):
        grain = random.normal(128, 3, (480, 640, 3))
        yield f"grey with grain {number}", np.clip(grain, 0, 255).astype(np.uint8)
        static = random.integers(0, 256, (480, 640, 1)).repeat(3, axis=2)
        yield f"static {number}", static.astype(np.uint8)


def _tone(hertz: float, seconds: float = 20.0) -> Array:
    at = np.arange(round(seconds * files.RATE)) / files.RATE
    return (0.5 * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def _sounds() -> Iterator[tuple[str, Any]]:
    random, count = np.random.default_rng(SEED), 20 * files.RATE
    yield "silence", np.zeros(count, np.float32)
    for hertz in (50, 440, 1000, 8000):
        yield f"tone {hertz} Hz", _tone(hertz)
    at = np.arange(count) / files.RATE
    for seconds in (5.0, 20.0):
        phase = 2 * np.pi * 20 * seconds / np.log(1000) * (1000 ** (at % seconds / seconds) - 1)
        yield f"sweep {seconds:g} s", (0.5 * np.sin(phase)).astype(np.float32)
    for number in (1, 2):
        yield f"white noise {number}", random.normal(0, 0.1, count).astype(np.float32)
        brown = np.cumsum(random.normal(0, 1, count))
        brown -= np.convolve(brown, np.ones(4410) / 4410, "same")
        yield f"brown noise {number}", (0.1 * brown / brown.std()).astype(np.float32)
        yield (
            f"hum and noise {number}",
            (0.02 * _tone(50) + random.normal(0, 3e-4, count)).astype(np.float32),
        )
    beeps = _tone(1000) * (at % 1.0 < 0.1)
    yield "time signal", beeps
    yield "clicks", (np.arange(count) % (files.RATE // 2) < 20).astype(np.float32)
    for room in range(ROOMS):  # -70 dB of full scale, each room its own colour of noise
        quiet = random.normal(0, 10 ** (-70 / 20), count)
        kernel = random.normal(0, 1, 32)
        wet = np.convolve(quiet, kernel / np.abs(kernel).sum(), "same")
        yield f"silent room {room + 1}", wet.astype(np.float32)


def _clips() -> Iterator[tuple[str, Any]]:
    for name, picture in _pictures():
        if not name.startswith(("static", "grey with")):
            yield f"{name}, still", (np.repeat(picture[None], 100, axis=0), 25.0)
    random = np.random.default_rng(SEED)
    for number in (1, 2):
        static = random.integers(0, 256, (75, 120, 160, 1)).repeat(3, axis=3).astype(np.uint8)
        yield f"static {number}", (static, 25.0)
    fade = np.linspace(255, 0, 100)[:, None, None, None]
    yield "fade to black", (np.broadcast_to(fade, (100, 240, 320, 3)).astype(np.uint8), 25.0)
    moving = [np.roll(colour_bars(240, 320), 4 * at, axis=1) for at in range(100)]
    yield "colour bars, moving", (np.stack(moving), 25.0)


def _texts() -> Iterator[tuple[str, Any]]:
    for path in sorted(LICENCES.iterdir()) if LICENCES.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            yield f"licence {path.name}", path.read_text("utf-8", "replace")
    yield "lorem ipsum", LOREM
    yield "lorem ipsum, thrice", " ".join([LOREM] * 3)
    yield from NOTICES.items()


CASES: dict[str, Callable[[], Iterator[tuple[str, Any]]]] = {
    "image": _pictures, "audio": _sounds, "video": _clips, "text": _texts,
}  # fmt: skip


def _shared(medium: str, works: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield unrelated works that all carry the same addition; the addition is no work of theirs."""
    random = np.random.default_rng(SEED)
    if medium == "image":
        for kind in ("sticker 60 %", "meme caption", "subtitle", "frame wooden"):
            for at, work in enumerate(works):
                same = np.random.default_rng(SEED)
                yield f"{kind} on work {at}", stills.EDIT_MAKERS[kind](work, same, work)
    elif medium == "audio":
        jingle = sum(_tone(hertz, 2.0) for hertz in (392, 494, 587)) / 3
        jingle = jingle * (1 - np.arange(len(jingle)) / len(jingle))
        for at, work in enumerate(works):
            yield f"jingle before work {at}", np.concatenate([jingle, work]).astype(np.float32)
    elif medium == "video":
        logo = random.integers(0, 256, (12, 16, 3)).astype(np.uint8)
        for at, (frames, rate) in enumerate(works):
            height, width = frames.shape[1:3]
            card = np.repeat(stills.resized(logo, width, height)[None], 50, axis=0)
            yield f"same card before work {at}", (np.concatenate([card, frames]), rate)
    else:
        foot = f"{NOTICES['rights']} {NOTICES['cookies']}"
        for at, work in enumerate(works):
            yield f"same foot under work {at}", f"{work}\n{foot}"


def report(subject: Subject, originals: list[Original]) -> str:
    """Register everything that must not be claimed, look for it, and say what was found."""
    cases = list(CASES[subject.medium]())
    works = [subject.load(one) for one in originals[:8]]
    lines = [_report(subject, "never to be claimed", cases, shared=False)]
    shared = list(_shared(subject.medium, works))
    lines.append(_report(subject, "works with the same addition", shared, shared=True))
    return "\n".join(lines)


def _kind(name: str) -> str:
    return re.sub(r" work \d+$| \d+$", "", name)


def _report(subject: Subject, title: str, cases: list[tuple[str, Any]], *, shared: bool) -> str:
    prints = {name: fingerprint_of(subject, subject.item(made)) for name, made in cases}
    fit = {name: found for name, found in prints.items() if isinstance(found, Fingerprint)}
    names = dict(enumerate(fit, 1))
    works = {work: Original(name, "", ()) for work, name in names.items()}
    found: list[tuple[str, str, Key]] = []
    with tempfile.TemporaryDirectory(prefix="tercet-bench-") as folder:
        store = FingerprintSegments(Path(folder))
        method = subject.method
        store.write(((w, fit[name]) for w, name in names.items()),
                    {method.name: dict(method.radii)})  # fmt: skip
        state = State(subject, Plan((), (), (), {}, {}), works, store.reader())
        for name, query in fit.items():
            for other, key in match(state, query):
                same = re.sub(r".* work ", "", name) == re.sub(r".* work ", "", other)
                itself = name == other and bool(_UNIQUE.search(name))
                if not (shared and same) and not itself:
                    found.append((name, other, key))
    bands = {band: sum(key[0] == at for _, _, key in found) for at, band in enumerate(BANDS)}
    lines = [
        f"{subject.medium}, {title}: {len(cases)} cases, {len(cases) - len(fit)} refused as unfit;"
        f" of the others found: certain {bands['certain']}, likely {bands['likely']},"
        f" possible {bands['possible']}"
    ]
    if not shared and fit:
        lines.append(f"  taken as references: {', '.join(list(fit)[:30])}")
    kinds: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for name, other, key in found:
        kinds[_kind(name), _kind(other)].append(key)
    for (name, other), keys in sorted(kinds.items(), key=lambda row: max(row[1]), reverse=True):
        counts = ", ".join(
            f"{band} {count}"
            for at, band in reversed(list(enumerate(BANDS)))
            if (count := sum(key[0] == at for key in keys))
        )
        lines.append(f"  {name} as {other}: {counts}; up to {max(keys)[1]:g}")
    return "\n".join(lines)
