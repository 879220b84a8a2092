"""tercet generate: a prompt becomes a video, with its credentials and credits."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import emit_json, progress_bar
from tercet.core.errors import InputError

if TYPE_CHECKING:
    from tercet.flows.generate import Made
    from tercet.studio.engines.engine import Picture, Progress, Shot


@click.command(short_help="make a video of up to a minute from a prompt, with its credits")
@click.argument("prompt", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="OUT.mp4.")
@click.option("--seconds", type=float, help="Length; default 10, or that of the storyboard.")
@click.option("--size", default="512x512", show_default=True, help="Width x height, even.")
@click.option("--fps", type=int, default=16, show_default=True, help="Frames a second, 8 to 30.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same video.")
@click.option("--engine", default="house", show_default=True, help="What makes the pictures.")
@click.option("--model", default="", help="Model of the engine: a name, a folder, an address.")
@click.option(
    "--storyboard",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON list of shots, each with prompt and seconds, instead of PROMPT.",
)
@click.option("--steps", type=int, default=0, help="Denoising steps; 0: the engine's own.")
@click.option("--guidance", type=float, default=0.0, help="Guidance; 0: the engine's own.")
@click.option("--negative", default="", help="What is not to be seen.")
@click.option(
    "--input",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Picture that the video begins with, where the engine can.",
)
@click.option("--lora", default="", help="Local LoRA weights (.safetensors), for diffusers.")
@click.option("--device", default="", help="cpu or cuda; default: what there is.")
@click.option("--webm", is_flag=True, help="Write OUT.webm (VP9) as well.")
@click.option("--key", type=click.Path(path_type=Path), help="Signing key; made on first use.")
@click.option("--json", "as_json", is_flag=True, help="Tell what was made as JSON.")
def generate(
    prompt: str | None,
    output: Path,
    seconds: float | None,
    size: str,
    fps: int,
    seed: int,
    engine: str,
    model: str,
    storyboard: Path | None,
    steps: int,
    guidance: float,
    negative: str,
    picture: Path | None,
    lora: str,
    device: str,
    webm: bool,
    key: Path | None,
    as_json: bool,
) -> int:
    """Make a video from PROMPT: what is to be seen, one thing after another.

    The video carries Content Credentials; OUT.credits.json beside it says whose works stand
    behind it. Nothing appears under its name before it is whole.
    """
    from tercet.flows.generate import generate as make
    from tercet.flows.generate_request import Request, parse_size

    if (prompt is None) == (storyboard is None):
        raise InputError("expected either a PROMPT or a --storyboard", hint="give one of them")
    width_px, height_px = parse_size(size)
    request = Request(
        prompt=prompt or "",
        duration_s=10.0 if seconds is None else seconds,
        width_px=width_px,
        height_px=height_px,
        frames_per_second=fps,
        seed=seed,
        engine=engine,
        model=model,
        lora=lora,
        device=device,
        shots=_shots(storyboard, seconds),
        steps=steps,
        guidance=guidance,
        negative_prompt=negative,
        first_picture=_picture(picture),
        webm=webm,
    )
    with progress_bar(quiet=as_json) as show:
        shown = [-1]

        def report(progress: Progress) -> None:  # called at every frame, too
            if progress.done != shown[0]:
                shown[0] = progress.done
                show("making the video", progress.done, progress.total)

        made = make(request, output, report, key_path=key)
    if as_json:
        emit_json(made.document())
    else:
        _tell(made)
    return 0


def _shots(path: Path | None, seconds: float | None) -> tuple[Shot, ...]:
    """Return the shots of a storyboard file; --seconds, if given, must be what they add up to."""
    if path is None:
        return ()
    from tercet.flows.generate_request import file_bytes
    from tercet.studio.storyboard import STORYBOARD_BYTES_MAX, given_storyboard

    shots = given_storyboard(file_bytes(path, STORYBOARD_BYTES_MAX))
    total_s = math.fsum(shot.duration_s for shot in shots)
    if seconds is not None and not math.isclose(seconds, total_s, abs_tol=1e-3):
        raise InputError(
            f"the storyboard has {total_s:g} seconds, not {seconds:g}", hint="leave out --seconds"
        )
    return shots


def _picture(path: Path | None) -> Picture | None:
    if path is None:
        return None
    from tercet.core.limits import PICTURE_BYTES_MAX
    from tercet.flows.generate_picture import decoded_picture
    from tercet.flows.generate_request import file_bytes

    return decoded_picture(file_bytes(path, PICTURE_BYTES_MAX), str(path))


def _tell(made: Made) -> None:
    """Tell where everything is, and with it the rights mark."""
    from tercet.flows.report_markup import plain

    click.echo(
        f"{plain(str(made.video))}: {made.duration_s:g} s, {made.width_px}x{made.height_px}, "
        f"{made.frames_per_second} frames a second, {made.byte_count:,} bytes, "
        f"made in {made.taken_s:.1f} s"
    )
    click.echo(f"engine   {made.engine}, {made.origin.value}: {made.rights.value}")
    click.echo(f"credits  {_credits_words(made)}")
    for unknown in made.unknown:
        near = f": did you mean {' or '.join(unknown.near)}?" if unknown.near else ""
        click.echo(f"unknown  {plain(unknown.word)}{near}", err=True)
    if made.left_out:
        click.echo(f"left out {', '.join(made.left_out)}: too many for one scene", err=True)
    for file in made.files[:-1]:
        click.echo(f"         {plain(str(file))}")


def _credits_words(made: Made) -> str:
    if not made.credits:
        return "nobody knows whose works are behind it"
    owners = len({credit.owner for credit in made.credits})
    methods = ", ".join(sorted({credit.method for credit in made.credits}))
    works = f"{len(made.credits):,} work{'' if len(made.credits) == 1 else 's'}"
    return f"{works} of {owners:,} owner{'' if owners == 1 else 's'} ({methods})"
