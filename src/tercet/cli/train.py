"""tercet train: a model from the cleared works of a signed clearance, and nothing else."""

from __future__ import annotations

import base64
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from tercet.cli.output import emit_json, progress_bar

if TYPE_CHECKING:
    from tercet.flows.train import Advance, Trained

_LINE_EVERY_S = 2.0
_STOPPED = 130  # what shells report for Ctrl-C


@click.command(short_help="train a model on the cleared works of a clearance, on record")
@click.argument("clearance", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder of the run."
)
@click.option("--size", default="s", show_default=True, help="xs, s, m or l: 2 to 60 M weights.")
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    help="Train an adapter (LoRA) for the Wan pipeline in this folder; its rights stay unknown.",
)
@click.option(
    "--from",
    "parent",
    type=click.Path(path_type=Path),
    help="Begin with the weights of this model; its works must all be cleared here too.",
)
@click.option("--side", default=0, help="Side of clips in pixels, with --base.  [default: 256]")
@click.option("--frames", default=0, help="Frames of clips, with --base.  [default: 81]")
@click.option("--steps", default=20_000, show_default=True, help="Steps until the model is done.")
@click.option("--minutes", default=0.0, help="End this session after so long; run again to go on.")
@click.option("--batch", default=64, show_default=True, help="Clips a step.")
@click.option(
    "--seed", default=0, show_default=True, help="Sets the order, committed at the start."
)
@click.option("--nouns", default="", help="Only works that show these, comma between.")
@click.option("--name", default="", help="Name of the model; default: that of the folder.")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), help="Default: a GPU where there is one."
)
@click.option("--workers", type=click.IntRange(0, 1024), help="Processes that make clips.")
@click.option(
    "--corpus",
    "places",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where the corpus lies, if not where it was cleared.",
)
@click.option(
    "--desk",
    type=click.Path(path_type=Path),
    help="Desk that knows whether agreements still hold, if not the one that was cleared with.",
)
@click.option("--public-key", default="", help="Key the clearance is signed with, if not yours.")
@click.option("--grid-every", default=500, show_default=True, help="Steps between sample pictures.")
@click.option("--key", type=click.Path(path_type=Path), help="Signing key; made on first use.")
@click.option("--json", "as_json", is_flag=True, help="Print the record's summary as JSON.")
def train(
    clearance: Path,
    out: Path,
    size: str,
    base: Path | None,
    parent: Path | None,
    side: int,
    frames: int,
    steps: int,
    minutes: float,
    batch: int,
    seed: int,
    nouns: str,
    name: str,
    device: str | None,
    workers: int | None,
    places: tuple[Path, ...],
    desk: Path | None,
    public_key: str,
    grid_every: int,
    key: Path | None,
    as_json: bool,
) -> int:
    """Train a model on the works that CLEARANCE, the folder of `tercet clear`, lets through.

    Only cleared rows are read, and each work's SHA-256 is compared before it is looked at. The
    order is fixed by the seed before the first step, and every batch is hashed into a chain. A
    run that was stopped or killed goes on by the same command and is shown the same batches. The
    model lies in OUT/model, with the signed record of every work it learned from.
    """
    from tercet.flows.train import TrainRequest
    from tercet.flows.train import train as train_model
    from tercet.store.keys import default_key_path, load_or_make_key

    own = load_or_make_key(key or default_key_path())
    with stop_on_signal() as is_stopped, progress_bar(quiet=as_json) as progress:
        trained = train_model(
            TrainRequest(
                clearance=clearance,
                run=out,
                key=own,
                public_key=public_key or base64.b64encode(own.public_raw).decode(),
                now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                name=name,
                desk=desk,
                size=size,
                base=base,
                parent=parent,
                side_px=side,
                frame_count=frames,
                steps=steps,
                minutes=minutes,
                batch=batch,
                seed=seed,
                nouns=tuple(noun.strip() for noun in nouns.split(",") if noun.strip()),
                places=places,
                device=device or "",
                workers=_workers(workers, device),
                grid_every=grid_every,
                progress=progress,
                advance=_lines(quiet=as_json),
                tell=lambda text: click.echo(text, err=True),
                is_stopped=is_stopped,
            )
        )
    return _show(trained, as_json=as_json)


def _workers(asked: int | None, device: str | None) -> int:
    """Return how many processes make clips: none beside a processor that is busy training."""
    from tercet.flows.pool import processor_count

    if asked is not None:
        return asked
    return 0 if device == "cpu" or processor_count() < 4 else processor_count() - 2


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C or SIGTERM came; a second one ends at once."""
    came: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)
        click.echo("\nstopping after this step; once more to stop at once", err=True)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, remember) for number in numbers]
    try:
        yield lambda: bool(came)
    finally:
        for number, old in zip(numbers, before, strict=True):
            signal.signal(number, old)


def _lines(*, quiet: bool) -> Callable[[Advance], None]:
    """Return what prints a line on stderr every two seconds, and at the last step."""
    if quiet:
        return lambda advance: None
    told_s = 0.0

    def show(advance: Advance) -> None:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s < _LINE_EVERY_S and advance.step < advance.steps:
            return
        told_s = now_s
        click.echo(
            f"step {advance.step:,} of {advance.steps:,}   loss {advance.loss:.4f}   "
            f"{advance.samples_per_s:,.1f} samples/s   {_duration(advance.eta_s)} to go",
            err=True,
        )

    return show


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _show(trained: Trained, *, as_json: bool) -> int:
    record = trained.record
    if as_json:
        emit_json(
            {
                "step": trained.step,
                "steps": trained.steps,
                "chain": trained.chain,
                "model": str(trained.model or ""),
                "record": record,
            }
        )
    elif record:
        click.echo(f"model: {trained.model}")
        click.echo(
            f"learned from {record['works']['count']:,} works by {record['works']['owners']:,} "
            f"owners in {trained.step:,} steps; loss {record['loss']}"
        )
        if "base" in record:
            click.echo(f"{record['rights']} ({record['base']['pipeline']}): an adapter of it")
        click.echo(f"last link of the batch chain: {trained.chain}")
    if trained.step < trained.steps:
        click.echo(
            f"stopped after step {trained.step:,} of {trained.steps:,}, which is saved; the same "
            "command goes on there",
            err=True,
        )
    return 0 if record else _STOPPED
