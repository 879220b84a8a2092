"""What letters of 400 and of 11,500 signatories cost: signing, taking in, verifying, exporting.

Each step is told in CPU seconds, with the peak memory of the process so far. `--people N` chooses
another size; names are Vietnamese, Ukrainian, Polish and English.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

from tercet.consent.licences.letter import LetterSignature, Visibility, signature_document
from tercet.consent.licences.signing import signed
from tercet.consent.licences.standing import Standing, check_signers
from tercet.core.canonical import canonical_json
from tercet.core.strict_json import read_json_object
from tercet.flows.desk import OpenDesk, add_party, make_desk
from tercet.flows.letter import (
    Person,
    check_export,
    public,
    sign_by_key,
    signature_by,
    signed_export,
    take_signing,
    take_vouch,
    vouch_for,
    write_letter,
)
from tercet.flows.letter_page import letter_page
from tercet.flows.letter_print import letter_pdf

GIVEN = ["Nguyễn Thị", "Trần Văn", "Олександра", "Дмитро", "Anna", "José", "Đặng", "Łucja", "Søren"]
FAMILY = ["Hương", "Đức", "Шевченко", "Ковальчук", "Müller", "García", "Thuỷ", "Wójcik", "Smith"]
WORK = ["Composer", "Director", "Animator", "Illustrator", "Singer", "Writer", "Puppeteer"]
LANDS = ["VN", "UA", "DE", "FR", "US", "BR", "PL", "IS"]
Result = TypeVar("Result")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="*", default=[400, 11_500])
    for count in parser.parse_args().people:
        with tempfile.TemporaryDirectory() as folder:
            measure(count, Path(folder))


def measure(count: int, folder: Path) -> None:
    """Measure a letter of ``count`` signatories."""
    print(f"{count:,} signatories")
    keeper = make_desk(folder / "keeper", "Keeper")
    collective = make_desk(folder / "collective", "Collective")
    add_party(keeper, [version.document for version in collective.history.versions])
    text = "\n\n".join("We make what models learn from. Ask us first." for _ in range(20))
    letter = write_letter(keeper, title="Our works", text=text, language="en")
    people = crowd(collective, letter.sha256, count)
    by_key(keeper, people)
    parcel = step("vouch: sign", lambda: vouch_for(collective, letter.sha256, people))
    raw = json.dumps(parcel, ensure_ascii=False).encode()
    read = step(
        f"vouch: read {len(raw) / 1e6:.2f} MB",
        lambda: read_json_object(raw, bytes_max=len(raw)),
    )
    step("vouch: verify and keep", lambda: take_vouch(keeper, read, [collective.party.id]))
    shown = step("count", lambda: public(keeper, letter))
    document = step("export: sign", lambda: signed_export(keeper, shown))
    written = canonical_json(document)
    again = step(
        f"export: read {len(written) / 1e6:.2f} MB",
        lambda: read_json_object(written, bytes_max=len(written)),
    )
    step("export: verify", lambda: check_export(again, keeper.clock()))
    page = step("HTML", lambda: letter_page(shown))
    pdf = step("PDF", lambda: letter_pdf(shown))
    print(f"  JSON {len(written):,} bytes, HTML {len(page.encode()):,}, PDF {len(pdf):,}; "
          f"{shown.counts.verified:,} verified, {shown.counts.named:,} named")  # fmt: skip
    one = make_desk(folder / "one", "One More")
    signing = sign_by_key(one, letter.sha256, Person("One More"))
    step("one more signature by key", lambda: take_signing(keeper, signing))


def crowd(desk: OpenDesk, letter: str, count: int) -> list[LetterSignature]:
    """Return people of many names, professions and countries; most want to be named."""
    random = Random(1)
    at = desk.clock()
    return [
        signature_by(
            Person(
                f"{random.choice(GIVEN)} {random.choice(FAMILY)}",
                random.choice(WORK),
                random.choice(LANDS),
                random.choices(list(Visibility), [8, 1, 1])[0],
            ),
            letter,
            signature_id=desk.make_id(),
            made_at=at,
        )
        for _ in range(count)
    ]


def by_key(keeper: OpenDesk, people: list[LetterSignature]) -> None:
    """Sign and verify each signature with a key, as if everybody had one."""
    signer, parties = keeper.signer(), {keeper.party.id: keeper.history}
    documents = step(
        "by key: sign each", lambda: [signed(signature_document(p), signer) for p in people]
    )
    at = keeper.clock()

    def verify() -> int:
        who = (keeper.party.id,)
        return sum(
            check_signers(each, who, parties, each["made_at"], at) is Standing.VALID
            for each in documents
        )

    assert step("by key: verify each", verify) == len(people)


def step(name: str, work: Callable[[], Result]) -> Result:
    """Do one step and print what it cost."""
    begun = time.process_time()
    result = work()
    spent_s = time.process_time() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {name:28}{spent_s:8.3f} s CPU   peak {peak_mb:5.0f} MB")
    return result


if __name__ == "__main__":
    main()
