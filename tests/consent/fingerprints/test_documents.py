"""Documents give the text a reader meets; hostile ones give an error, not a hang."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.fingerprints.documents import text_of
from tercet.consent.fingerprints.documents_encoding import decoded
from tercet.consent.fingerprints.fingerprint import UndecodableError

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)


def epub(chapters: dict[str, bytes], order: list[str], **extra: bytes) -> bytes:
    """An EPUB with ``chapters`` (file name to page), read in ``order``."""
    items = "".join(
        f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>'
        for name in chapters
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in order)
    package = (
        f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest>'
        f"<spine>{spine}</spine></package>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/book.opf", package)
        for name, page in chapters.items():
            archive.writestr(f"OEBPS/{name}.xhtml", page)
        for name, content in extra.items():
            archive.writestr(f"META-INF/{name}.xml", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "Grüße"),
        ("utf-16", "Grüße an alle"),
        ("utf-32", "Grüße an alle"),
        ("utf-16-le", "Nothing marks this text as wide but its zero bytes."),
        ("utf-16-be", "Nothing marks this text as wide but its zero bytes."),
        ("cp1252", "Le café était fermé à cause de la grève, très tôt déjà."),
        ("cp1251", "Все счастливые семьи похожи друг на друга, каждая несчастна по-своему."),
        ("koi8-r", "Все счастливые семьи похожи друг на друга, каждая несчастна по-своему."),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl dědeček."),
        ("cp1253", "Η ζωή είναι ωραία και ο ήλιος λάμπει πάνω από τη θάλασσα."),
        ("cp1256", "كان يا ما كان في قديم الزمان رجل يعيش في القرية"),
        ("cp874", "กาลครั้งหนึ่งนานมาแล้วมีชายคนหนึ่งอยู่ในหมู่บ้าน"),
        ("shift_jis", "むかしむかし、あるところにおじいさんとおばあさんがいました。"),
        ("euc_jp", "むかしむかし、あるところにおじいさんとおばあさんがいました。"),
        ("gb18030", "我们的国家是一个有着悠久历史的国家，人民在这里生活。"),
        ("big5", "我們的國家是一個有著悠久歷史的國家，人民在這裡生活。"),
        ("euc_kr", "옛날 옛적에 한 마을에 나무꾼이 살고 있었다는 이야기가 전해 내려온다."),
    ],
)
def test_encodings(encoding: str, text: str) -> None:
    assert text_of(text.encode(encoding), "story.txt") == text


def test_vietnamese_of_windows_is_read() -> None:
    text = "Trăm năm trong cõi người ta, chữ tài chữ mệnh khéo là ghét nhau"
    half_composed = text.encode("cp1258", "ignore")  # what the code page can hold
    assert decoded(half_composed).encoding == "cp1258"
    assert unicodedata.normalize("NFC", text_of(half_composed, "kieu.txt")).startswith(
        "Tr\u0103m n"
    )


def test_a_declared_encoding_is_believed_where_it_fits() -> None:
    page = '<html><meta charset="iso-8859-7"><p>Ω</p></html>'.encode("iso-8859-7")
    assert text_of(page, "page.html") == "Ω"


def test_damaged_utf_8_stays_utf_8() -> None:
    raw = ("Ça a été un été très doux. " * 200).encode() + b"\xff"
    assert decoded(raw).encoding == "utf-8"


def test_a_page_gives_what_it_shows() -> None:
    page = b"""<!DOCTYPE html><html><head><title>T</title><style>p{}</style></head><body>
    <nav><ul><li><a href=/>Home</a><li>About</ul></nav><h1>A <em>storm</em></h1>
    <script>var hidden = "words";</script><p>It rained&nbsp;&amp; blew.<br>All&#32;night.</p>
    <!-- not this --><footer>Imprint</footer></body></html>"""
    assert text_of(page, "x") == "A storm\nIt rained & blew.\nAll night."


def test_text_is_not_hidden_by_an_unclosed_menu() -> None:
    story = (
        "The miller had three sons, and when he died he left them his mill, his ass and cat. " * 3
    )
    assert story.strip() in text_of(f"<html><nav><p>{story}</p>".encode(), "x.html")


def test_subtitles_give_what_is_spoken() -> None:
    srt = "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i> there,\r\n{\\an8}42\r\n\r\n2\r\n"
    srt += "00:00:03,000 --> 00:00:04,000\r\nGeneral.\r\n"
    assert text_of(srt.encode(), "film.srt") == "Hello there,\n42\nGeneral."
    vtt = "WEBVTT\n\nNOTE a remark\n\nSTYLE\n::cue {}\n\nintro\n00:01.000 --> 00:02.000 line:0\n"
    assert text_of((vtt + "<v Ann>Hi &amp; bye</v>").encode(), "film.txt") == "Hi & bye"


def test_an_epub_is_read_in_the_order_of_its_spine() -> None:
    book = epub({"b": b"<p>second", "a": b"<p>first", "c": b"<p>never"}, ["a", "b"])
    assert text_of(book, "book.epub") == "first\nsecond"


def test_an_encrypted_chapter_is_not_skipped_in_silence() -> None:
    lock = b'<encryption><CipherReference URI="OEBPS/a.xhtml"/></encryption>'
    with pytest.raises(UndecodableError, match="encrypted"):
        text_of(epub({"a": b"<p>x"}, ["a"], encryption=lock), "book.epub")


def test_a_chapter_that_inflates_a_thousandfold_is_refused() -> None:
    with pytest.raises(UndecodableError, match="inflates"):
        text_of(epub({"a": b"<p>" + b"a" * 5_000_000}, ["a"]), "book.epub")


def test_a_pdf_gives_its_text(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    assert "Hello PDF" in text_of(pdf("Hello PDF, printed here"), "x.pdf")


def pdf(line: str) -> bytes:
    """A PDF of one page with one line of text."""
    stream = f"BT /F1 12 Tf 20 50 Td ({line}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UndecodableError, match="image/png"):
        text_of(b"\x89PNG\r\n\x1a\n" + bytes(100), "story.txt")


def assert_text_or_the_one_error(raw: bytes) -> None:
    try:
        found: object = text_of(raw, "x")
    except UndecodableError as error:
        found = error.hint
    assert isinstance(found, str)


@given(st.binary(max_size=300), st.sampled_from([b"", b"<html>", b"PK\x03\x04", b"%PDF-1.4 "]))
def test_hostile_bytes_give_text_or_the_one_error(raw: bytes, head: bytes) -> None:
    assert_text_or_the_one_error(head + raw)


@given(st.data())
def test_a_mutated_epub_gives_text_or_the_one_error(data: st.DataObject) -> None:
    raw = bytearray(epub({"a": b"<p>first", "b": b"<p>second"}, ["a", "b"]))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert_text_or_the_one_error(bytes(raw))
