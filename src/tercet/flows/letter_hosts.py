"""Asking hosts for the file that shows whose they are, as `check_domains` does for claims."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from tercet.consent.survey import SurveyOptions
from tercet.flows.check_domains import answers_of


def asking(
    contact: str, overrides: tuple[tuple[str, str], ...], *, allow_private: bool = False
) -> Callable[[Sequence[str]], Mapping[str, bytes | None]]:
    """Return a function that asks hosts, each once and politely, and gives their files.

    None for one that could not be asked; a host that said it has no file gave an empty one.
    """
    options = SurveyOptions(contact=contact, allow_private=allow_private, overrides=overrides)

    def ask(hosts: Sequence[str]) -> Mapping[str, bytes | None]:
        answers = asyncio.run(answers_of(hosts, options))
        return {
            host: answer.raw if answer.raw is not None else (b"" if answer.is_final else None)
            for host, answer in zip(hosts, answers, strict=True)
        }

    return ask
