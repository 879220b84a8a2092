"""Evidence read from the media of a corpus, file by file, in an evidence directory that resumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.corpora import Corpus, Member, media_members
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.flows.guarded_pool import Casualty, Guard, guarded_map
from tercet.store.evidence import EvidenceWriter, read_survey


@dataclass(frozen=True, slots=True)
class MemberReader:
    """How each media file is read, and within which limits, in a child that may die without harm.

    ``read`` returns at least one capture. What cannot be read is a capture of ``resource`` with a
    failure, which holds the item.
    """

    read: Callable[[Member], list[Captured]]
    guard: Guard
    resource: Resource
    carrier: Carrier


def gather_from_media(
    corpus: Corpus,
    folder: Path,
    reader: MemberReader,
    *,
    now: str,
    workers: int,
    progress: Callable[[int, int], None],
) -> list[Path]:
    """Read all media of ``corpus`` once; return the evidence directory, or none without media.

    Goes on where an earlier run stopped.
    """
    total = sum(shard.row_count for shard in corpus.shards if shard.staged)
    members = (m for shard in corpus.shards for m in media_members(corpus, shard))
    first = next(members, None)
    if first is None:
        return []
    if (folder / "survey.json").exists() and read_survey(folder):
        return [folder]
    folder.mkdir(parents=True, exist_ok=True)
    done = 0
    with EvidenceWriter(folder, started_at=now) as evidence:
        waiting = _waiting(chain([first], members), evidence, reader)
        found = guarded_map(reader.read, waiting, workers=workers, guard=reader.guard)
        with closing(found):
            for member, result in found:
                if isinstance(result, Casualty):
                    evidence.add([_doubt(member, reader, result.reason)])
                else:
                    evidence.add(result)
                done += 1
                progress(done, total)
        evidence.finish(now)
    progress(total, total)  # rows with a fault have no file to read
    return [folder]


def _waiting(
    members: Iterator[Member], evidence: EvidenceWriter, reader: MemberReader
) -> Iterator[Member]:
    """Yield the members that are not read yet.

    Of several files with one name only the first is read, and all of them are held: what one
    declares must never be taken for the other's word.
    """
    seen: set[bytes] = set()
    for member in members:
        key = blake2b(member.item.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key in seen:
            evidence.add([_doubt(member, reader, "another file of the corpus has the same name")])
        elif not evidence.is_done("", member.item):
            yield member
        seen.add(key)


def _doubt(member: Member, reader: MemberReader, reason: str) -> Captured:
    """Return what is known of a file that could not be read as a whole: it is held."""
    capture = Capture(
        reader.resource,
        reader.carrier,
        item=member.item,
        uri=member.item,
        failure=Failure.PARSE_ERROR,
        note=reason,
    )
    return capture_of(capture, None)
