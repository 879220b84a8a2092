"""How commands speak: data on stdout, everything else on stderr; NO_COLOR honoured."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tercet.core.errors import TercetError

if TYPE_CHECKING:
    from rich.console import Console

_LINE_EVERY_S = 5.0  # of progress, where there is no terminal


def show_error(error: TercetError, *, as_json: bool) -> None:
    """Print an error on stderr: as `error:` and `hint:`, or as a problem document."""
    if as_json:
        click.echo(json.dumps(error.problem()), err=True)
        return
    from tercet.flows.report_markup import plain

    click.echo(f"error: {plain(error.message)}", err=True)
    if error.hint:
        click.echo(f"\nhint: {plain(error.hint)}", err=True)


def emit_json(document: Any) -> None:
    """Print a document on stdout as JSON."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True))


def console(*, err: bool = False) -> Console:
    """Return a console that uses no colour unless its stream is a terminal."""
    from rich.console import Console

    return Console(stderr=err, no_color=bool(os.environ.get("NO_COLOR")), highlight=False)


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Give a function (stage, done, total) that shows progress on stderr.

    A total of 0 means it is not known. Without a terminal a line is printed at the end of a
    stage, and every few seconds.
    """
    if quiet:
        yield lambda stage, done, total: None
        return
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console(err=True)) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield show


def _plain_progress() -> Callable[[str, int, int], None]:
    """A line when a stage ends, and every few seconds until then."""
    told_s: dict[str, float] = {}

    def show(stage: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if not total and stage not in told_s:
            click.echo(stage, err=True)
        due = now_s - told_s.setdefault(stage, now_s) >= _LINE_EVERY_S
        if total and (due or done == total):
            told_s[stage] = now_s
            click.echo(f"{stage} {done:,} of {total:,}", err=True)

    return show
