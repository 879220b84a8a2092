"""Policy files: TOML in, a checked Policy out, errors that point at line and key."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from tercet.consent.policy import Choice, Policy
from tercet.core.condition import ConditionKind
from tercet.core.errors import PolicyError
from tercet.core.ids import sha256_hex
from tercet.core.usage import ALL_USAGES, Usage

BUILT_IN = (
    "strict", "eu-tdm", "research", "uk", "uk-optout", "us-licensed", "us-fair-use-asserted",
)  # fmt: skip


def built_in(policy_id: str) -> Policy:
    """Load one of the policies that come with Tercet. Raises PolicyError for another name."""
    if policy_id not in BUILT_IN:
        raise PolicyError(
            f"no policy named {policy_id!r}",
            hint=f"choose one of {', '.join(BUILT_IN)}, or give the path of a .toml file",
        )
    raw = files("tercet.consent").joinpath("policies", f"{policy_id}.toml").read_bytes()
    return parse_policy(raw, f"{policy_id}.toml")


_TEXT_KEYS = ("id", "version", "title", "summary", "assertion")
_KEYS = {
    *_TEXT_KEYS, "date", "usages", "silence", "ambiguity", "grants_from", "reservations_from",
    "reservations_except", "conditions_met", "must_ask_items", "sources",
}  # fmt: skip


def parse_policy(raw: bytes, name: str) -> Policy:
    """Read a policy file. Raises PolicyError naming the file, the line and the key."""
    try:
        text = raw.decode("utf-8")
        table = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{name}: not valid TOML: {error}") from None
    reader = _PolicyReader(name, text, table)
    reader.check_keys()
    met = reader.choices("conditions_met", [str(kind) for kind in ConditionKind])
    return Policy(
        **{key: reader.text(key) for key in _TEXT_KEYS},
        date=reader.day("date"),
        usages=reader.usages(),
        silence=Choice(reader.choice("silence", [str(choice) for choice in Choice])),
        ambiguity=Choice(reader.choice("ambiguity", ["blocked", "held"])),
        grants_from=frozenset(reader.names("grants_from")),
        reservations_from=reader.names_or_all("reservations_from"),
        reservations_except=frozenset(reader.names("reservations_except")),
        conditions_met=frozenset(ConditionKind(kind) for kind in met),
        must_ask_items=reader.flag("must_ask_items"),
        sources=reader.sources(),
        sha256=sha256_hex(raw),
    )


@dataclass(frozen=True, slots=True)
class _PolicyReader:
    """Reads one value after another and says where a wrong one stands."""

    name: str
    source: str
    table: dict[str, object]

    def fail(self, key: str, expected: str) -> PolicyError:
        match = re.search(rf"(?m)^[ \t]*{re.escape(key)}[ \t]*=", self.source)
        line = self.source.count("\n", 0, match.start()) + 1 if match else 1
        got = f"got {self.table[key]!r:.80}" if key in self.table else "the key is missing"
        return PolicyError(
            f"{self.name}:{line}: {key}: expected {expected}; {got}",
            hint="see docs/policies.md for every key and its values",
        )

    def check_keys(self) -> None:
        for key in self.table:
            if key not in _KEYS:
                raise self.fail(key, f"one of the keys {', '.join(sorted(_KEYS))}")

    def text(self, key: str) -> str:
        value = self.table.get(key)
        if not isinstance(value, str) or (key != "assertion" and not value.strip()):
            raise self.fail(key, "a text")
        return value.strip()

    def day(self, key: str) -> str:
        value = self.table.get(key)
        if not isinstance(value, date):
            raise self.fail(key, "a date such as 2026-11-22 without quotes")
        return value.isoformat()

    def flag(self, key: str) -> bool:
        value = self.table.get(key)
        if not isinstance(value, bool):
            raise self.fail(key, "true or false")
        return value

    def choice(self, key: str, allowed: list[str]) -> str:
        value = self.table.get(key)
        if value not in allowed:
            raise self.fail(key, f"one of {', '.join(allowed)}")
        return str(value)

    def names(self, key: str) -> list[str]:
        value = self.table.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "a list of texts")
        return value

    def names_or_all(self, key: str) -> frozenset[str] | None:
        return None if self.table.get(key) == "all" else frozenset(self.names(key))

    def choices(self, key: str, allowed: list[str]) -> list[str]:
        values = self.names(key)
        if any(value not in allowed for value in values):
            raise self.fail(key, f"only {', '.join(allowed)}")
        return values

    def usages(self) -> frozenset[Usage]:
        if self.table.get("usages") == "all":
            return ALL_USAGES
        values = self.choices("usages", [str(usage) for usage in Usage])
        return frozenset(Usage(value) for value in values)

    def sources(self) -> tuple[tuple[str, str], ...]:
        entries = self.table.get("sources")
        if not isinstance(entries, list) or not entries:
            raise self.fail("sources", "at least one [[sources]] with title and url")
        for entry in entries:
            if not isinstance(entry, dict) or set(entry) != {"title", "url"}:
                raise self.fail("sources", "each [[sources]] with exactly title and url")
        return tuple((str(entry["title"]), str(entry["url"])) for entry in entries)
