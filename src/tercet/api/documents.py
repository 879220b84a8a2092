"""What the OpenAPI document says of request bodies, which are read by hand: see `bodies`."""

from __future__ import annotations

from typing import Any

from tercet.core.limits import (
    FRAMES_PER_SECOND_MAX,
    FRAMES_PER_SECOND_MIN,
    GUIDANCE_MAX,
    PROMPT_CHARACTERS_MAX,
    STEPS_MAX,
    VIDEO_SECONDS_MAX,
)
from tercet.flows.serve_request import FPS_DEFAULT, SEED_SERVED_MAX, SIZE_DEFAULT, SIZES
from tercet.store.jobs_webhooks import EVENT_TYPES
from tercet.studio.storyboard import SHOTS_MAX

_NO_CONTROLS = "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]*$"
_PROMPT: dict[str, Any] = {
    "type": "string", "minLength": 1, "maxLength": PROMPT_CHARACTERS_MAX,
    "pattern": _NO_CONTROLS,
    "description": "What is to be seen, one thing after another: words, no control characters.",
}  # fmt: skip
_SECONDS = {
    "description": f"More than 0, at most {VIDEO_SECONDS_MAX}; as text or as a number.",
    "oneOf": [
        {"type": "string", "pattern": r"^[1-9](\.[0-9]{1,3})?$|^[1-5][0-9](\.[0-9]{1,3})?$|^60$"},
        {"type": "number", "minimum": 0.25, "maximum": VIDEO_SECONDS_MAX},
    ],
}
_FIELDS: dict[str, Any] = {
    "prompt": _PROMPT,
    "model": {"type": "string", "description": "A served model; leave it out to have it."},
    "seconds": _SECONDS,
    "size": {"type": "string", "enum": list(SIZES), "default": SIZE_DEFAULT},
    "seed": {"type": "integer", "minimum": 0, "maximum": SEED_SERVED_MAX},
    "fps": {
        "type": "integer",
        "minimum": FRAMES_PER_SECOND_MIN,
        "maximum": FRAMES_PER_SECOND_MAX,
        "default": FPS_DEFAULT,
    },
    "negative_prompt": {"type": "string", "maxLength": PROMPT_CHARACTERS_MAX},
    "num_inference_steps": {"type": "integer", "minimum": 0, "maximum": STEPS_MAX},
    "guidance_scale": {"type": "number", "minimum": 0, "maximum": GUIDANCE_MAX},
    "storyboard": {
        "type": "array",
        "maxItems": SHOTS_MAX,
        "description": "Shots in order; it decides the length.",
        "items": {
            "type": "object",
            "required": ["prompt", "seconds"],
            "additionalProperties": False,
            "properties": {"prompt": _PROMPT, "seconds": {"type": "number", "minimum": 0.25}},
        },
    },
    "user": {"type": "string", "description": "Taken and not used."},
}
_VIDEO = {
    "type": "object", "required": ["id"], "additionalProperties": False,
    "properties": {"id": {"type": "string", "description": "A completed video made here."}},
}  # fmt: skip


def _body(properties: dict[str, Any], required: list[str], **form: Any) -> dict[str, Any]:
    """Return a body that may come as JSON or as a form; ``form`` are fields for forms alone."""
    schema = {
        "type": "object", "required": required, "additionalProperties": False,
        "properties": properties,
    }  # fmt: skip
    filed = schema | {"properties": properties | form}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema},
                "multipart/form-data": {"schema": filed},
            },
        }
    }


_DATA_URL = {
    "type": "object", "required": ["image_url"], "additionalProperties": False,
    "properties": {"image_url": {"type": "string", "description": "A data URL in base64."}},
    "description": "JPEG, PNG or WebP; scaled and cut to the video's size.",
}  # fmt: skip
CREATE_BODY = _body(
    _FIELDS | {"input_reference": _DATA_URL}, ["prompt"],
    input_reference={"type": "string", "format": "binary"},
)  # fmt: skip
REMIX_BODY = _body({"prompt": _PROMPT}, ["prompt"])
EDIT_BODY = _body({"prompt": _PROMPT, "video": _VIDEO}, ["prompt", "video"])
EXTEND_BODY = _body(
    {"prompt": _PROMPT, "seconds": _SECONDS, "video": _VIDEO}, ["prompt", "seconds", "video"]
)
_ENDPOINT: dict[str, Any] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 200},
    "url": {"type": "string", "description": "HTTPS, and a public address."},
    "event_types": {
        "type": "array", "minItems": 1, "items": {"type": "string", "enum": list(EVENT_TYPES)},
    },
}  # fmt: skip


def _json_body(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    body = _body(properties, required)
    del body["requestBody"]["content"]["multipart/form-data"]
    return body


ENDPOINT_BODY = _json_body(_ENDPOINT, ["name", "url", "event_types"])
ENDPOINT_CHANGE_BODY = _json_body(_ENDPOINT, [])
ENDPOINT_TEST_BODY = _json_body(
    {"event_type": {"type": "string", "enum": list(EVENT_TYPES)}}, ["event_type"]
)
