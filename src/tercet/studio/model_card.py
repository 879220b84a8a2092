"""The model card: what a person should know of a model, written from its record alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tercet.studio.training_record import NOT_READABLE

_NOTHING_ELSE = ", and nothing else: no pretrained network is inside it"


def model_card(record: Mapping[str, Any], name: str) -> str:
    """Return the card of a model as Markdown; every number in it stands in the record."""
    works, clearance, settings = record["works"], record["clearance"], record["settings"]
    hardware, cost, policy = record["hardware"], record["cost"], clearance["policy"]
    unfinished = int(settings["steps"]) - record["steps"]
    until = f", {unfinished:,} before the end that was planned" if unfinished > 0 else ""
    base = record.get("base")
    rows = [
        ("Learned from", f"{works['count']:,} works by {works['owners']:,} owners"
         + ("" if base else _NOTHING_ELSE)),
        *_base_rows(record),
        *_parent_rows(record),
        ("Every one listed in", f"`{works['file']}` (SHA-256 `{works['sha256']}`)"),
        ("Cleared under", f"policy {policy['id']}, version {policy['version']}, clearance "
         f"`{clearance['sha256']}`"),
        ("Rows of the clearance", ", ".join(
            f"{count:,} {verdict}" for verdict, count in clearance["verdicts"].items())),
        ("Size", f"rank {settings.get('rank', '')}" if base else
         f"{settings.get('size', '')}: width {settings.get('width', '')}, "
         f"depth {settings.get('depth', '')}"),
        ("Steps", f"{record['steps']:,} of {record['order']['batch']} samples each{until}"),
        ("Loss at the end", record["loss"]),
        ("Batch chain", f"from `{record['chain']['first']}` to `{record['chain']['last']}`"),
        ("Made on", ", ".join(part for part in (
            hardware["gpu"], hardware["processor"], f"{hardware['cores']} cores") if part)),
        ("Took", f"{cost['wall_s']:,} s, {cost['cpu_s']:,} s of processor time, "
         f"{cost['sessions']} sessions"),
        ("Energy", f"processor {_energy(cost['processor_joules'])}, "
         f"GPU {_energy(cost['gpu_joules'])}"),
    ]  # fmt: skip
    kind = "An adapter for a text-to-video model of unknown rights, trained by Tercet."
    if not base:
        kind = "A text-to-video model, trained from scratch by Tercet."
    lines = [f"# {name}", "", kind, ""]
    lines += ["| | |", "|---|---|", *(f"| {title} | {_cell(text)} |" for title, text in rows), ""]
    lines += [
        "`tercet verify FOLDER` checks this folder: signature, digests and the batch chain. The",
        "record shows what was declared and bound to the run; it cannot show what an operator did",
        "outside of it.",
        "",
    ]
    return "\n".join(lines)


def _base_rows(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    base = record.get("base")
    if not base:
        return []
    found = f"{base['pipeline']}, {len(base['files'])} files, SHA-256 `{base['sha256']}`"
    return [("Stands on", found), ("Rights", record["rights"])]


def _parent_rows(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    parent = record.get("parent")
    if not parent:
        return []
    found = f"{parent['name']}, `{parent['model_sha256']}`, its record `{parent['record_sha256']}`"
    return [
        ("Began with the weights of", found),
        ("Samples until then", f"{parent['samples']:,}, of works that are all cleared here too"),
    ]


def _energy(joules: int | str) -> str:
    return NOT_READABLE if isinstance(joules, str) else f"{joules:,} J"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
