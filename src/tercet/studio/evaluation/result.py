"""The result of an evaluation: every number with what it is to be compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tercet.studio.evaluation.memorisation import Memorisation

EVALUATION_TYPE = "tercet/evaluation@1"
ACCURACY_TARGET, ATTRIBUTE_TARGET = 0.80, 0.90
DRIFT_TARGET = 0.05
MINUTE_TARGET_S, MEMORY_TARGET_BYTES = 180.0, 2_000_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One attribute: how often it is right in made clips, and in real clips of the same recipes.

    ``low`` and ``high`` are the 95 % interval of ``made``; ``real`` is what the judge itself gets
    right, the most that ``made`` can be trusted to reach; ``mismatched`` is what real clips of
    other captions come to, the least that says anything; ``chance`` is one in the number of
    answers.
    """

    attribute: str
    judge: str
    made: float
    low: float
    high: float
    real: float
    mismatched: float
    chance: float
    count: int


@dataclass(frozen=True, slots=True)
class PromptTable:
    """Prompt accuracy on one kind of combinations: ``seen`` in training, or ``held out``."""

    combinations: str
    lines: tuple[Line, ...]
    second: tuple[Line, ...]

    def line(self, attribute: str) -> Line:
        """Return the line of an attribute, or of ``all``."""
        return next(line for line in self.lines if line.attribute == attribute)


@dataclass(frozen=True, slots=True)
class DistanceLine:
    """Fréchet distances to real clips, in the features of one network.

    ``made`` of made clips; ``real`` of other real clips, the least there is; ``shuffled`` of real
    clips whose frames are out of order.
    """

    features: str
    made: float
    real: float
    shuffled: float
    count: int


@dataclass(frozen=True, slots=True)
class TimeLine:
    """A number of what happens in time, in levels of 255: of made clips and of real ones."""

    name: str
    made: float
    real: float


@dataclass(frozen=True, slots=True)
class DriftLine:
    """Five seconds of the long video: how well it follows its prompt, and how far its colours
    are from those of the first five seconds (0 alike, 1 nothing alike)."""

    begin_s: float
    accuracy: float
    colour_shift: float


@dataclass(frozen=True, slots=True)
class Drift:
    """Long videos, every one of one prompt all through. ``seam`` is the step across a join against
    the step between other frames: 1 is a join that cannot be told."""

    videos: int
    duration_s: float
    lines: tuple[DriftLine, ...]
    seam: float

    @property
    def change(self) -> float:
        """Accuracy of the last five seconds less that of the first."""
        return self.lines[-1].accuracy - self.lines[0].accuracy


@dataclass(frozen=True, slots=True)
class Cost:
    """What a video costs on this machine. ``peak_bytes`` is of the whole process."""

    machine: str
    width_px: int
    height_px: int
    duration_s: float
    cpu_s: float
    wall_s: float
    first_frame_s: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything `tercet evaluate` measured, and with what."""

    model: str
    model_sha256: str
    stage_sha256: str
    classifier_sha256: str
    seed: int
    steps: int
    guidance: float
    tables: tuple[PromptTable, ...]
    distances: tuple[DistanceLine, ...]
    times: tuple[TimeLine, ...]
    drift: Drift | None
    memorised: Mapping[str, Memorisation]
    training_clips: int
    cost: Cost | None

    def document(self) -> dict[str, Any]:
        """Return the evaluation as a JSON document."""
        return {
            "type": EVALUATION_TYPE,
            **asdict(self),
            "targets": [asdict(t) for t in targets(self)],
        }


@dataclass(frozen=True, slots=True)
class Target:
    """A target, the number measured, and whether it is met; None where it was not measured."""

    name: str
    wanted: str
    measured: str
    met: bool | None


def targets(evaluation: Evaluation) -> tuple[Target, ...]:
    """Return every target beside what was measured."""
    found = {table.combinations: table for table in evaluation.tables}
    rows = []
    held_out = found.get("held out")
    if held_out is not None:
        whole = held_out.line("all")
        rows.append(
            Target(
                "all attributes right, held-out combinations",
                f"at least {ACCURACY_TARGET:.0%}",
                f"{whole.made:.1%}",
                whole.made >= ACCURACY_TARGET,
            )
        )
        least = min((line for line in held_out.lines[:-1] if line.count), key=lambda at: at.made)
        rows.append(
            Target(
                "each attribute right, held-out combinations",
                f"at least {ATTRIBUTE_TARGET:.0%}",
                f"least: {least.attribute} {least.made:.1%}",
                least.made >= ATTRIBUTE_TARGET,
            )
        )
    rows += [_drift_target(evaluation.drift), *_memory_targets(evaluation.memorised)]
    return (*rows, *_cost_targets(evaluation.cost))


def _drift_target(drift: Drift | None) -> Target:
    wanted = f"within {100 * DRIFT_TARGET:.0f} points of the first"
    if drift is None:
        return Target("accuracy of the last 5 s", wanted, "not measured", None)
    change = f"{100 * drift.change:+.1f} points"
    return Target("accuracy of the last 5 s", wanted, change, drift.change >= -DRIFT_TARGET)


def _memory_targets(memorised: Mapping[str, Memorisation]) -> list[Target]:
    return [
        Target(
            f"share nearer to a training clip than the 1st percentile, by {name}",
            f"at most {each.real_share:.1%}, as among real clips",
            f"{each.made_share:.1%}",
            each.made_share <= each.real_share,
        )
        for name, each in memorised.items()
    ]


def _cost_targets(cost: Cost | None) -> list[Target]:
    wanted = f"under {MINUTE_TARGET_S:.0f} s and {MEMORY_TARGET_BYTES / 1e9:.0f} GB"
    name = "a minute at 512 px"
    if cost is None:
        return [Target(name, wanted, "not measured", None)]
    minute_s = cost.wall_s * 60.0 / cost.duration_s
    met = minute_s < MINUTE_TARGET_S and cost.peak_bytes < MEMORY_TARGET_BYTES
    said = f"{minute_s:.0f} s, {cost.peak_bytes / 1e9:.2f} GB ({cost.machine})"
    return [Target(name, wanted, said, met)]
