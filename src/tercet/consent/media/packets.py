"""``extract``: from the bytes of a media file to the packets that may speak of rights."""

from __future__ import annotations

from collections.abc import Callable

from tercet.consent.media import (
    c2pa_report,
    epub,
    flat,
    gif,
    id3,
    irb,
    isobmff,
    jpeg,
    matroska,
    pdf,
    png,
    riff,
    svg,
    tiff,
    vorbis,
    xmp,
)  # fmt: skip
from tercet.consent.media.gathering import Extraction, Gathering, Packet
from tercet.consent.signal import Resource

__all__ = ["Extraction", "Packet", "extract", "sniff"]

_Reader = Callable[[Gathering], None]

_READERS: dict[str, _Reader] = {
    "image/jpeg": jpeg.read,
    "image/png": png.read,
    "image/gif": gif.read,
    "image/tiff": tiff.read,
    "image/webp": riff.read,
    "audio/wav": riff.read,
    "video/x-msvideo": riff.read,
    "audio/mpeg": id3.read,
    "video/x-matroska": matroska.read,
    "video/webm": matroska.read,
    "audio/flac": vorbis.read_flac,
    "audio/ogg": vorbis.read_ogg,
    "application/pdf": pdf.read,
    "application/epub+zip": epub.read,
    "image/svg+xml": svg.read,
    "image/vnd.adobe.photoshop": irb.read_file,
    **dict.fromkeys(
        ("video/mp4", "video/quicktime", "image/heic", "image/avif", "audio/mp4", "image/jp2",
         "image/jxl", "video/3gpp", "image/x-canon-cr3"),
        isobmff.read,
    ),
}  # fmt: skip

_EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif", "mpo"),
    "image/png": ("png", "apng"),
    "image/gif": ("gif",),
    "image/tiff": ("tif", "tiff", "dng", "nef", "cr2", "arw", "orf", "pef", "rw2", "srw", "nrw"),
    "image/webp": ("webp",),
    "audio/wav": ("wav",),
    "video/x-msvideo": ("avi",),
    "audio/mpeg": ("mp3", "mp2", "mpga", "aac"),
    "video/x-matroska": ("mkv", "mka", "mks", "mk3d", "webm"),
    "video/webm": ("webm", "weba", "mkv"),
    "audio/flac": ("flac",),
    "audio/ogg": ("ogg", "oga", "ogv", "opus", "spx"),
    "application/pdf": ("pdf", "ai"),
    "application/epub+zip": ("epub",),
    "image/svg+xml": ("svg",),
    "image/vnd.adobe.photoshop": ("psd", "psb"),
    "video/mp4": ("mp4", "m4v", "f4v", "m4a", "mov"),
    "video/quicktime": ("mov", "qt"),
    "image/heic": ("heic", "heif"),
    "image/avif": ("avif",),
    "audio/mp4": ("m4a", "m4b", "mp4"),
    "image/jp2": ("jp2", "jpx", "jpf", "j2k"),
    "image/jxl": ("jxl",),
    "video/3gpp": ("3gp", "3g2", "3gpp"),
    "image/x-canon-cr3": ("cr3",),
    "application/rdf+xml": ("xmp", "rdf", "xml"),
}
_KNOWN_EXTENSIONS = frozenset(name for names in _EXTENSIONS.values() for name in names)

_HEADS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (png.MAGIC, "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (id3.MAGIC, "audio/mpeg"),
    (vorbis.FLAC_MAGIC, "audio/flac"),
    (vorbis.OGG_MAGIC, "audio/ogg"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
)
_BRANDS = {b"qt  ": "video/quicktime", b"heic": "image/heic", b"heix": "image/heic",
           b"mif1": "image/heic", b"msf1": "image/heic", b"hevc": "image/heic",
           b"avif": "image/avif", b"avis": "image/avif", b"M4A ": "audio/mp4",
           b"M4B ": "audio/mp4", b"crx ": "image/x-canon-cr3"}  # fmt: skip
_FIRST_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp")


def extract(raw: bytes, name: str = "") -> Extraction:
    """Return the packets of the media file ``raw`` (or of its head), with faults and notes.

    What the file is follows from its bytes; ``name`` only serves to note a wrong extension.
    Pure and total: hostile bytes give faults, never an error, and never more than the limits.
    """
    gathering = Gathering(raw)
    media_type = sniff(raw)
    reader = _READERS.get(media_type)
    if media_type == "application/rdf+xml":
        gathering.add(Resource.XMP, raw, (0, len(raw)), "whole file")
    elif reader is not None:
        reader(gathering)
    seen = any(packet.resource is Resource.XMP for packet in gathering.packets)
    if not seen and (reader is None or gathering.faults):
        flat.read(gathering)
    if c2pa_report.sniffed(gathering):
        c2pa_report.read(gathering, media_type)
    if note := _extension_note(media_type, name):
        gathering.note(note)
    return Extraction(
        tuple(gathering.packets), tuple(gathering.faults), media_type, tuple(gathering.notes)
    )


def sniff(raw: bytes) -> str:
    """Return the media type the first bytes show, "" when they show none that is known."""
    for head, media_type in _HEADS:
        if raw.startswith(head):
            return media_type
    if raw[:4] == b"RIFF":
        return riff.MEDIA_TYPES.get(raw[8:12], "")
    if raw.startswith(matroska.MAGIC):
        return "video/webm" if b"webm" in raw[:64] else "video/x-matroska"
    if raw[4:8] == b"ftyp":
        brand = raw[8:12]
        return "video/3gpp" if brand[:2] == b"3g" else _BRANDS.get(brand, "video/mp4")
    if raw[4:8] == b"jumb":
        return "application/c2pa"  # a manifest store of its own, beside the file it is about
    if raw[4:8] in _FIRST_BOXES:
        return "video/quicktime"
    if pdf.MAGIC in raw[:1024]:
        return "application/pdf"
    if raw.startswith(epub.MAGIC):
        return "application/epub+zip" if epub.is_epub(raw) else "application/zip"
    return _sniff_text(raw)


def _sniff_text(raw: bytes) -> str:
    start = xmp.trim(raw[:4096]).removeprefix(b"\xef\xbb\xbf")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or start[:2] in (b"<\x00", b"\x00<"):
        start = start.replace(b"\x00", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if not start.startswith(b"<"):
        return ""
    if b"<svg" in start or b":svg" in start:
        return "image/svg+xml"
    if any(mark in start for mark in (b"<?xpacket", b"xmpmeta", b"<rdf:RDF")):
        return "application/rdf+xml"
    return ""


def _extension_note(media_type: str, name: str) -> str:
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    fits = _EXTENSIONS.get(media_type)
    if fits is None or extension not in _KNOWN_EXTENSIONS or extension in fits:
        return ""
    return f"the name says .{extension}, the bytes are {media_type}"
