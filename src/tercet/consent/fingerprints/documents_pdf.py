"""PDF: the text of its pages, by pypdf. A scanned page has none."""

from __future__ import annotations

import io
from collections.abc import Iterator

from tercet.consent.fingerprints.fingerprint import UndecodableError

# What a parser of a loose format runs into on hostile bytes, besides its own errors.
_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError,
    ValueError,
)  # fmt: skip


def page_texts(raw: bytes, pages_max: int, page_bytes_max: int) -> Iterator[str]:
    """Yield the text of each page; raises UndecodableError for damage, locks and giant pages."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise _undecodable("one that a password locks", "remove the password")
        count = len(reader.pages)
        if count > pages_max:
            raise _undecodable(f"{count:,} pages, more than {pages_max:,}", "split it")
        for page in reader.pages:
            content = page.get_contents()
            if content is not None and len(content.get_data()) > page_bytes_max:
                raise _undecodable("a page beyond the limit", "print it to a new PDF")
            yield page.extract_text()
    except UndecodableError:
        raise
    except (PyPdfError, *_DAMAGE) as error:
        found = f"a damaged one: {type(error).__name__}: {str(error)[:120]}"
        raise _undecodable(found, "print it to a new PDF") from None


def _undecodable(got: str, hint: str) -> UndecodableError:
    return UndecodableError(f"expected a readable PDF, got {got}", hint=hint)
