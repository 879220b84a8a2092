"""tercet evaluate: what a model can do, in numbers that stand beside what they compare with."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import emit_json, progress_bar

if TYPE_CHECKING:
    from tercet.studio.evaluation.result import Evaluation


@click.command(short_help="measure a model: prompts, motion, drift, memorisation, cost")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write REPORT.md or .json.")
@click.option(
    "--clearance",
    type=click.Path(path_type=Path),
    help="Folder of `tercet clear`; default: the works beside the model.",
)
@click.option(
    "--corpus",
    "places",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where the corpus lies, if not where it was cleared.",
)
@click.option("--public-key", default="", help="Key the clearance is signed with, if not yours.")
@click.option("--samples", default=200, show_default=True, help="Clips of each kind.")
@click.option(
    "--training-clips", default=2000, show_default=True, help="Compared for memorisation."
)
@click.option("--seconds", default=60, show_default=True, help="Length of the long video; 0: none.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same numbers.")
@click.option("--steps", default=0, help="Denoising steps; default: the model's own.")
@click.option("--guidance", default=0.0, help="Default: the model's own.")
@click.option(
    "--classifier",
    type=click.Path(path_type=Path),
    help="File of the classifier; default: beside the model. Made where it is missing.",
)
@click.option("--judge-steps", default=0, help="Train the classifier for so long; 0: as it needs.")
@click.option("--card", is_flag=True, help="Put the report on the model's card.md as well.")
@click.option("--key", type=click.Path(path_type=Path), help="Your signing key.")
@click.option("--json", "as_json", is_flag=True, help="Print the evaluation as JSON.")
def evaluate(
    model: Path,
    out: Path | None,
    clearance: Path | None,
    places: tuple[Path, ...],
    public_key: str,
    samples: int,
    training_clips: int,
    seconds: int,
    seed: int,
    steps: int,
    guidance: float,
    classifier: Path | None,
    judge_steps: int,
    card: bool,
    key: Path | None,
    as_json: bool,
) -> int:
    """Measure the model in the folder MODEL, and print every number beside its target.

    Subjects, colours, motions and scenes are read from its clips by rule, and by a classifier
    trained here on the model's own corpus; no network trained by others takes part. The status
    is 0 also where targets are missed: the report says which.
    """
    from tercet.flows.evaluate import EvaluateRequest, write_on_card, write_report
    from tercet.flows.evaluate import evaluate as evaluate_model

    with progress_bar(quiet=as_json) as progress:
        found = evaluate_model(
            EvaluateRequest(
                model=model,
                clearance=clearance,
                public_key=public_key or (_own_key(key) if clearance else ""),
                places=places,
                samples=samples,
                training_clips=training_clips,
                seconds=seconds,
                seed=seed,
                steps=steps,
                guidance=guidance,
                classifier=classifier,
                frame_steps=judge_steps,
                clip_steps=max(judge_steps // 3, 1) if judge_steps else 0,
                progress=progress,
            )
        )
    if out is not None:
        write_report(found, out)
    if card:
        write_on_card(found, model)
    if as_json:
        emit_json(found.document())
    else:
        _show(found, out)
    return 0


def _own_key(key: Path | None) -> str:
    from tercet.store.keys import default_key_path, load_or_make_key

    own = load_or_make_key(key or default_key_path())
    return base64.b64encode(own.public_raw).decode()


def _show(found: Evaluation, out: Path | None) -> None:
    from tercet.studio.evaluation.result import targets

    for table in found.tables:
        click.echo(f"{table.combinations} combinations       made    real   chance      n")
        for line in table.lines:
            click.echo(
                f"  {line.attribute:20} {line.made:7.1%} {line.real:7.1%} {line.chance:8.2%} "
                f"{line.count:6}"
            )
    for target in targets(found):
        mark = {True: "met   ", False: "MISSED", None: "-     "}[target.met]
        click.echo(f"{mark} {target.name}: {target.measured} (wanted: {target.wanted})")
    if out is not None:
        click.echo(f"report: {out}")
