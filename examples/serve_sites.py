"""A loopback server that plays many sites, chosen by the Host header. For tours and tests.

    python examples/serve_sites.py [PORT]               until interrupted
    python examples/serve_sites.py 0 COMMAND {port} ... while the command runs, told the port

Each folder of examples/sites is a host. Its files are served as they stand, but for site.toml:

    about = "What this site shows."

    [media]                       # paths served from a folder of media files
    "/photos/harbour.jpg" = "image/demo.jpg"

    [[answers]]                   # the first whose path fits; a * at the end fits any rest
    path = "/photos/*"
    status = 200
    headers = { TDM-Reservation = "1" }

The sites' URLs name no port: a survey comes here by `--resolve '*=127.0.0.1:PORT'`.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITES = Path(__file__).resolve().parent / "sites"
MEDIA_TYPES = {
    ".txt": "text/plain; charset=utf-8", ".html": "text/html; charset=utf-8",
    ".json": "application/json", ".xml": "application/rsl+xml", ".jpg": "image/jpeg",
    ".png": "image/png", ".gif": "image/gif", ".tif": "image/tiff", ".mp4": "video/mp4",
    ".webm": "video/webm", ".mp3": "audio/mpeg", ".pdf": "application/pdf",
    ".epub": "application/epub+zip",
}  # fmt: skip
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is special about the answers for some paths; status 0 leaves it as it comes."""

    path: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def fits(self, path: str) -> bool:
        """Tell whether this is the answer for ``path``."""
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path


@dataclass(frozen=True, slots=True)
class Site:
    """One host: its folder, its media by path, its special answers."""

    folder: Path
    about: str
    media: dict[str, Path]
    answers: tuple[Answer, ...]

    def special(self, path: str) -> Answer:
        """Return the first answer that fits ``path``, else one that changes nothing."""
        return next((answer for answer in self.answers if answer.fits(path)), Answer(path))

    def file(self, path: str) -> Path | None:
        """Return the file served at ``path``; never one outside the folder, nor site.toml."""
        if path in self.media:
            return self.media[path]
        found = (self.folder / path.lstrip("/")).resolve()
        inside = found.is_relative_to(self.folder.resolve()) and found.name != "site.toml"
        return found if inside and found.is_file() else None


def load_sites(folder: Path, media: Path) -> dict[str, Site]:
    """Return the sites below ``folder`` by host name; ``media`` holds the files they name."""
    sites = {}
    for file in sorted(folder.glob("*/site.toml")):
        written = tomllib.loads(file.read_text("utf-8"))
        sites[file.parent.name] = Site(
            folder=file.parent,
            about=written["about"],
            media={path: media / name for path, name in written.get("media", {}).items()},
            answers=tuple(Answer(**each) for each in written.get("answers", ())),
        )
    return sites


def cut(raw: bytes, asked: str) -> tuple[int, bytes, str]:
    """Return status, body and Content-Range for a Range header (RFC 9110 section 14)."""
    found = _RANGE.match(asked)
    if not found or not any(found.groups()):
        return 200, raw, ""
    first, last = found.groups()
    start = int(first) if first else max(0, len(raw) - int(last))
    end = min(int(last), len(raw) - 1) if first and last else len(raw) - 1
    if start > end:
        return 416, b"", f"bytes */{len(raw)}"
    return 206, raw[start : end + 1], f"bytes {start}-{end}/{len(raw)}"


def answers_for(sites: dict[str, Site]) -> type[BaseHTTPRequestHandler]:
    """Return the class that answers requests to ``sites``."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "example-sites"

        def do_GET(self) -> None:
            site = sites.get(self.headers.get("Host", "").partition(":")[0].lower())
            path = self.path.partition("?")[0]
            file = site.file(path) if site else None
            special = site.special(path) if site else Answer(path, 421)
            raw = file.read_bytes() if file else b"not found\n"
            kind = (
                MEDIA_TYPES.get(file.suffix, "application/octet-stream") if file else "text/plain"
            )
            self.answer(special, 200 if file else 404, raw, kind)

        do_HEAD = do_GET  # noqa: N815

        def answer(self, special: Answer, status: int, raw: bytes, kind: str) -> None:
            tag = f'"{hashlib.sha256(raw).hexdigest()[:16]}"'
            status, part, extent = special.status or status, raw, ""
            if status == 200 and self.headers.get("If-None-Match") == tag:
                status, part = 304, b""
            elif status == 200 and "Range" in self.headers:
                status, part, extent = cut(raw, self.headers["Range"])
            headers = {"Content-Type": kind, "ETag": tag, "Accept-Ranges": "bytes"}
            headers |= {"Content-Range": extent} if extent else {}
            self.send_response(status)
            for name, value in (headers | special.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            """Say nothing: the one who asks has the log that counts."""

    return Answers


class SitesServer(ThreadingHTTPServer):
    """A server that takes a client's hanging up for what it is."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Report an error, but not that the other side has left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving(media: Path, folder: Path = SITES, port: int = 0) -> Iterator[int]:
    """Serve the sites on 127.0.0.1 while the block runs; gives the port."""
    server = SitesServer(("127.0.0.1", port), answers_for(load_sites(folder, media)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main(arguments: list[str]) -> int:
    """Serve until interrupted, or while a command runs; return the exit status."""
    import iscc_samples

    media = Path(iscc_samples.ROOT)
    with serving(media, port=int(arguments[0]) if arguments else 8099) as port:
        if arguments[1:]:
            command = [part.replace("{port}", str(port)) for part in arguments[1:]]
            return subprocess.run(command, check=False).returncode
        for host, site in load_sites(SITES, media).items():
            print(f"http://{host}/  {site.about}")
        print(f"at 127.0.0.1:{port}; Ctrl-C ends it", flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
