"""What a declaration says of one usage at one path, in plain words and by line."""

from __future__ import annotations

from collections.abc import Sequence

from tercet.consent.paths import PathRules
from tercet.consent.reasons import CONDITION_WORDS
from tercet.core.condition import Condition
from tercet.core.declaration import Matching, Reading, Statement
from tercet.core.usage import Permission, Usage

USAGE_WORDS: dict[Usage, str] = {
    Usage.TRAIN_GENERATIVE: "training of generative models",
    Usage.TRAIN_NONGENERATIVE: "training of models that do not generate",
    Usage.AI_INPUT: "input to an AI model",
    Usage.AI_INDEX: "an index for AI",
    Usage.SEARCH: "a search index",
    Usage.MINE: "text and data mining",
}
"""Each usage as it reads in a letter."""

_TERMS_CHARACTERS_MAX = 200


def holding_statements(reading: Reading, usage: Usage, path: bytes) -> tuple[Statement, ...]:
    """Return the statements of ``reading`` that hold for ``usage`` at ``path``.

    ``path`` is in the form of ``paths.normalise_path``. Empty: it says nothing there.
    """
    spoken = [s for s in reading.statements if any(named is usage for named, _ in s.permissions)]
    rules = PathRules.compile(
        (_pattern(s), (usage, Permission.DENY) not in s.permissions) for s in spoken
    )
    match reading.matching:
        case Matching.STRICTEST:
            return tuple(spoken[at] for at in rules.all(path))
        case Matching.FIRST:
            at = rules.first(path)
        case Matching.LONGEST:
            at = rules.longest(path)
    return (spoken[at],) if at >= 0 else ()


def say_reading(reading: Reading, usage: Usage, path: bytes) -> str:
    """Return what ``reading`` says, as a clause that follows "it"; "" when it says nothing."""
    held = holding_statements(reading, usage, path)
    said = [_statement(statement, usage) for statement in held]
    return ", and ".join(dict.fromkeys(said))


def say_declaration(
    readings: Sequence[Reading], usage: Usage, path: bytes, *, fault: str = ""
) -> str:
    """Return what a declaration says, in one sentence; every reading of an ambiguous text."""
    said = list(dict.fromkeys(say_reading(reading, usage, path) for reading in readings))
    clauses = [clause or "says nothing of this use" for clause in said]
    if fault:
        known = [clause for clause in said if clause and not clause.startswith("gives no")]
        rest = f"; what can be read {known[0]}" if known else ""
        return f"It cannot be read with certainty ({fault}){rest}."
    if len(clauses) > 1:
        return "It can be read in two ways: it " + ", or it ".join(clauses) + "."
    return f"It {clauses[0]}." if clauses else "It says nothing of this use."


def holding_lines(readings: Sequence[Reading], usage: Usage, path: bytes) -> tuple[int, ...]:
    """Return the lines of the statements that hold in any reading, in order; 0 is left out."""
    held = (s for reading in readings for s in holding_statements(reading, usage, path))
    return tuple(sorted({s.line for s in held if s.line}))


def _pattern(statement: Statement) -> bytes:
    return (statement.pattern or "").encode("utf-8", "surrogateescape")


def _statement(statement: Statement, usage: Usage) -> str:
    permission = dict(statement.permissions)[usage]
    terms = _terms(statement.conditions)
    match permission:
        case Permission.ALLOW:
            return "allows this use"
        case Permission.DENY:
            return "forbids this use" + (f", and names these terms: {terms}" if terms else "")
        case Permission.CONDITIONAL:
            return "allows this use on conditions: " + (terms or "not stated")
        case Permission.HOLD:
            return "asks to hold this use until a person has decided"
        case Permission.UNKNOWN:
            return "gives no certain answer for this use" + (f"; see {terms}" if terms else "")


def _terms(conditions: tuple[Condition, ...]) -> str:
    """Return conditions as a list, with a URL that all of them share named once."""
    urls = {condition.url for condition in conditions}
    shared = urls.pop() if len(urls) == 1 else ""
    words = "; ".join(_condition(c, with_url=not shared) for c in conditions)
    return words + (f" ({shared})" if shared else "")


def _condition(condition: Condition, *, with_url: bool) -> str:
    words = CONDITION_WORDS[condition.kind]
    if condition.price is not None:
        unit = f" for {condition.price_unit}" if condition.price_unit else ""
        words += f" of {condition.price}{unit}"
    text = " ".join(condition.text.split())
    if len(text) > _TERMS_CHARACTERS_MAX:
        text = text[:_TERMS_CHARACTERS_MAX] + "..."
    said = f': "{text}"' if text else ""
    return words + said + (f" ({condition.url})" if condition.url and with_url else "")
