"""What each page shows: one frozen dataclass a page, whose fields are all its template may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tercet.flows.rate_card import CardOffer, ComparedPrice


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in the words of the error tree: ``title`` says it, ``hint`` what to do."""

    title: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into the form of the studio, letter by letter; nothing is corrected.

    ``order_key`` is the form's own random key: a form that is sent twice orders one video.
    ``like`` is the id of the video this one is to be like, empty for none.
    """

    prompt: str = ""
    seconds: str = ""
    size: str = ""
    frames_per_second: str = ""
    seed: str = ""
    steps: str = ""
    guidance: str = ""
    negative_prompt: str = ""
    like: str = ""
    order_key: str = ""


@dataclass(frozen=True, slots=True)
class EngineLine:
    """The engine that makes the videos: ``rights`` is the line about the works behind it."""

    name: str
    summary: str
    rights: str
    is_cleared: bool


@dataclass(frozen=True, slots=True)
class SizeGroup:
    """Sizes of one shape, as the form sends them: `512x512`, with what is shown: `512 × 512`."""

    shape: str
    sizes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a list of facts; ``is_code`` for digests and ids, which are set as such."""

    name: str
    value: str
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class StudioContext:
    """The studio: the form that orders a video.

    ``typed`` is shown in the fields; ``problems`` are by field name, empty for the whole form.
    ``sizes`` and ``rates`` (frames per second) are the choices; ``examples`` are prompts made of
    words the engine knows. ``fault`` tells why no video can be made at all just now.
    """

    typed: Typed
    engine: EngineLine
    sizes: tuple[SizeGroup, ...]
    rates: tuple[int, ...]
    examples: tuple[str, ...]
    prompt_characters_max: int
    seconds_max: int
    fault: Problem | None = None
    problems: Mapping[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobContext:
    """A video that is not there yet: waiting, being made, stopping, stopped or failed.

    ``state`` is one of `waiting`, `making`, `stopping`, `stopped`, `failed`; ``said`` is read out
    when it changes, so it changes seldom. ``percent`` is 0 to 100; ``status`` says in a line how
    far it is. ``preview_url`` is empty until there is a picture. ``notes`` tell what of the prompt
    could not be used; ``problem`` why it failed; ``facts`` what was ordered.
    """

    video_id: str
    prompt: str
    state: str
    said: str
    status: str
    percent: int
    width_px: int
    height_px: int
    preview_url: str = ""
    notes: tuple[str, ...] = ()
    problem: Problem | None = None
    facts: tuple[Fact, ...] = ()

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will happen."""
        return self.state in {"stopped", "failed"}

    @property
    def lines(self) -> tuple[float, float, float]:
        """Return how far each of the three lines is written, 0 to 1: one after the other."""
        first, second, third = (min(1.0, max(0.0, self.percent * 3 / 100 - at)) for at in range(3))
        return first, second, third


@dataclass(frozen=True, slots=True)
class WorkLine:
    """A work in the credits: its title, licence and digest."""

    title: str
    licence: str
    work: str


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """An owner in the credits: ``share`` in words (`12.5 %`), ``share_parts`` of a million.

    ``works`` are the first of ``work_count`` works.
    """

    owner: str
    share: str
    share_parts: int
    work_count: int
    works: tuple[WorkLine, ...]


@dataclass(frozen=True, slots=True)
class CreditsRoll:
    """Who stands behind a video. ``method`` says how the shares were found.

    ``first`` are the owners shown at once, ``rest`` those behind a fold, ``left_out`` counts those
    that are only in the full list at ``url``.
    """

    first: tuple[OwnerLine, ...]
    rest: tuple[OwnerLine, ...]
    left_out: int
    owner_count: int
    work_count: int
    method: str
    url: str


@dataclass(frozen=True, slots=True)
class VideoContext:
    """A finished video: player, credits under it, and how it was made.

    ``rights`` is the engine's rights line; ``facts`` are the lines of `how this was made`;
    ``made_at`` is RFC 3339 and ``made`` the same in words. Addresses are paths on this server.
    """

    video_id: str
    prompt: str
    video_url: str
    media_type: str
    poster_url: str
    download_name: str
    width_px: int
    height_px: int
    length: str
    made_at: str
    made: str
    rights: str
    is_cleared: bool
    credits: CreditsRoll
    facts: tuple[Fact, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A video in the gallery. ``state`` is `finished` or a state of `JobContext`."""

    video_id: str
    prompt: str
    state: str
    status: str
    thumbnail_url: str
    made_at: str
    made: str


@dataclass(frozen=True, slots=True)
class GalleryContext:
    """The gallery, newest first. An address is empty where there is nothing behind it."""

    cards: tuple[Card, ...]
    newest_url: str = ""
    older_url: str = ""


@dataclass(frozen=True, slots=True)
class RatesContext:
    """The rate card: the offers that are served here, beside what others published.

    ``marks`` say what the marks of the published prices mean.
    """

    offers: tuple[CardOffer, ...]
    compared: tuple[ComparedPrice, ...]
    marks: tuple[tuple[str, str], ...]
    note: str
    gathered_on: str


@dataclass(frozen=True, slots=True)
class ProblemContext:
    """A page that says what went wrong: 403, 404, 429, 500 and their like."""

    status_code: int
    problem: Problem
