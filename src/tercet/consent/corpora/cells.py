"""Arrow columns in, clean text columns and faults out: vectorised, Python only for bad rows."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.corpora.faults import Fault
from tercet.core import limits

_CHECK_ROWS = 1024
_KEPT_CHARACTERS = 256


def cut_item(raw: bytes) -> str:
    """Return a key for bytes too long or too broken to be one: their start and their SHA-256."""
    text = raw[: 4 * _KEPT_CHARACTERS].decode("utf-8", "replace")[:_KEPT_CHARACTERS]
    return f"{text}…sha256={sha256(raw).hexdigest()}"


def text_column(array: pa.Array) -> tuple[pa.StringArray, pa.BooleanArray | None]:
    """Return ``array`` as valid UTF-8 strings, and which rows were not (None: none).

    Takes every text and binary type, dictionaries of them, and null; rows that were not UTF-8
    come back with replacement characters.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return array.cast(pa.string()), None
    if not (pa.types.is_string(array.type) or pa.types.is_binary(array.type)):
        array = array.cast(_narrow(array.type))
    try:
        if pa.types.is_string(array.type):
            array.validate(full=True)
            return array, None
        return array.cast(pa.string()), None
    except pa.ArrowInvalid:
        return _repaired(array if pa.types.is_binary(array.type) else array.view(pa.binary()))


def _narrow(kind: pa.DataType) -> pa.DataType:
    is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return pa.string() if is_text else pa.binary()


def _repaired(array: pa.BinaryArray) -> tuple[pa.StringArray, pa.BooleanArray]:
    """Replace what is not UTF-8, looking row by row only at blocks that hold such a row."""
    wrong = np.zeros(len(array), dtype=bool)
    repaired: list[str] = []
    for start in range(0, len(array), _CHECK_ROWS):
        block = array.slice(start, _CHECK_ROWS)
        try:
            block.cast(pa.string())
        except pa.ArrowInvalid:
            for index, raw in enumerate(block.to_pylist(), start):
                text = "" if raw is None else raw.decode("utf-8", "replace")
                if raw is not None and text.encode() != raw:
                    wrong[index] = True
                    repaired.append(cut_item(raw) if len(raw) > limits.URL_BYTES_MAX else text)
    mask = pa.array(wrong)
    clean = pc.replace_with_mask(array, mask, pa.array([t.encode() for t in repaired], pa.binary()))
    return clean.cast(pa.string()), mask


def has_nul(array: pa.StringArray) -> bool:
    """Tell whether any value holds a NUL byte, by one look over the buffer."""
    offsets, data = array.buffers()[1:3]
    if data is None or len(array) == 0:
        return False
    ends = np.frombuffer(offsets, dtype=np.int32)
    start, end = ends[array.offset], ends[array.offset + len(array)]
    octets = np.frombuffer(data, dtype=np.uint8)[start:end]
    return octets.size > 0 and int(octets.min()) == 0


def json_text(array: pa.Array) -> tuple[pa.StringArray, pa.BooleanArray | None]:
    """Return HTTP headers kept as text, map or struct as text: JSON, or lines where names repeat.

    A list of (name, value) pairs counts as a map.
    """
    if not pa.types.is_nested(array.type):
        return text_column(array)
    try:
        return pa.array(map(headers_text, array.to_pylist()), pa.string()), None
    except UnicodeDecodeError:
        texts = [_one_headers_text(scalar) for scalar in array]
        wrong = [
            scalar.is_valid and text is None for scalar, text in zip(array, texts, strict=True)
        ]
        return pa.array(texts, pa.string()), pa.array(wrong)


def _one_headers_text(scalar: pa.Scalar) -> str | None:
    try:
        return headers_text(scalar.as_py())
    except UnicodeDecodeError:
        return None


def headers_text(value: object) -> str | None:
    """Return headers as JSON, or as "Name: value" lines where a name stands more than once.

    JSON would keep only one of two headers of the same name; a denial must not get lost so.
    """
    pairs = _pairs(value)
    if pairs is None:
        return None
    if len({name.lower() for name, _ in pairs}) == len(pairs):
        return json.dumps(dict(pairs), ensure_ascii=False)
    lines = (f"{name}: {value}" for name, value in pairs)
    return "\r\n".join(" ".join(line.split()) for line in lines)


def _pairs(value: object) -> list[tuple[str, str]] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        entries = list(value.items())
    else:
        entries = [_entry(each) for each in value] if isinstance(value, list | tuple) else []
    pairs: list[tuple[str, str]] = []
    for name, content in entries:
        contents = content if isinstance(content, list | tuple) else [content]
        pairs.extend((_plain(name), _plain(each)) for each in contents if each is not None)
    return pairs


def _entry(each: object) -> tuple[object, object]:
    """Return one (name, value) of a list: a pair, or an object such as {"name":, "value":}."""
    if isinstance(each, dict):
        values = list(each.values())
        return (values[0], values[1]) if len(values) == 2 else ("", json.dumps(each, default=str))
    if isinstance(each, list | tuple) and len(each) == 2:
        return each[0], each[1]
    return "", str(each)


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode("utf-8", "replace").decode()


def checked_urls(
    urls: pa.StringArray, wrong: pa.BooleanArray | None, row_start: int
) -> tuple[pa.StringArray, pa.StringArray, pa.StringArray | None]:
    """Return (item, url, fault) columns for a URL column; fault is None when no row has one.

    The usual case, every URL there and none too long, costs three looks over the buffers, and
    the item column is the URL column itself.
    """
    size = pc.binary_length(urls)
    extent = pc.min_max(size)
    longest = extent["max"].as_py() or 0
    shortest = extent["min"].as_py() or 0
    nul = has_nul(urls)
    usual = urls.null_count == 0 and shortest > 0 and longest <= limits.URL_BYTES_MAX
    if usual and not nul and wrong is None:
        return urls, urls, None
    return _with_faults(urls, size, wrong, nul, row_start)


def _with_faults(
    urls: pa.StringArray,
    size: pa.Array,
    wrong: pa.BooleanArray | None,
    nul: bool,
    row_start: int,
) -> tuple[pa.StringArray, pa.StringArray, pa.StringArray]:
    masks = [
        (Fault.URL_TOO_LONG, pc.fill_null(pc.greater(size, limits.URL_BYTES_MAX), False)),
        (Fault.NO_URL, pc.fill_null(pc.equal(size, 0), True)),
    ]
    if nul:
        masks.append((Fault.NUL_BYTE, pc.fill_null(pc.match_substring(urls, "\0"), False)))
    if wrong is not None:
        masks.append((Fault.INVALID_UTF8, wrong))
    fault = pa.nulls(len(urls), pa.string())
    for code, mask in masks:
        fault = pc.if_else(mask, pa.scalar(str(code)), fault)
    bad = fault.is_valid()
    positions = np.flatnonzero(bad.to_numpy(zero_copy_only=False))
    items = [
        item_of(text, row_start + int(position))
        for position, text in zip(positions, urls.filter(bad).to_pylist(), strict=True)
    ]
    item = pc.replace_with_mask(urls, bad, pa.array(items, pa.string()))
    return item, pc.if_else(bad, pa.scalar(None, pa.string()), urls), fault


def item_of(text: str | None, row: int) -> str:
    """Return the key of a row whose URL cannot be used; ``row`` where there is no text at all."""
    if not text:
        return f"row:{row}"
    raw = text.encode()
    return cut_item(raw) if len(raw) > limits.URL_BYTES_MAX else text
