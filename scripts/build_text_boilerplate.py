"""Rebuild src/tercet/consent/fingerprints/text_boilerplate.bin from texts everybody may repeat.

    python scripts/build_text_boilerplate.py \\
        --licences /usr/share/common-licenses choosealicense.com/_licenses \\
        --notices /usr/share/doc .venv/lib --passages kjv.txt

``--licences``: files or folders of licence texts, kept closely. ``--notices``: folders with
``copyright`` or ``LICENSE`` files of packages; n-grams in two different ones or more are kept.
``--passages``: long public-domain texts, kept thinly. docs/fingerprints/text.md says what the
shipped list was made of.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array
from tercet.consent.fingerprints.text_boilerplate import FILE, packed
from tercet.consent.fingerprints.text_keys import grams_of, winnowed, word_weights
from tercet.consent.fingerprints.words import words_of

LICENCE_WINDOW = 6  # any 10 words of a licence share an n-gram with the list
PASSAGE_WINDOW = 16  # any 20 words
NOTICE_TEXTS_MIN = 2
NOTICE_NAME = re.compile(r"(?i)(copyright|copying|licen[cs]e)[^/]*$")
LOREM_IPSUM = """Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor
incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation
ullamco laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit in
voluptate velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint occaecat cupidatat non
proident, sunt in culpa qui officia deserunt mollit anim id est laborum. Lorem ipsum dolor sit
amet, consetetur sadipscing elitr, sed diam nonumy eirmod tempor invidunt ut labore et dolore magna
aliquyam erat, sed diam voluptua. At vero eos et accusam et justo duo dolores et ea rebum. Stet
clita kasd gubergren, no sea takimata sanctus est Lorem ipsum dolor sit amet. Duis autem vel eum
iriure dolor in hendrerit in vulputate velit esse molestie consequat, vel illum dolore eu feugiat
nulla facilisis at vero eros et accumsan et iusto odio dignissim qui blandit praesent luptatum
zzril delenit augue duis dolore te feugait nulla facilisi. Lorem ipsum dolor sit amet, consectetuer
adipiscing elit, sed diam nonummy nibh euismod tincidunt ut laoreet dolore magna aliquam erat
volutpat. Ut wisi enim ad minim veniam, quis nostrud exerci tation ullamcorper suscipit lobortis
nisl ut aliquip ex ea commodo consequat. Nam liber tempor cum soluta nobis eleifend option congue
nihil imperdiet doming id quod mazim placerat facer possim assum. Sed ut perspiciatis unde omnis
iste natus error sit voluptatem accusantium doloremque laudantium, totam rem aperiam, eaque ipsa
quae ab illo inventore veritatis et quasi architecto beatae vitae dicta sunt explicabo."""


def texts_in(place: Path) -> Iterator[str]:
    """Yield the texts of a file, or of all files of a folder in order."""
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    for file in files:
        if file.is_file():
            yield file.read_text("utf-8", errors="replace")


def notices_in(place: Path) -> Iterator[str]:
    """Yield the licence and copyright files below a folder."""
    for file in sorted(place.rglob("*")):
        if NOTICE_NAME.match(file.name) and file.is_file() and not file.is_symlink():
            yield file.read_text("utf-8", errors="replace")


def hashes_of(text: str, window: int) -> Array:
    """Return the n-grams of ``text`` of which one is kept in every ``window``."""
    words = words_of(text)
    if not len(words):
        return np.zeros(0, np.uint64)
    grams = grams_of(words, word_weights(words))
    return grams.hashes[winnowed(grams, window, short_words=0)]


def main() -> None:
    """Read the texts, write the list, say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("licences", "notices", "passages"):
        parser.add_argument(f"--{name}", nargs="*", type=Path, default=[])
    parser.add_argument("--out", type=Path, default=FILE)
    chosen = parser.parse_args()
    licences = [text for place in chosen.licences for text in texts_in(place)]
    passages = [text for place in chosen.passages for text in texts_in(place)]
    notices = sorted({text for place in chosen.notices for text in notices_in(place)})
    lists = {
        "licences": np.concatenate([hashes_of(text, LICENCE_WINDOW) for text in licences]),
        "passages": np.concatenate([hashes_of(text, PASSAGE_WINDOW) for text in passages]),
        "lorem ipsum": hashes_of(LOREM_IPSUM, 1),
    }
    found, texts = np.unique(
        np.concatenate([np.unique(hashes_of(text, LICENCE_WINDOW)) for text in notices]),
        return_counts=True,
    )
    lists["notices"] = found[texts >= NOTICE_TEXTS_MIN]
    raw = packed(np.concatenate(list(lists.values())))
    chosen.out.write_bytes(raw)
    for name, hashes in lists.items():
        print(f"{name}: {len(np.unique(hashes)):,} n-grams")
    print(f"{chosen.out}: {len(raw):,} bytes")


if __name__ == "__main__":
    main()
