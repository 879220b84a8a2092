"""What is asked for when a video is to be made, checked: nothing is loaded before it holds."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from tercet.core.errors import InputError
from tercet.core.limits import (
    FRAMES_PER_SECOND_MAX,
    FRAMES_PER_SECOND_MIN,
    GUIDANCE_MAX,
    PROMPT_CHARACTERS_MAX,
    SEED_MAX,
    STEPS_MAX,
    VIDEO_SECONDS_MAX,
    VIDEO_SIDE_PIXELS_MAX,
    VIDEO_SIDE_PIXELS_MIN,
)
from tercet.studio.engines.engine import Order, Picture, Shot
from tercet.studio.engines.engines import engine_entry
from tercet.studio.engines.fitting import fitted_picture
from tercet.studio.storyboard import storyboard

_SPACES = {"\n", "\r", "\t"}
# Control characters and surrogates (text that was not UTF-8); below, marks that turn text around.
_BANNED_CATEGORIES = {"Cc", "Cs"}
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A video that somebody asks for. ``shots`` are a storyboard that was given: it then decides.

    ``model`` is what the engine takes for its model (a name, a folder, an address), ``lora`` and
    ``device`` are for engines that take them; ``steps`` and ``guidance`` of 0 mean the engine's
    own. ``first_picture`` and ``earlier`` as in an `Order`, of any size.
    """

    prompt: str
    duration_s: float = 10.0
    width_px: int = 512
    height_px: int = 512
    frames_per_second: int = 16
    seed: int = 0
    engine: str = "house"
    model: str = ""
    lora: str = ""
    device: str = ""
    shots: tuple[Shot, ...] = ()
    steps: int = 0
    guidance: float = 0.0
    negative_prompt: str = ""
    first_picture: Picture | None = None
    earlier: tuple[Picture, ...] = ()
    webm: bool = False


def checked_order(request: Request) -> Order:
    """Return the order that a request comes down to. Raises InputError: expected, got, what to do.

    At least one frame is ordered, and no shot says nothing.
    """
    engine_entry(request.engine)
    _check_numbers(request)
    _check_size(request.width_px, request.height_px)
    negative = (
        checked_text(request.negative_prompt, "the negative prompt")
        if request.negative_prompt
        else ""
    )
    order = Order(
        shots=_checked_shots(request),
        width_px=request.width_px,
        height_px=request.height_px,
        frames_per_second=request.frames_per_second,
        seed=request.seed,
        steps=request.steps,
        guidance=request.guidance,
        negative_prompt=negative,
        first_picture=_fitted(request.first_picture, request),
        earlier=tuple(fitted_picture(each, *_size(request)) for each in request.earlier),
    )
    if order.frame_count < 1:
        raise InputError(
            f"{order.duration_s:g} seconds are not one frame at {order.frames_per_second} a second",
            hint="give more seconds",
        )
    return order


def checked_text(text: str, name: str = "the prompt") -> str:
    """Return a prompt with its white space made single blanks, lines kept.

    Raises InputError where it is empty, too long, not UTF-8, or holds control characters.
    """
    lines = (" ".join(line.split()) for line in text.splitlines())
    kept = "\n".join(line for line in lines if line)
    if not kept:
        raise InputError(f"{name} is empty", hint="describe what is to be seen: a red car drives")
    if len(text) > PROMPT_CHARACTERS_MAX:
        raise InputError(
            f"{name} has {len(text):,} characters, at most {PROMPT_CHARACTERS_MAX:,} are taken",
            hint="shorten it, or give a storyboard",
        )
    for character in text:
        _check_character(character, name)
    return kept


def _check_character(character: str, name: str) -> None:
    if character in _SPACES:
        return
    if "\ud800" <= character <= "\udfff":
        raise InputError(f"{name} is not UTF-8 text", hint="give it in UTF-8")
    if unicodedata.category(character) in _BANNED_CATEGORIES or character in _TURNING:
        raise InputError(
            f"{name} holds the control character U+{ord(character):04X}", hint="take it out"
        )


def _checked_shots(request: Request) -> tuple[Shot, ...]:
    if not request.shots:
        _check_duration(request.duration_s)
        return storyboard(checked_text(request.prompt), request.duration_s)
    if request.prompt:
        checked_text(request.prompt)
    _check_duration(math.fsum(shot.duration_s for shot in request.shots))
    for at, shot in enumerate(request.shots, 1):
        _check_duration(shot.duration_s)
        checked_text(shot.prompt, f"the prompt of shot {at}")
    return request.shots


def _fitted(picture: Picture | None, request: Request) -> Picture | None:
    return None if picture is None else fitted_picture(picture, *_size(request))


def _size(request: Request) -> tuple[int, int]:
    return request.width_px, request.height_px


def _check_duration(duration_s: float) -> None:
    if not (math.isfinite(duration_s) and 0 < duration_s <= VIDEO_SECONDS_MAX):
        raise InputError(
            f"expected more than 0 and at most {VIDEO_SECONDS_MAX} seconds, got {duration_s:g}",
            hint="a longer video is made in parts: one continues the other",
        )


def _check_size(width_px: int, height_px: int) -> None:
    low, high = VIDEO_SIDE_PIXELS_MIN, VIDEO_SIDE_PIXELS_MAX
    for side_px in (width_px, height_px):
        if side_px % 2 or not low <= side_px <= high:
            raise InputError(
                f"expected even sides of {low} to {high} pixels, got {width_px}x{height_px}",
                hint="for example 512x512, 1280x720 or 1920x1080",
            )


def _check_numbers(request: Request) -> None:
    wanted = (
        ("frames a second", request.frames_per_second,
         FRAMES_PER_SECOND_MIN, FRAMES_PER_SECOND_MAX),
        ("a seed", request.seed, 0, SEED_MAX),
        ("steps", request.steps, 0, STEPS_MAX),
        ("guidance", request.guidance, 0, GUIDANCE_MAX),
    )  # fmt: skip
    for name, value, low, high in wanted:
        if not (math.isfinite(value) and low <= value <= high):
            raise InputError(
                f"expected {name} of {low} to {high}, got {value}", hint="see tercet generate -h"
            )


def parse_size(text: str) -> tuple[int, int]:
    """Return width and height of ``512x512``. Raises InputError for any other form."""
    width, cross, height = text.partition("x")
    if not (cross and all(side.isascii() and side.isdecimal() and len(side) <= 6
                          for side in (width, height))):  # fmt: skip
        raise InputError(
            f"expected a size like 512x512, got {text[:80]!r}", hint="width x height in pixels"
        )
    return int(width), int(height)


def file_bytes(path: Path, bytes_max: int) -> bytes:
    """Return the bytes of a file somebody names. Raises InputError where it is none, or too big."""
    if not path.is_file():
        raise InputError(f"there is no file {path}", hint="give the path of a file")
    with path.open("rb") as file:
        raw = file.read(bytes_max + 1)
    if len(raw) > bytes_max:
        raise InputError(f"{path} is larger than {bytes_max:,} bytes", hint="give a smaller file")
    return raw
