"""The form of the studio: what a browser sends, kept as typed, and as the fields of an order."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import fields, replace
from urllib.parse import parse_qsl

from tercet.core.errors import FieldError, InputError, TercetError
from tercet.core.ids import sha256_hex
from tercet.flows.serve_request import asked_of_fields, seconds_text
from tercet.store.jobs_rows import Job
from tercet.web.contexts import Problem, Typed

FORM_BYTES_MAX = 64 * 1024
_FORM_FIELDS_MAX = 20
_KEY_CHARACTERS_MAX = 64
_ORDER_FIELDS = {
    "prompt": "prompt",
    "seconds": "seconds",
    "size": "size",
    "frames_per_second": "fps",
    "seed": "seed",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "negative_prompt": "negative_prompt",
}
"""What the form's fields are called in an order."""

_FORM_FIELDS = {theirs: ours for ours, theirs in _ORDER_FIELDS.items()}
_WORDS = {ours: ours.replace("_", " ") for ours in _ORDER_FIELDS}
_HARMLESS = {"prompt": "a"}  # stands in for a wrong field while the others are looked at


def typed_of_body(raw: bytes) -> Typed:
    """Return what was typed, from a form's body (`application/x-www-form-urlencoded`).

    Bytes that are no UTF-8 stay visible as replacement characters. Raises InputError for a body
    that no form of ours sends.
    """
    if len(raw) > FORM_BYTES_MAX:
        raise InputError(
            f"expected a form of at most {FORM_BYTES_MAX:,} bytes, got more", hint="shorten it"
        )
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=_FORM_FIELDS_MAX,
        )
    except ValueError as error:
        raise InputError(
            "expected a form as browsers send it, got something else", hint="use the form"
        ) from error
    known = {each.name for each in fields(Typed)}
    # Browsers send line ends as CR LF, whatever was typed.
    return Typed(**{name: text.replace("\r\n", "\n") for name, text in pairs if name in known})


def order_of(typed: Typed) -> dict[str, str]:
    """Return the fields of an order; those left empty are left out."""
    named = {theirs: getattr(typed, ours).strip() for ours, theirs in _ORDER_FIELDS.items()}
    return {name: text for name, text in named.items() if text or name == "prompt"}


def problems_of(typed: Typed) -> dict[str, Problem]:
    """Return everything that is wrong with the form, by its fields; nothing when all can be used.

    An order names only its first fault, so a wrong field is set aside and the rest looked at again.
    """
    order, found = order_of(typed), dict[str, Problem]()
    for _ in _ORDER_FIELDS:
        try:
            asked_of_fields(order)
        except FieldError as error:
            found[form_field(error)] = problem_of(error)
            order.pop(error.field, None)
            order |= {name: text for name, text in _HARMLESS.items() if name == error.field}
        else:
            break
    return {name: found[name] for name in _ORDER_FIELDS if name in found}


def form_field(error: FieldError) -> str:
    """Return the form's field that an error is about, empty for the form as a whole."""
    return _FORM_FIELDS.get(error.field, "")


def problem_of(error: TercetError) -> Problem:
    """Return an error as it is shown; fields are called what the form calls them."""
    title = error.message
    for theirs, ours in _FORM_FIELDS.items():
        title = title.replace(f"expected {theirs} ", f"expected {_WORDS[ours]} ")
    return Problem(title, error.hint)


def key_of(typed: Typed) -> str:
    """Return the idempotency key of a form: sent twice it orders once, changed it orders anew."""
    if not 0 < len(typed.order_key) <= _KEY_CHARACTERS_MAX:
        return ""
    parts = (getattr(typed, each.name) for each in fields(Typed))
    return f"page-{sha256_hex(chr(0).join(parts).encode('utf-8', 'replace'))}"


def with_new_key(typed: Typed) -> Typed:
    """Return the form with a key of its own."""
    return replace(typed, order_key=secrets.token_urlsafe(18))


def typed_like(job: Job) -> Typed:
    """Return a form that orders a video like this one."""
    asked: Mapping[str, object] = job.request
    return Typed(
        prompt=str(asked["prompt"]),
        seconds=seconds_text(job.duration_s),
        size=f"{asked['width_px']}x{asked['height_px']}",
        frames_per_second=str(asked["frames_per_second"]),
        seed=str(asked["seed"]),
        steps=_number_text(asked["steps"]),
        guidance=_number_text(asked["guidance"]),
        negative_prompt=str(asked["negative_prompt"]),
        like=job.video_id,
    )


def _number_text(value: object) -> str:
    """Return a number as somebody types it, empty for 0, which leaves it to the engine."""
    return f"{value:g}" if isinstance(value, int | float) and value else ""
