"""What agreements cost clearing: the same table with and without a desk, in turn, in one run.

    python bench/licences.py                                  10 million rows, 10,000 agreements
    python bench/licences.py --rows 1000000 --agreements 1000

Every row has the SHA-256 of a work of its own, and every work is named by one agreement: with the
desk every row is cleared, and without it none is: the dearest case. What is measured is the whole
command, `tercet clear`, in CPU seconds of it and its workers. The index of works is made by the
first clearing after an agreement is signed; that one is told apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.clear import machine

from tercet.consent.licences.agreement import Agreement, agreement_document
from tercet.consent.licences.party import new_party, party_document
from tercet.consent.licences.repertoire import repertoire_bytes, repertoire_from
from tercet.consent.licences.signing import Signer, signed
from tercet.core.terms import (
    WORLD,
    Grant,
    ModelScope,
    PartyName,
    Period,
    Purpose,
    RepertoireName,
    Terms,
    Territory,
    Versions,
)
from tercet.core.usage import Usage
from tercet.store.desk import Desk
from tercet.store.desk_documents import add_agreement, add_final
from tercet.store.keys import load_or_make_key

NOW, DAY = "2026-11-22T10:00:00Z", "2026-11-22"
GRANT = Grant(
    usages=(Usage.TRAIN_GENERATIVE,),
    purposes=(Purpose.PRETRAIN, Purpose.FINETUNE),
    models=ModelScope(Versions.FAMILY, "Reel"),
    territory=Territory((WORLD,)),
    period=Period("2026-01-01", "2029-01-01"),
)
SEED = 7
ROW_GROUP = 524_288


def digests_of(rows: int) -> np.ndarray:
    """Return as many digests, always the same."""
    return np.random.default_rng(SEED).integers(0, 256, (rows, 32), dtype=np.uint8)


def write_table(path: Path, digests: np.ndarray) -> None:
    """Write a table of URLs with the digests in another order than the works were agreed on."""
    order = np.random.default_rng(SEED + 1).permutation(len(digests))
    schema = pa.schema([("url", pa.string()), ("sha256", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(order), ROW_GROUP):
            chosen = digests[order[start : start + ROW_GROUP]]
            texts = [row.tobytes().hex() for row in chosen]
            urls = [f"https://site{at % 1000}.example/w/{start + at}" for at in range(len(texts))]
            writer.write_table(pa.table({"url": urls, "sha256": texts}, schema=schema))


def make_desk(folder: Path, digests: np.ndarray, agreement_count: int) -> str:
    """Make a desk with agreements over equal parts of the works; return the licensor's key."""
    parties = []
    for name in ("Owner", "Studio"):
        private = Ed25519PrivateKey.generate()
        raw = private.public_key().public_bytes_raw()
        party = new_party(name, "", "2026-01-01T00:00:00Z", [raw])
        parties.append((party, Signer(party.id, raw, private.sign)))
    (owner, by_owner), (studio, by_studio) = parties
    desk = Desk.make(folder, signed(party_document(studio), by_studio), NOW)
    desk.take_parties([signed(party_document(owner), by_owner)], NOW)
    licensor, licensee = PartyName(owner.id, owner.name), PartyName(studio.id, studio.name)
    (folder / "repertoires").mkdir(exist_ok=True)
    with desk.database.writing() as connection:
        for at, part in enumerate(np.array_split(digests, agreement_count)):
            works = repertoire_from(part)
            (folder / "repertoires" / f"{works.sha256}.txt").write_bytes(repertoire_bytes(works))
            named = RepertoireName(works.sha256, works.work_count)
            terms = Terms(licensor, named, licensee, grant=GRANT)
            ids = [f"urn:uuid:{at:08x}-0000-4000-8000-{kind:012x}" for kind in range(3)]
            agreement = Agreement(ids[0], ids[1], ids[2], NOW, terms, "0" * 64)
            document = signed(signed(agreement_document(agreement), by_owner), by_studio)
            add_agreement(connection, document, NOW)
            add_final(connection, ids[0], NOW)
    desk.close()
    import base64

    return base64.b64encode(by_owner.public_raw).decode()


def run_clear(folder: Path, workers: int, more: list[str]) -> dict[str, float]:
    """Run `tercet clear` once; return its seconds and CPU seconds, and the verdicts."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [
        sys.executable, "-m", "tercet", "clear", str(folder / "table.parquet"), "-o", str(out),
        "--workers", str(workers), "--key", str(folder / "key"), "--json", *more,
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu": cpu} | json.loads(done.stdout)["verdicts"]


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--agreements", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep what is made here, and use it again")
    return parser.parse_args()


def prepare(folder: Path, asked: argparse.Namespace) -> str:
    """Make table and desk, unless they are there; return the licensor's key."""
    marker = folder / f"made-{asked.rows}-{asked.agreements}"
    if not marker.exists():
        print("making table and desk ...", file=sys.stderr)
        digests = digests_of(asked.rows)
        load_or_make_key(folder / "key")
        write_table(folder / "table.parquet", digests)
        shutil.rmtree(folder / "desk", ignore_errors=True)
        marker.write_text(make_desk(folder / "desk", digests, asked.agreements))
    return marker.read_text()


def main() -> None:
    """Measure and print."""
    asked = options()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="tercet-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    key = prepare(folder, asked)
    desk = [
        "--desk", str(folder / "desk"), "--trust", key, "--model", "Reel", "--model-version", "1",
        "--territory", "SE", "--on", DAY,
    ]  # fmt: skip
    print(f"machine: {machine()}")
    print(f"rows: {asked.rows:,}  agreements: {asked.agreements:,}, all works in one of them each")
    first = run_clear(folder, asked.workers, desk)
    print(f"first clearing with the desk, index and all: {first['cpu']:.1f} CPU s")
    plain, agreed = [], []
    for _ in range(asked.runs):
        plain.append(run_clear(folder, asked.workers, []))
        agreed.append(run_clear(folder, asked.workers, desk))
        print(f"without: {plain[-1]['cpu']:.1f} CPU s   with: {agreed[-1]['cpu']:.1f} CPU s")
    if plain[-1]["cleared"] or agreed[-1]["cleared"] != asked.rows:
        raise SystemExit(f"expected no row cleared, then all: {plain[-1]}, {agreed[-1]}")
    each = [statistics.median(run["cpu"] for run in runs) for runs in (plain, agreed)]
    print(f"median CPU seconds: {each[0]:.1f} without, {each[1]:.1f} with")
    print(f"ratio: {each[1] / each[0]:.3f}")
    if asked.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
