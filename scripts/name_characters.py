"""Write src/tercet/consent/licences/name_characters.json from Unicode's own data.

    python scripts/name_characters.py ICU_LIBRARY_FOLDER ICU_MAJOR UCD_FOLDER

ICU holds confusables.txt and IdentifierStatus.txt of UTS 39 (ICU 72: version 15.0) and is asked
through its C interface; Scripts.txt and ScriptExtensions.txt come from the Unicode Character
Database of the same version. Done once for each version of Unicode; nobody else needs ICU.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

OUT = Path(__file__).parent.parent / "src/tercet/consent/licences/name_characters.json"
ROW = re.compile(r"([0-9A-F]+)(?:\.\.([0-9A-F]+))?\s*;\s*([^#]+?)\s*#")
CODE_POINTS = [point for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]


class Icu:
    """The few functions of ICU that are asked."""

    def __init__(self, folder: Path, major: str) -> None:
        self.error = ctypes.c_int(0)
        libraries = [
            ctypes.CDLL(str(folder / f"lib{name}.so.{major}"), mode=ctypes.RTLD_GLOBAL)
            for name in ("icudata", "icuuc", "icui18n")
        ]
        self.contains = getattr(libraries[1], f"uset_contains_{major}")
        self.contains.argtypes, self.contains.restype = (
            [ctypes.c_void_p, ctypes.c_int32],
            ctypes.c_bool,
        )
        self.functions = {
            name: getattr(libraries[2], f"uspoof_{name}_{major}")
            for name in ("open", "getSkeletonUTF8", "getRecommendedSet", "getInclusionSet")
        }
        for function in self.functions.values():
            function.restype = ctypes.c_void_p
        self.functions["getSkeletonUTF8"].restype = ctypes.c_int32
        self.checker = ctypes.c_void_p(self.functions["open"](ctypes.byref(self.error)))

    def allowed(self) -> set[int]:
        """Return the code points of Identifier_Status Allowed."""
        names = ("getRecommendedSet", "getInclusionSet")
        sets = [self.functions[name](ctypes.byref(self.error)) for name in names]
        return {p for p in CODE_POINTS if any(self.contains(each, p) for each in sets)}

    def skeleton(self, text: str) -> str:
        """Return the skeleton of UTS 39 section 4."""
        raw, out = text.encode(), ctypes.create_string_buffer(1000)
        size = self.functions["getSkeletonUTF8"](
            self.checker, 0, raw, len(raw), out, len(out), ctypes.byref(self.error)
        )
        return out.raw[:size].decode()


def rows(file: Path) -> Iterator[tuple[range, str]]:
    """Yield the ranges of a file of the Unicode Character Database with their values."""
    for line in file.read_text("utf-8").splitlines():
        if found := ROW.match(line):
            first, last, value = found.groups()
            yield range(int(first, 16), int(last or first, 16) + 1), value


def ranges(points: Iterable[int]) -> str:
    """Return code points as "41-5A 61-7A"."""
    parts: list[list[int]] = []
    for point in sorted(points):
        if parts and parts[-1][1] == point - 1:
            parts[-1][1] = point
        else:
            parts.append([point, point])
    return " ".join(f"{a:X}-{b:X}" if a != b else f"{a:X}" for a, b in parts)


def scripts_of(folder: Path, allowed: set[int]) -> dict[str, str]:
    """Return the allowed code points of each script or set of scripts, by short names."""
    aliases = (folder / "PropertyValueAliases.txt").read_text("utf-8")
    short = {long: name for name, long in re.findall(r"(?m)^sc ; (\w+) *; (\w+)", aliases)}
    script = {p: short[value] for r, value in rows(folder / "Scripts.txt") for p in r}
    script |= {p: value for r, value in rows(folder / "ScriptExtensions.txt") for p in r}
    points: dict[str, set[int]] = {}
    for point in allowed & script.keys():  # the rest is not assigned yet
        points.setdefault(script[point], set()).add(point)
    return {name: ranges(points[name]) for name in sorted(points)}


def main(icu_folder: str, major: str, ucd_folder: str) -> None:
    """Write the table."""
    icu = Icu(Path(icu_folder), major)
    allowed = icu.allowed()
    apart = [p for p in CODE_POINTS if unicodedata.normalize("NFD", chr(p)) == chr(p)]
    confusables = {chr(p): icu.skeleton(chr(p)) for p in apart}
    table = {
        "source": "Unicode 15.0: UTS 39 confusables.txt and IdentifierStatus.txt, Scripts.txt, "
        "ScriptExtensions.txt. Copyright 1991-2022 Unicode, Inc., Unicode License v3",
        "scripts": scripts_of(Path(ucd_folder), allowed),
        "confusables": {a: b for a, b in confusables.items() if a != b},
    }
    OUT.write_text(json.dumps(table, ensure_ascii=False, indent=0) + "\n", "utf-8")
    print(f"{len(allowed)} allowed, {len(table['confusables'])} confusable: {OUT}")


if __name__ == "__main__":
    main(*sys.argv[1:])
