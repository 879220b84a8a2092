"""What a request to the service asks for: named fields in, a checked request out, and as JSON."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tercet.core.errors import FieldError, InputError
from tercet.core.ids import sha256_hex
from tercet.core.limits import (
    FRAMES_PER_SECOND_MAX,
    FRAMES_PER_SECOND_MIN,
    GUIDANCE_MAX,
    STEPS_MAX,
    VIDEO_SECONDS_MAX,
)
from tercet.flows.generate_request import Request, checked_order, checked_text, parse_size
from tercet.studio.engines.engine import Shot
from tercet.studio.storyboard import shots_of

Checked = TypeVar("Checked")

SIZES = (
    "256x256", "512x512", "768x768", "1024x1024",
    "640x360", "360x640", "854x480", "480x854",
    "1280x720", "720x1280", "1792x1024", "1024x1792", "1920x1080", "1080x1920",
)  # fmt: skip
SIZE_DEFAULT = "512x512"
SECONDS_DEFAULT = 5.0
FPS_DEFAULT = 16
SEED_SERVED_MAX = 2**31 - 1  # what every client's integer holds
LEGACY_MODELS = ("sora-2", "sora-2-pro", "sora-2-2025-10-06", "sora-2-pro-2025-10-06",
                 "sora-2-2025-12-08")  # fmt: skip
"""Model names that old code asks for. They get the engine that is served, under its own name."""

FIELDS = (
    "prompt", "model", "seconds", "size", "input_reference", "seed", "fps", "width", "height",
    "negative_prompt", "num_inference_steps", "guidance_scale", "storyboard", "user",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request without its pictures, which lie beside it."""

    prompt: str
    duration_s: float
    width_px: int
    height_px: int
    frames_per_second: int
    seed: int
    steps: int = 0
    guidance: float = 0.0
    negative_prompt: str = ""
    shots: tuple[Shot, ...] = ()
    has_reference: bool = False
    continues: Mapping[str, Any] | None = None  # what was asked and made of an earlier video

    @property
    def size(self) -> str:
        """Width and height as ``512x512``."""
        return f"{self.width_px}x{self.height_px}"

    def document(self) -> dict[str, Any]:
        """Return it as JSON values, which `asked_of_document` reads."""
        return {
            "prompt": self.prompt,
            "duration_s": self.duration_s,
            "width_px": self.width_px,
            "height_px": self.height_px,
            "frames_per_second": self.frames_per_second,
            "seed": self.seed,
            "steps": self.steps,
            "guidance": self.guidance,
            "negative_prompt": self.negative_prompt,
            "shots": [[shot.prompt, shot.duration_s] for shot in self.shots],
            "has_reference": self.has_reference,
            "continues": self.continues,
        }

    def request(self) -> Request:
        """Return it as `generate` takes it, without pictures."""
        return Request(
            prompt=self.prompt,
            duration_s=self.duration_s,
            width_px=self.width_px,
            height_px=self.height_px,
            frames_per_second=self.frames_per_second,
            seed=self.seed,
            shots=self.shots,
            steps=self.steps,
            guidance=self.guidance,
            negative_prompt=self.negative_prompt,
        )


def asked_of_document(document: Mapping[str, Any]) -> Asked:
    """Return what `Asked.document` wrote."""
    shots = tuple(Shot(prompt, seconds) for prompt, seconds in document["shots"])
    return Asked(**{**document, "shots": shots})


def asked_of_fields(fields: Mapping[str, Any], *, has_reference: bool = False) -> Asked:
    """Return what the fields of a request ask for; numbers may be written as text.

    Raises FieldError, which names the field, for one that is unknown or cannot be used.
    """
    check_names(fields, FIELDS)
    shots = _storyboard(fields.get("storyboard"))
    prompt = prompt_of(fields, needed=not shots)
    width_px, height_px = _size(fields)
    asked = Asked(
        prompt=prompt,
        duration_s=_seconds(fields, shots),
        width_px=width_px,
        height_px=height_px,
        frames_per_second=_whole(
            fields, "fps", FPS_DEFAULT, FRAMES_PER_SECOND_MIN, FRAMES_PER_SECOND_MAX
        ),
        seed=_seed(fields),
        steps=_whole(fields, "num_inference_steps", 0, 0, STEPS_MAX),
        guidance=number(fields, "guidance_scale", 0.0, 0.0, float(GUIDANCE_MAX)),
        negative_prompt=_negative(fields),
        shots=shots,
        has_reference=has_reference,
    )
    _about("prompt", lambda: checked_order(asked.request()))
    return asked


def check_names(fields: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raise FieldError for a field that nobody would read: it would be silently ignored."""
    for name in fields:
        if name not in known:
            raise FieldError(
                str(name)[:80],
                f"expected fields known here, got {str(name)[:80]!r}",
                hint=f"known fields: {', '.join(known)}",
            )


def prompt_of(fields: Mapping[str, Any], *, needed: bool = True) -> str:
    """Return the checked prompt, empty only where it is not ``needed``. Raises FieldError."""
    text = _text(fields, "prompt")
    if not text and not needed:
        return ""
    return _about("prompt", lambda: checked_text(text))


def number(fields: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    """Return a number between two bounds, given as a number or as text. Raises FieldError."""
    given = fields.get(name)
    if _is_left_out(given):
        return default
    value = _as_number(given)
    if value is None or not low <= value <= high:
        raise FieldError(
            name, f"expected {name} from {_plain(low)} to {_plain(high)}, got {str(given)[:80]!r}",
            hint="leave it out to have the default",
        )  # fmt: skip
    return value


def digest_of_fields(fields: Mapping[str, Any], reference_sha256: str = "") -> str:
    """Return what tells whether two requests ask for the same, digit for digit."""
    text = json.dumps([dict(fields), reference_sha256], sort_keys=True, default=str)
    return sha256_hex(text.encode("utf-8", "surrogatepass"))


def seconds_text(duration_s: float) -> str:
    """Return a duration as the interface writes it: ``"8"``, ``"2.5"``."""
    return f"{duration_s:.6f}".rstrip("0").rstrip(".")


def _is_left_out(given: Any) -> bool:
    """Tell whether a field says nothing: forms send empty text for it."""
    return given is None or given == ""


def _as_number(given: Any) -> float | None:
    """Return a finite number, None for anything else, also for true and false."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    if isinstance(given, str) and (len(given) > 40 or "_" in given or not given.isascii()):
        return None
    try:
        value = float(given)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _plain(value: float) -> str:
    """Return a bound in digits, as somebody may type it."""
    return str(int(value)) if value == int(value) else f"{value:g}"


def _whole(fields: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = number(fields, name, default, low, high)
    if value != int(value):
        raise FieldError(name, f"expected {name} to be a whole number, got {value:g}")
    return int(value)


def _seed(fields: Mapping[str, Any]) -> int:
    if _is_left_out(fields.get("seed")):
        return secrets.randbelow(SEED_SERVED_MAX + 1)
    return _whole(fields, "seed", 0, 0, SEED_SERVED_MAX)


def _text(fields: Mapping[str, Any], name: str) -> str:
    given = fields.get(name)
    if given is None:
        return ""
    if not isinstance(given, str):
        raise FieldError(name, f"expected {name} to be text, got {type(given).__name__}")
    return given


def _negative(fields: Mapping[str, Any]) -> str:
    text = _text(fields, "negative_prompt")
    if not text:
        return ""
    return _about("negative_prompt", lambda: checked_text(text, "the negative prompt"))


def _seconds(fields: Mapping[str, Any], shots: tuple[Shot, ...]) -> float:
    given = fields.get("seconds")
    total_s = math.fsum(shot.duration_s for shot in shots)
    if _is_left_out(given):
        return total_s if shots else SECONDS_DEFAULT
    seconds = _as_number(given)
    if seconds is None or not 0 < seconds <= VIDEO_SECONDS_MAX:
        raise FieldError(
            "seconds",
            f"expected more than 0 and at most {VIDEO_SECONDS_MAX} seconds, "
            f"got {str(given)[:80]!r}",
            hint="a longer video is made in parts: extend one",
        )
    if shots and not math.isclose(seconds, total_s, abs_tol=0.01):
        raise FieldError(
            "seconds",
            f"expected {total_s:g} seconds as in the storyboard, got {seconds:g}",
            hint="leave seconds out, or make the shots add up to it",
        )
    return total_s if shots else seconds


def _size(fields: Mapping[str, Any]) -> tuple[int, int]:
    width, height = fields.get("width"), fields.get("height")
    if _is_left_out(width) != _is_left_out(height):
        raise FieldError("width", "expected width and height together, got one of them")
    text = _text(fields, "size") or SIZE_DEFAULT
    if not _is_left_out(width):
        both = f"{_whole(fields, 'width', 0, 1, 8192)}x{_whole(fields, 'height', 0, 1, 8192)}"
        if not _is_left_out(fields.get("size")) and text != both:
            raise FieldError("size", f"expected one size, got {text[:80]} and {both}")
        text = both
    if text not in SIZES:
        raise FieldError(
            "size", f"expected one of the sizes served, got {text[:80]!r}",
            hint=f"sizes: {', '.join(SIZES)}",
        )  # fmt: skip
    return parse_size(text)


def _storyboard(given: Any) -> tuple[Shot, ...]:
    """Return the shots of a storyboard: a list, or its JSON as text. Raises FieldError."""
    if _is_left_out(given):
        return ()
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            raise FieldError(
                "storyboard", "expected a storyboard as JSON, got other text"
            ) from None
    if isinstance(given, list):
        given = [_numeric_seconds(entry) for entry in given]
    return _about("storyboard", lambda: shots_of(given))


def _numeric_seconds(entry: Any) -> Any:
    if isinstance(entry, dict) and isinstance(entry.get("seconds"), str):
        value = _as_number(entry["seconds"])
        return entry if value is None else entry | {"seconds": value}
    return entry


def _about(field: str, check: Callable[[], Checked]) -> Checked:
    """Return what ``check`` returns; what it finds wrong is about ``field``."""
    try:
        return check()
    except FieldError:
        raise
    except InputError as error:
        raise FieldError(field, error.message, hint=error.hint) from error
