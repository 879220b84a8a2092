"""The version of Tercet, which durable documents and the survey's name carry."""

from __future__ import annotations

__version__ = "0.1.0"
