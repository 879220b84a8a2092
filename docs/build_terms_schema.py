"""Write the JSON Schema of terms from the types and rules that it comes from.

python docs/build_terms_schema.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tercet.consent.licences.terms_schema import terms_schema

FILE = (
    Path(__file__).resolve().parent.parent / "src/tercet/consent/licences/terms.schema.json"
)  # shipped in the wheel


def schema_text() -> str:
    """Return the whole file."""
    return json.dumps(terms_schema(), indent=1, ensure_ascii=True) + "\n"


def main() -> int:
    """Write the file."""
    FILE.write_text(schema_text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
