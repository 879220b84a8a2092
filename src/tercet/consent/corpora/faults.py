"""Why a row of a corpus cannot be read. Such a row is held, never lost. Stable strings."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """The reason kept in a row's ``fault`` column; docs/corpora.md explains each."""

    NO_URL = "no_url"  # the URL cell is null or empty, or the record has no such key
    URL_TOO_LONG = "url_too_long"  # more bytes than limits.URL_BYTES_MAX
    INVALID_UTF8 = "invalid_utf8"  # a cell that is read is not UTF-8
    NUL_BYTE = "nul_byte"  # the URL holds a NUL
    NOT_TEXT = "not_text"  # a JSON value that should be text is a number, list or object
    FIELD_COUNT = "field_count"  # a CSV row with more or fewer fields than the header
    BAD_QUOTES = "bad_quotes"  # a CSV row whose quotes do not close or close in mid-field
    BAD_JSON = "bad_json"  # a line that is not JSON, or nested too deep
    NOT_AN_OBJECT = "not_an_object"  # a JSON line that is not an object
    ROW_TOO_LONG = "row_too_long"  # one line longer than limits.ROW_BYTES_MAX
    TRUNCATED = "truncated"  # the file ends early or is damaged here: what follows is not known
    UNREADABLE = "unreadable"  # a file that cannot be opened
    LINK_OUTSIDE = "link_outside"  # a symbolic link that leads out of the folder, or nowhere
    BAD_NAME = "bad_name"  # a file or member name that is not UTF-8, or climbs out
    NO_MEDIA = "no_media"  # a tar group with metadata and no media member
    SIDECAR_UNREADABLE = "sidecar_unreadable"  # the metadata beside a member cannot be read
    NO_PATH = "no_path"  # an object of a table of local files names none
    NO_DIGEST = "no_digest"  # a local file is named without its SHA-256
    DIGEST_DIFFERS = "digest_differs"  # a local file has another SHA-256 than its row says
