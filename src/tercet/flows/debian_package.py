"""Debian packages: fetched with apt, read as a stream. Nothing is installed, nothing needs root.

A package is an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*`: deb(5), ar(5).
Files are given one by one; nobody writes to a path that stands in a package.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from tercet.core.errors import InputError, IntegrityError, UncheckedError

MEMBERS_MAX = 100_000
MEMBER_BYTES_MAX = 64 * 1024 * 1024
TOTAL_BYTES_MAX = 4 * 1024 * 1024 * 1024
DOWNLOAD_SECONDS_MAX = 900
_AR_MAGIC = b"!<arch>\n"
_AR_HEADER_BYTES = 60
_OPENERS: dict[str, Any] = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}
_LINKS_MAX = 8  # from link to link, before it counts as leading nowhere


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file of a package: its path from the root, without a leading slash, and its bytes."""

    path: str
    raw: bytes


def download_package(name: str, into: Path) -> Path:
    """Fetch a package with `apt-get download` and return where it lies in ``into``.

    apt checks the archive's signature. Raises InputError where there is no apt, or no such
    package; UncheckedError when the download fails.
    """
    if shutil.which("apt-get") is None:
        raise InputError(
            f"expected apt-get to fetch the package {name}, found none on this machine",
            hint=f"fetch {name} on a Debian machine (apt-get download {name}) and name the file "
            "with --package FILE.deb",
        )
    into.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="apt-", dir=into) as work:
        found = _downloaded(name, Path(work))
        return found.replace(into / found.name)


def _downloaded(name: str, work: Path) -> Path:
    try:
        done = subprocess.run(
            ["apt-get", "download", "-q", name],
            cwd=work,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UncheckedError(
            f"apt-get did not fetch {name} within {DOWNLOAD_SECONDS_MAX} s",
            hint="start the same command again, or name a file with --package",
        ) from error
    found = sorted(work.glob("*.deb"))
    if done.returncode or not found:
        said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        raise UncheckedError(
            f"apt-get could not fetch {name}: {said[-1][3:] if said else 'it gave no file'}",
            hint="bring the package lists up to date with `apt-get update` as root, or name a "
            "file with --package FILE.deb",
        )
    return found[0]


def package_files(package: Path, wanted: Callable[[str], bool]) -> Iterator[PackagedFile]:
    """Yield the files of a package whose path is ``wanted``; then the links to such files.

    A link is given as a file of its own with the bytes it leads to. Raises InputError when it is
    no Debian package, IntegrityError when it is damaged, too large, or leads out of itself.
    """
    held: dict[str, bytes] = {}
    links: dict[str, str] = {}
    try:
        with _data_stream(package) as tar:
            yield from _regular_files(tar, wanted, held, links)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
        raise _damaged(package, str(error)) from error
    except OSError as error:
        raise _damaged(package, error.strerror or str(error)) from error
    for path in sorted(links):
        raw = held.get(_target(path, links))
        if raw is not None and wanted(path):
            yield PackagedFile(path, raw)


def _regular_files(
    tar: tarfile.TarFile,
    wanted: Callable[[str], bool],
    held: dict[str, bytes],
    links: dict[str, str],
) -> Iterator[PackagedFile]:
    """Yield the plain files; note the links, and the bytes that a link may lead to."""
    total = 0
    for count, member in enumerate(tar, 1):
        path = inside(member.name)
        if member.issym():
            links[path] = inside(os.path.join(os.path.dirname(path), member.linkname), path)
        elif member.islnk():
            links[path] = inside(member.linkname, path)
        elif member.isfile() and wanted(path):
            total += member.size
            if member.size > MEMBER_BYTES_MAX or total > TOTAL_BYTES_MAX or count > MEMBERS_MAX:
                raise IntegrityError(
                    f"the package is larger than is read: {path} brings it to {count:,} members "
                    f"and {total:,} bytes",
                    hint=f"at most {MEMBERS_MAX:,} members and {TOTAL_BYTES_MAX:,} bytes are read",
                )
            file = tar.extractfile(member)
            held[path] = file.read() if file else b""
            yield PackagedFile(path, held[path])


def inside(path: str, of: str = "") -> str:
    """Return a path of an archive in its plain form.

    Raises IntegrityError when it leads out of the archive, or is absolute.
    """
    plain = os.path.normpath(path)
    if os.path.isabs(plain) or plain.split("/")[0] == ".." or "\0" in path:
        what = f"the link {of!r} leads to" if of else "it holds a file with the path"
        raise IntegrityError(
            f"the package is refused: {what} {path!r}, which is outside of it",
            hint="take the package from where it is published",
        )
    return plain


def _target(path: str, links: dict[str, str]) -> str:
    for _ in range(_LINKS_MAX):
        if path not in links:
            return path
        path = links[path]
    return ""


@contextmanager
def _data_stream(package: Path) -> Iterator[tarfile.TarFile]:
    """Open the files of a package as a tar stream."""
    name, packed = _data_member(package)
    compression = name.removeprefix("data.tar")
    if compression in _OPENERS:
        with (
            _OPENERS[compression](io.BytesIO(packed)) as plain,
            tarfile.open(fileobj=plain, mode="r|") as tar,
        ):
            yield tar
            _read_to_end(plain, package)
        return
    if shutil.which("dpkg-deb") is None:
        raise InputError(
            f"{package} is packed as {name}, which is not read without dpkg-deb",
            hint="install dpkg, or repack the package with xz",
        )
    command = ["dpkg-deb", "--fsys-tarfile", str(package.resolve())]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as tar,
    ):
        yield tar


def _read_to_end(plain: IO[bytes], package: Path) -> None:
    """Read what follows the files, so that the checksums of the compression are compared."""
    left = TOTAL_BYTES_MAX
    while piece := plain.read(1024 * 1024):
        left -= len(piece)
        if left < 0:
            raise _damaged(package, f"more than {TOTAL_BYTES_MAX:,} bytes behind its files")


def _data_member(package: Path) -> tuple[str, bytes]:
    """Return the name and the bytes of the member that holds the package's files."""
    with package.open("rb") as file:
        if file.read(len(_AR_MAGIC)) != _AR_MAGIC:
            raise InputError(
                f"expected a Debian package, got {package}, which is no ar archive",
                hint="name a file that ends in .deb",
            )
        while len(header := file.read(_AR_HEADER_BYTES)) == _AR_HEADER_BYTES:
            name = header[:16].decode("ascii", "replace").strip().rstrip("/")
            size = header[48:58].strip()
            if header[58:] != b"`\n" or not size.isdigit():
                raise _damaged(package, "a header of the ar archive")
            if name.startswith("data.tar"):
                packed = file.read(min(int(size), TOTAL_BYTES_MAX))
                if len(packed) < int(size):
                    raise _damaged(package, f"{name} has {len(packed):,} of {int(size):,} bytes")
                return name, packed
            file.seek(int(size) + int(size) % 2, os.SEEK_CUR)
    raise _damaged(package, "it has no data.tar")


def _damaged(package: Path, what: str) -> IntegrityError:
    return IntegrityError(
        f"cannot read the package {package.name}: {what}", hint="fetch it again: it is damaged"
    )
