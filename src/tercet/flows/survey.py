"""Survey a corpus: collect the declarations of its sites (and items) into an evidence directory.

    result = survey(["https://example.org/a.jpg"], Path("evidence"),
                    SurveyOptions(contact="https://your.example/bot"))

Stopped in the middle, by Ctrl-C or by a kill, the same call goes on where it stopped. On a
finished directory it looks again, asking only what HTTP says is no longer fresh.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.consent.capture import Captured
from tercet.consent.survey import SurveyOptions, Surveyor
from tercet.consent.surveying.addresses import Resolver
from tercet.consent.surveying.politeness import Clock
from tercet.consent.surveying.targets import Target, target_of
from tercet.core.limits import URL_BYTES_MAX
from tercet.store.evidence import EvidenceWriter
from tercet.store.responses import ResponseStore

if TYPE_CHECKING:
    import pyarrow as pa

    from tercet.consent.corpora import ColumnNames

Rows = Iterable[tuple[str, str | None]]
"""Pairs of an item's key and its URL (None: the row has none)."""

_PLAIN_HEAD = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?\Z", re.IGNORECASE)
Job = Callable[[], Awaitable[None]]

WINDOW = 4  # tasks under way for every request under way: some hosts always have to wait
ITEM_WINDOW = 4096  # items looked ahead, so that a run of one host's items holds up no other host
_FLUSH_SECONDS = (1.0, 30.0)  # how often the journal is written: at first, and in long runs
_FLUSH_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the survey is. ``eta_s`` is None while nothing can be said; ``stage`` is "sites"
    or "items"; ``total`` counts what this stage will have done."""

    stage: str
    done: int
    total: int
    failures: int
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class SurveyResult:
    """What a survey found. ``document`` is the content of survey.json.

    ``asked`` counts sites and items handled by this call, ``resumed`` those an earlier, stopped
    call had done, ``passed_over`` rows without a URL that can be asked (the clearing holds them).
    """

    folder: Path
    document: dict[str, Any]
    asked: int
    resumed: int
    passed_over: int
    seconds: float


def rows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, str | None]]:
    """Yield the rows of corpus batches: their ``item`` and ``url`` columns."""
    for batch in batches:
        items = batch.column("item").to_pylist()
        urls = batch.column("url").to_pylist()
        yield from zip(items, urls, strict=True)


def survey(
    rows: Callable[[], Rows] | Iterable[str],
    out: Path,
    options: SurveyOptions,
    *,
    progress: Callable[[Progress], None] | None = None,
    clock: Clock | None = None,
    resolve: Resolver | None = None,
) -> SurveyResult:
    """Survey the sites of a corpus, in its order, and with ``options.items`` its items.

    ``rows`` gives the corpus from its start each time it is called (see ``rows_of``); or it is
    URLs, each its own key. Memory is bounded by the distinct sites. Raises InputError when
    ``out`` holds an unfinished survey of another agent, StorageError when it cannot be written.
    """
    clock = clock or Clock()
    source = rows if callable(rows) else _listed(rows)
    with EvidenceWriter(
        out, user_agent=options.user_agent, started_at=clock.timestamp()
    ) as evidence:
        cache = ResponseStore(out / "responses.sqlite", evidence.blobs)
        try:
            surveyor = Surveyor(options, cache, clock=clock, resolve=resolve)
            run = _Run(surveyor, evidence, cache, clock, progress)
            asyncio.run(run.all(source))
            document = evidence.finish(clock.timestamp())
        finally:
            cache.close()
    seconds = clock.monotonic() - run.began
    return SurveyResult(out, document, run.asked, run.resumed, run.passed_over, seconds)


def survey_corpus(
    places: Sequence[Path],
    out: Path,
    options: SurveyOptions,
    *,
    columns: ColumnNames | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> SurveyResult:
    """Survey the URLs of a corpus in files (docs/corpora.md). Raises as ``survey``.

    Also raises InputError for a place that is missing, cannot be read or has no URL column.
    """
    from tercet.consent.corpora import open_corpus

    # Staged beside the journal: both go when the survey is finished.
    corpus = open_corpus(places, work=out / "parts" / "corpus", columns=columns)

    def rows() -> Rows:
        return rows_of(batch for shard in corpus.shards for batch in corpus.batches(shard))

    return survey(rows, out, options, progress=progress)


def _listed(urls: Iterable[str]) -> Callable[[], Rows]:
    kept = list(urls)
    return lambda: ((url, url) for url in kept)


@dataclass(slots=True)
class _Run:
    """One run of a survey: what is done, and when the journal is due."""

    surveyor: Surveyor
    evidence: EvidenceWriter
    cache: ResponseStore
    clock: Clock
    progress: Callable[[Progress], None] | None
    asked: int = 0
    resumed: int = 0
    passed_over: int = 0
    failures: int = 0
    began: float = 0.0
    flushed: float = 0.0
    _stage: tuple[str, int, int, float] = ("sites", 0, 0, 0.0)

    async def all(self, source: Callable[[], Rows]) -> None:
        """Do the sites, then the items."""
        self.began = self.flushed = self.clock.monotonic()
        options = self.surveyor.options
        sites, items = self._sites(source())
        async with self.surveyor:
            self._begin("sites", len(sites))
            jobs = (partial(self._site, target) for target in self._undone(sites))
            await _run_all(jobs, options.concurrency * WINDOW)
            if options.items:
                self._begin("items", items)
                await _run_all(self._items(source()), ITEM_WINDOW)

    def _sites(self, rows: Rows) -> tuple[list[str], int]:
        """Return the distinct sites in the corpus's order, and how many rows have one."""
        sites: dict[str, None] = {}
        known: dict[str, str] = {}
        count = 0
        for _, url in rows:
            site = _site_of(url, known) if url else ""
            if not site:
                self.passed_over += 1
                continue
            count += 1
            sites.setdefault(site)
        return list(sites), count

    def _undone(self, sites: list[str]) -> Iterator[Target]:
        for site in sites:
            target = target_of(site)
            if target is None or self.evidence.is_done(site):
                self._resume()
            else:
                yield target

    def _items(self, rows: Rows) -> Iterator[Job]:
        under_way: set[tuple[str, str]] = set()
        for item, url in rows:
            target = target_of(url) if url else None
            if target is None:
                continue
            key = (target.site, item)
            if key in under_way or self.evidence.is_done(*key):
                self._resume()
                continue
            under_way.add(key)
            yield partial(self._item, item, target, under_way)

    async def _site(self, target: Target) -> None:
        self._take(await self.surveyor.site(target))

    async def _item(self, item: str, target: Target, under_way: set[tuple[str, str]]) -> None:
        self._take(await self.surveyor.item(item, target))
        under_way.discard((target.site, item))

    def _take(self, captured: list[Captured]) -> None:
        self.evidence.add(captured)
        self.asked += 1
        self.failures += any(capture.failure for capture, _ in captured)
        now = self.clock.monotonic()
        least, most = _FLUSH_SECONDS
        if now - self.flushed >= min(most, max(least, (now - self.began) * _FLUSH_SHARE)):
            self.evidence.flush()
            self.cache.commit()
            self.flushed = now
        self._advance()

    def _resume(self) -> None:
        self.resumed += 1
        stage, done, total, began = self._stage
        self._stage = (stage, done, total - 1, began)

    def _begin(self, stage: str, total: int) -> None:
        self._stage = (stage, 0, total, self.clock.monotonic())

    def _advance(self) -> None:
        stage, done, total, began = self._stage
        self._stage = (stage, done + 1, total, began)
        if self.progress is None:
            return
        spent_s = self.clock.monotonic() - began
        eta_s = spent_s / (done + 1) * (total - done - 1) if done >= 2 else None
        self.progress(Progress(stage, done + 1, total, self.failures, eta_s))


def _site_of(url: str, known: dict[str, str]) -> str:
    """Return the site of ``url``, "" when it cannot be asked; ``known`` spares most of the work."""
    end = url.find("/", 8)
    head = url[:end] if end > 0 and len(url) <= URL_BYTES_MAX else ""
    if head and head in known:
        return known[head]
    target = target_of(url)
    site = target.site if target else ""
    if site and _PLAIN_HEAD.match(head):  # nothing after such a head can change the site
        known[head] = site
    return site


async def _run_all(jobs: Iterable[Job], window: int) -> None:
    """Run all jobs, at most ``window`` at a time. The first error stops them all."""
    places = asyncio.Semaphore(window)

    async def run(job: Job) -> None:
        try:
            await job()
        finally:
            places.release()

    try:
        async with asyncio.TaskGroup() as tasks:
            for job in jobs:
                await places.acquire()
                tasks.create_task(run(job))
    except BaseExceptionGroup as group:
        raise next(_leaves(group)) from None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    return itertools.chain.from_iterable(
        _leaves(each) if isinstance(each, BaseExceptionGroup) else (each,)
        for each in group.exceptions
    )
