"""Every limit in one place. Sizes in bytes, times in seconds, the rest are counts."""

from __future__ import annotations

ROBOTS_BYTES_MAX = 500 * 1024  # RFC 9309 section 2.5: at least 500 KiB; Google stops there too
TEXT_FILE_BYTES_MAX = 1024 * 1024  # ai.txt, tdmrep.json
XML_BYTES_MAX = 4 * 1024 * 1024  # RSL documents, XMP packets, OPF package files
XML_DEPTH_MAX = 200
JSON_DEPTH_MAX = 64
HTML_BYTES_MAX = 2 * 1024 * 1024
HEADERS_BYTES_MAX = 64 * 1024
METADATA_BYTES_MAX = 16 * 1024 * 1024  # embedded metadata read from one media file
ARCHIVE_MEMBERS_MAX = 10_000  # members looked at in one EPUB
URL_BYTES_MAX = 16 * 1024
LINE_BYTES_MAX = 16 * 1024  # a robots.txt line; Google: 2083 * 8
DECLARATIONS_MAX = 10_000  # from one resource; above it the rest is one unreadable declaration
CONDITION_TEXT_MAX = 2_000  # characters of licence text or constraint kept in a condition
