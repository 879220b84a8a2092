"""Contexts become HTML: the templates, and what every page's answer carries in its head."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.flows.report_markup import plain
from tercet.web.contexts import (
    GalleryContext,
    JobContext,
    ProblemContext,
    RatesContext,
    StudioContext,
    VideoContext,
)

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"

Context = StudioContext | JobContext | VideoContext | GalleryContext | RatesContext | ProblemContext

TEMPLATE_OF: dict[type, str] = {
    StudioContext: "studio.html",
    JobContext: "job.html",
    VideoContext: "video.html",
    GalleryContext: "gallery.html",
    RatesContext: "rates.html",
    ProblemContext: "problem.html",
}
PROGRESS_TEMPLATE = "progress_answer.html"

# No script or style but our own files, nothing from elsewhere, no frame around us.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: that would make browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    # Not no-store: browsers would then forget what was typed when somebody goes back.
    "Cache-Control": "no-cache",
}


@cache
def templates() -> Environment:
    """Return the templates: everything is escaped, and an unknown name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = plain
    return environment


def page(context: Context) -> str:
    """Return the whole page of a context."""
    return templates().get_template(TEMPLATE_OF[type(context)]).render(**names(context))


def progress(context: JobContext) -> str:
    """Return the part of a job's page that is fetched again and again."""
    return templates().get_template(PROGRESS_TEMPLATE).render(**names(context))


def names(context: Context) -> dict[str, Any]:
    """Return what a template sees: the fields and properties of its context, by name."""
    kind = type(context)
    properties = [name for name, value in vars(kind).items() if isinstance(value, property)]
    return {
        name: getattr(context, name)
        for name in (*(each.name for each in fields(context)), *properties)
    }
