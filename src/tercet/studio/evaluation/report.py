"""The evaluation in words: the section of a model card, written from the document alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SECTION_TITLE = "## Evaluation"
_MARKS = {True: "met", False: "**missed**", None: "not measured"}


def evaluation_section(document: Mapping[str, Any]) -> str:
    """Return an evaluation (`tercet/evaluation@1`) as Markdown, to stand on the model card.

    Every number is printed, those that miss their target too.
    """
    parts = [
        SECTION_TITLE,
        f"`tercet evaluate` of {_cell(document['model'])} (`{document['model_sha256'][:16]}`), "
        f"{document['steps']} steps, guidance {document['guidance']:g}, seed {document['seed']}. "
        "No network trained by others takes part.",
        _table(
            ("target", "wanted", "measured", ""),
            [
                (each["name"], each["wanted"], each["measured"], _MARKS[each["met"]])
                for each in document["targets"]
            ],
        ),
    ]
    for table in document["tables"]:
        parts += _prompts(table)
    parts += _distances(document) + _times(document) + _drift(document)
    parts += _memory(document) + _cost(document)
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if 0.001 <= share < 1 or not share else f"{100 * share:.3g} %"


def _prompts(table: Mapping[str, Any]) -> list[str]:
    """Return prompt accuracy: what the rules say, and the classifier beside it."""
    second = {line["attribute"]: line for line in table["second"]}
    head = (
        "attribute", "right", "95 % interval", "real clips", "real clips of other captions",
        "chance", "n", "by the classifier (real clips)",
    )  # fmt: skip
    rows = []
    for line in table["lines"]:
        other = second.get(line["attribute"])
        rows.append(
            (
                line["attribute"],
                f"**{_percent(line['made'])}**",
                f"{_percent(line['low'])} to {_percent(line['high'])}",
                _percent(line["real"]),
                _percent(line["mismatched"]),
                _percent(line["chance"]),
                str(line["count"]),
                f"{_percent(other['made'])} ({_percent(other['real'])})" if other else "–",
            )
        )
    title = f"### Does it follow the prompt? {table['combinations'].capitalize()} combinations"
    return [title, _table(head, rows)]


def _distances(document: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            line["features"],
            f"**{line['made']:.3g}**",
            f"{line['real']:.3g}",
            f"{line['shuffled']:.3g}",
            str(line["count"]),
        )
        for line in document["distances"]
    ]
    head = ("features of", "made clips", "other real clips", "real, frames shuffled", "clips a set")
    said = "Fréchet distance to real clips. Only numbers of one row may be compared."
    return ["### How near to real clips?", said, _table(head, rows)]


def _times(document: Mapping[str, Any]) -> list[str]:
    rows = [
        (line["name"], f"**{line['made']:.2f}**", f"{line['real']:.2f}")
        for line in document["times"]
    ]
    said = "In levels of 255; motion counts as flicker too, so real clips of the same recipes are "
    return ["### In time", said + "beside it.", _table(("", "made", "real"), rows)]


def _drift(document: Mapping[str, Any]) -> list[str]:
    drift = document["drift"]
    if drift is None:
        return []
    rows = [
        (
            f"{line['begin_s']:.0f} to {line['begin_s'] + 5:.0f} s",
            _percent(line["accuracy"]),
            f"{line['colour_shift']:.3f}",
        )
        for line in drift["lines"]
    ]
    said = (
        f"{drift['videos']} videos of {drift['duration_s']:.0f} s of one prompt each: accuracy of "
        "what lasts (subject, colour, place, time, weather, count), and how far the colours are "
        f"from those of the first five seconds. A join of scenes is a step of {drift['seam']:.2f} "
        "times another one."
    )
    return ["### Over a minute", said, _table(("", "accuracy", "colour shift"), rows)]


def _memory(document: Mapping[str, Any]) -> list[str]:
    if not document["memorised"]:
        return ["### Memorisation", "Not measured: there is no training record beside the model."]
    rows = [
        (
            name,
            f"{each['made_distance']:.3g}",
            f"{each['real_distance']:.3g}",
            f"**{_percent(each['made_share'])}**",
            _percent(each["real_share"]),
            str(each["made_count"]),
        )
        for name, each in document["memorised"].items()
    ]
    head = (
        "by", "median distance, made", "real, unseen", "made nearer than the 1st percentile",
        "real nearer", "n",
    )  # fmt: skip
    said = f"The nearest of {document['training_clips']:,} clips it was trained on."
    return ["### Memorisation", said, _table(head, rows)]


def _cost(document: Mapping[str, Any]) -> list[str]:
    cost = document["cost"]
    if cost is None:
        return []
    seconds = cost["duration_s"]
    said = (
        f"{seconds:.0f} s of video at {cost['width_px']} x {cost['height_px']} took "
        f"{cost['wall_s']:.1f} s and {cost['cpu_s']:.1f} s of processor time "
        f"({cost['cpu_s'] / seconds:.2f} a second of video); first frame after "
        f"{cost['first_frame_s']:.1f} s; at most {cost['peak_bytes'] / 1e9:.2f} GB. "
        f"On {_cell(cost['machine'])}, frames only, not encoded."
    )
    return ["### Cost", said]
