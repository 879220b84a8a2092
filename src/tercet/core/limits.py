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
STATEMENTS_MAX = 200_000  # from one robots.txt, over all agents; above it the rest is unreadable
CONDITION_TEXT_MAX = 2_000  # characters of licence text or constraint kept in a condition

# The survey
REDIRECTS_MAX = 5  # RFC 9309 section 2.3.1.2: at least five are followed
RETRIES_MAX = 2  # after 429, 5xx and time-outs
RETRY_AFTER_SECONDS_MAX = 60  # a host that asks for longer is left alone and held
RETRY_BACKOFF_SECONDS = 2.0  # before the first retry; doubled each time
CACHE_SECONDS_MAX = 24 * 3600  # RFC 9309 section 2.4: no cached robots.txt older than a day
CACHE_SECONDS_DEFAULT = 3600  # where the server says nothing of freshness
ITEM_PREFIX_BYTES = 256 * 1024  # first range asked of an item; grown fourfold while truncated
DRAIN_BYTES_MAX = 64 * 1024  # of an error page, read only to keep the connection
DRAIN_SECONDS_MAX = 2.0
RSL_LINKS_MAX = 8  # RSL files fetched for one site or one item
ADDRESSES_TRIED_MAX = 3  # of those a host name resolves to
ROW_BYTES_MAX = 64 * 1024 * 1024  # one line of a CSV or JSONL corpus; the rest of it is not read
ROW_LINES_MAX = 1_000  # lines one quoted CSV row may span
ROW_LINES_AFTER_DOUBT_MAX = 16  # the same, among lines that an open quote above has run through
QUOTED_ROW_BYTES_MAX = 1024 * 1024  # bytes of a CSV row that spans lines
MEDIA_FILE_BYTES_MAX = 256 * 1024 * 1024  # read of one local media file; beyond it: held
MEDIA_FILE_SECONDS_MAX = 60.0  # spent on one local media file; beyond it: held
MEDIA_FILE_MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024  # address space for reading one; else held
DECLARATION_FILE_BYTES_MAX = 16 * 1024 * 1024  # a sidecar file

# Fingerprints
FINGERPRINT_BYTES_MAX = 64 * 1024 * 1024 * 1024  # of one film or recording; beyond it: held
FINGERPRINT_SECONDS_MAX = 60.0  # spent on one file, and longer for big ones:
FINGERPRINT_BYTES_A_SECOND_MIN = 500_000  # one second more for each so many bytes of the file
FINGERPRINT_MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024  # address space for one file; else held
IMAGE_PIXELS_MAX = 100_000_000  # of one still image; beyond it: held, before anything is allocated
IMAGE_SIDE_PIXELS_MAX = 32_767  # of its longer side; OpenCV's transforms take no more

# The studio
PROMPT_CHARACTERS_MAX = 2_000
VIDEO_SECONDS_MAX = 60
VIDEO_SIDE_PIXELS_MIN = 64
VIDEO_SIDE_PIXELS_MAX = 1920
FRAMES_PER_SECOND_MIN = 8
FRAMES_PER_SECOND_MAX = 30
STEPS_MAX = 200
GUIDANCE_MAX = 30
SEED_MAX = 2**53 - 1  # what JSON numbers carry exactly
REMOTE_BYTES_MAX = 1024 * 1024 * 1024  # of one video that another server made
REMOTE_ANSWER_BYTES_MAX = 1024 * 1024  # of one JSON answer of it
REMOTE_SECONDS_MAX = 2 * 3600  # waited for one video of another server
PICTURE_BYTES_MAX = 32 * 1024 * 1024  # of a picture that a video begins with

# Licences: parties and their signed documents
DOCUMENT_BYTES_MAX = 1024 * 1024  # of one signed document: a party, an offer, an agreement
PARTY_KEYS_MAX = 64  # in one party document; keys are never taken out of it
SIGNATURES_MAX = 66  # on one document: a party's keys at most, or two parties
PARTY_NAME_CHARACTERS_MAX = 200
REPERTOIRE_BYTES_MAX = 2 * 1024 * 1024 * 1024
