"""The agreements that a clearance rests on, each in a line that people read: with whom, until when.

From agreements/listed.jsonl, which is what the clearance signs (see agreement_account).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.core.errors import IntegrityError
from tercet.core.usage import TRAINING, Usage
from tercet.store.agreement_evidence import LISTED, read_lines

_NO_MONEY = ("currency", "base", "deductions")


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """One agreement. ``until`` is the first day on which the usage is no longer granted.

    ``mandate`` is the id of the mandate or snapshot that the licensor acts under, "" for its own
    works. ``duties`` are a few words each.
    """

    id: str
    licensor: str
    licensor_id: str
    mandate: str
    rows: int
    until: str
    duties: tuple[str, ...]

    @property
    def with_whom(self) -> str:
        """The licensor by name, and whether it speaks for members."""
        return f"{self.licensor}, for its members" if self.mandate else self.licensor


def agreement_lines(out: Path, document: Mapping[str, Any]) -> tuple[AgreementLine, ...]:
    """Return the agreements of a clearance, those of most rows first; none where it has none.

    Raises IntegrityError.
    """
    if "agreements" not in document:
        return ()
    usage = Usage(document["usage"])
    try:
        found = [_line(each, usage) for each in read_lines(out, LISTED)]
    except (KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"the list of agreements in {out} is not as it was written") from error
    return tuple(sorted(found, key=lambda line: (-line.rows, line.id)))


def _line(listed: Mapping[str, Any], usage: Usage) -> AgreementLine:
    period = listed["period"]
    last = "training_end" if usage in TRAINING else "end"
    days = (period.get("end", ""), period.get(last, ""), listed["terminated_on"])
    return AgreementLine(
        id=str(listed["id"]),
        licensor=str(listed["licensor"]["name"]),
        licensor_id=str(listed["licensor"]["id"]),
        mandate=str(listed["mandate"]),
        rows=int(listed["rows"]),
        until=min(filter(None, days), default=""),
        duties=tuple(duty_words(listed["duties"])),
    )


def duty_words(duties: Mapping[str, Any]) -> Iterator[str]:
    """Yield the duties of an agreement, from their fields, in a few words each."""
    price, report, credit = duties["price"], duties["reporting"], duties["attribution"]
    if any(value for name, value in price.items() if name not in _NO_MONEY):
        yield "pay"
    if months := report["period_months"]:
        yield f"report {'every month' if months == 1 else f'every {months} months'}"
    if credit["method"]:
        yield f"credit by {credit['method']}"
    yield from _copies(duties["retention"])
    yield from _outputs(duties["guards"])
    if duties["audit"]["per_year"]:
        yield "keep books open to audit"


def _copies(retention: Mapping[str, Any]) -> Iterator[str]:
    days = retention["raw_days"]
    yield f"keep copies {days} days at most" if days else "keep no copies after training"
    if not retention["keeps_checkpoints"]:
        yield "keep no checkpoints"


def _outputs(guards: Mapping[str, Any]) -> Iterator[str]:
    names = [name for name in ("persons", "styles", "scenes") if guards[name]]
    if names:
        yield f"no {', '.join(names)} of theirs in outputs"
    if words := len(guards["blocked_words"]):
        yield f"{words} {'word' if words == 1 else 'words'} blocked in prompts"
