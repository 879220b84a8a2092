"""The tour: clear a small real corpus, license a part of it, find edited copies, make a video.

    make tour                       writes below ./tour
    python scripts/tour.py FOLDER   writes below FOLDER/tour

The corpus is the media files of the iscc-samples package and a table of URLs whose sites
(examples/sites) are played by a loopback server while they are surveyed. The licence is negotiated
by two desks on this machine, the video made by the model in models/house. Nothing is opened, and
nothing leaves the machine.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import iscc_samples

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples"))

from edited_copies import make_copies  # noqa: E402
from serve_sites import serving  # noqa: E402

from tercet.core.errors import TercetError  # noqa: E402
from tercet.studio.engines.engines import model_folder  # noqa: E402

TOUR = Path("tour")
OUTCOMES = ("cleared", "offered", "blocked", "held")
OFFERED_ITEM = "http://press-agency.example/pictures/0001.jpg"
WORKS = ("image/demo.jpg", "video/demo.mp4", "audio/demo.mp3", "text/demo.epub")
COPIES = ("collage.jpg", "excerpt.mp4", "faster.mp3", "quotation.txt", "silence.mp3")
FOLDERS = (
    "media", "evidence", "out", "out-eu", "works", "copies", "registry", "out-copies", "agency",
    "studio", "offers", "upload", "out-licensed",
)  # fmt: skip
BLOCKED_ITEM = "http://newsroom.example/2026/11/flood.mp4"
PROMPT = "a red car drives past a house at night, then a balloon rises over the hills"


def main(folder: Path) -> int:
    """Walk through the tour; return the exit status."""
    model = house_model()
    os.chdir(folder)
    os.environ["TERCET_HOME"] = "tour/home"  # the keys of the tour, apart from yours
    # Threads that wait must not keep a processor from others: on a busy machine they cost most.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    began = time.monotonic()
    say("1. A corpus: the media files of iscc-samples, and a table of URLs")
    lay_out()
    say("2. Ask the sites of the table what they say, and keep their bytes")
    with serving(Path(iscc_samples.ROOT)) as port:
        tercet(
            "survey", "tour/urls.csv", "-o", "tour/evidence", "--items", "--allow-private",
            "--resolve", f"*=127.0.0.1:{port}", "--contact", "https://tercet.example/bot",
            "--interval", "0",
        )  # fmt: skip
    say("3. Give every item a verdict, under the policy `strict`: only a grant clears")
    clear("strict", "tour/out")
    print_verdicts()
    say("4. Ask why, and see the lines it rests on")
    tercet("explain", "tour/out", BLOCKED_ITEM, "--declarations", "tour/evidence")
    print()
    tercet("explain", "tour/out", OFFERED_ITEM, "--declarations", "tour/evidence")
    say("5. Check signature, digests and counts, as anyone can")
    tercet("verify", "tour/out")
    say("6. See what another regime would change: under `eu-tdm`, silence clears")
    clear("eu-tdm", "tour/out-eu")
    tercet("compare", "tour/out", "tour/out-eu", "--examples", "3")
    say("7. License what is offered: a quote, a talk of two rounds, signatures, another verdict")
    license_pictures()
    say("8. Register four works, each once, and find them in a folder of edited copies")
    find_copies()
    say("9. Make a video of ten seconds, by a model that learned from cleared works only")
    made_s = make_video()
    say("10. Read the video back: who made it, from what, and whether it was altered")
    tercet("check", "tour/video.mp4", "--model", str(model))
    say("11. Check the model: its weights, and the signed record of every work it learned from")
    tercet("verify", str(model))
    print(f"\nDone in {time.monotonic() - began:.0f} s, {made_s:.0f} s of them for the video.\n")
    show_results(model)
    return 0


def house_model() -> Path:
    """Return the folder of the model that comes with Tercet; without one there is no tour."""
    try:
        return model_folder()
    except TercetError as error:
        sys.exit(f"error: {error.message}\nhint: a whole checkout has it in models/house")


def make_video() -> float:
    """Make a video from a prompt; return how many seconds that took."""
    began = time.monotonic()
    tercet("generate", PROMPT, "--seconds", "10", "-o", "tour/video.mp4")
    return time.monotonic() - began


def show_results(model: Path) -> None:
    """Print what was made, and where it lies."""
    results = {
        "The report of the clearance": "tour/out/report.html",
        "The same, with the licence": "tour/out-licensed/report.html",
        "The agency's files to upload": "tour/upload/rate-card.html",
        "Copies found, both sides": "tour/match.html",
        "The video": "tour/video.mp4",
        "Its credits": "tour/video.credits.json",
        "The model's training record": model / "record.json",
        "The works it learned from": model / "works.jsonl",
    }
    for what, path in results.items():
        if not Path(path).is_file():
            sys.exit(f"error: expected {path}, which nothing wrote")
        print(f"{what:28} {Path(path).resolve()}")


def license_pictures() -> None:
    """Let a studio and the press agency agree on a price, sign, and clear the corpus again."""
    tell("The press agency's site names a price for training. What would all of it cost?")
    tercet("quote", "tour/out")
    tell("Each side has a desk: a folder with its key and everything it said, heard and signed.")
    agency = party_of(tercet("desk", "make", "--name", "Press Agency", "--desk", "tour/agency"))
    tercet("desk", "make", "--name", "Studio", "--desk", "tour/studio")
    tell(
        "The agency signs its terms as an offer, for everybody to find, and for its site to serve."
    )
    published = tercet(
        "offer", "publish", "tour/press-agency.toml", "--site", "http://press-agency.example",
        "--desk", "tour/agency", "--registry", "tour/offers", "-o", "tour/upload",
    )  # fmt: skip
    tell("First round: the studio asks for half the price, the agency comes down a little.")
    asked = tercet(
        "license", "request", "tour/agency", "--offer", id_in(published), "--price",
        "per_work=0.01", "--desk", "tour/studio",
    )  # fmt: skip
    ours, theirs = id_in(asked), negotiation_of("tour/agency")
    tercet("license", "counter", theirs, "--price", "per_work=0.018", "--desk", "tour/agency")
    tell("Second round: the studio offers more, and the agency looks at what has changed.")
    tercet("license", "counter", ours, "--price", "per_work=0.014", "--desk", "tour/studio")
    tercet("license", "offers", theirs, "--desk", "tour/agency")
    tell("The agency accepts and signs; the studio checks the text and signs; the agency closes.")
    tercet("license", "accept", theirs, "--desk", "tour/agency")
    tercet("license", "sign", ours, "--desk", "tour/studio")
    tercet("license", "sign", theirs, "--desk", "tour/agency")
    tercet("license", "show", ours, "--desk", "tour/studio")
    tell("What it costs now:")
    tercet("quote", "tour/out", "--desk", "tour/studio")
    tell("And what the agreement clears: for this model, country and day. --trust, because anybody")
    print(
        "# could sign for the agency's pictures: the studio knows that this key is the agency's.\n"
    )
    tercet(
        "clear", "tour/urls.csv", "tour/media", "--declarations", "tour/evidence", "--desk",
        "tour/studio", "--trust", agency, "--model", "house", "--model-version", "2",
        "--territory", "VN", "--purpose", "pretrain", "--on", "2027-03-01", "-o",
        "tour/out-licensed",
    )  # fmt: skip
    tercet("compare", "tour/out", "tour/out-licensed", "--examples", "4")
    tell("What the studio owes for it, and when:")
    tercet("duties", "tour/out-licensed")


def party_of(told: str) -> str:
    """Return the party's id in what a command told."""
    return re.findall(r"urn:tercet:party:[0-9a-f]{16}", told)[0]


def id_in(told: str) -> str:
    """Return the first id of an offer or a negotiation in what a command told."""
    found = re.search(r"urn:uuid:[0-9a-f-]{36}", told)
    if found is None:
        sys.exit(f"error: expected an id in what was told, got {told[:200]!r}")
    return found[0]


def negotiation_of(desk: str) -> str:
    """Return the id that a desk has given its one negotiation."""
    return id_in(tercet("license", "show", "--desk", desk))


def find_copies() -> None:
    """Register works, and clear a folder that holds edited copies of them."""
    tercet(
        "register", "tour/works", "--owner", "The makers of the samples",
        "--registry", "tour/registry",
    )  # fmt: skip
    print()
    tercet("clear", "tour/copies", "--registry", "tour/registry", "-o", "tour/out-copies")
    print()
    tercet("explain", "tour/out-copies", "excerpt.mp4")
    print()
    copies = [f"tour/copies/{name}" for name in COPIES]
    tercet("match", *copies, "--registry", "tour/registry", "--show", "tour/match.html")


def clear(policy: str, out: str) -> None:
    """Clear the corpus under ``policy`` into ``out``."""
    tercet(
        "clear", "tour/urls.csv", "tour/media", "--declarations", "tour/evidence",
        "--policy", policy, "--usage", "train_generative", "-o", out,
    )  # fmt: skip


def say(words: str) -> None:
    """Print the heading of a step."""
    print(f"\n{words}\n", flush=True)


def lay_out() -> None:
    """Write the corpus below ./tour, anew."""
    for name in FOLDERS:
        shutil.rmtree(TOUR / name, ignore_errors=True)
    for earlier in TOUR.glob("video.*"):
        earlier.unlink()
    shutil.copytree(iscc_samples.ROOT, TOUR / "media")
    shutil.copytree(ROOT / "examples" / "sidecars", TOUR / "media", dirs_exist_ok=True)
    shutil.copy(ROOT / "examples" / "urls.csv", TOUR / "urls.csv")
    shutil.copy(ROOT / "examples" / "terms" / "press-agency.toml", TOUR)
    (TOUR / "works").mkdir()
    for name in WORKS:
        shutil.copy(Path(iscc_samples.ROOT) / name, TOUR / "works")
    make_copies(Path(iscc_samples.ROOT), TOUR / "copies")
    files = sum(path.is_file() for path in (TOUR / "media").rglob("*"))
    rows = len((TOUR / "urls.csv").read_text("utf-8").splitlines()) - 1
    print(f"tour/media: {files} files    tour/urls.csv: {rows} rows")


def tell(words: str) -> None:
    """Print what the next commands are about."""
    print(f"\n# {words}\n", flush=True)


def tercet(*arguments: str) -> str:
    """Show a command and run it; return what it told. A failure ends the tour."""
    print("$", shlex.join(("tercet", *arguments)), flush=True)
    command = Path(sys.executable).parent / "tercet"
    running = subprocess.Popen([command, *arguments], stdout=subprocess.PIPE, encoding="utf-8")
    told = []
    with running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            told.append(line)
    if running.returncode:
        sys.exit(f"error: `tercet {arguments[0]}` ended with status {running.returncode}")
    return "".join(told)


def print_verdicts() -> None:
    """Print a table of verdicts by site, from the file of verdicts itself."""
    import pyarrow.parquet as pq

    verdicts = pq.read_table(TOUR / "out" / "verdicts.parquet", columns=["item", "verdict"])
    counts: dict[str, Counter[str]] = {}
    for row in verdicts.to_pylist():
        counts.setdefault(place_of(row["item"]), Counter())[row["verdict"]] += 1
    print(f"\n{'':28}" + "".join(f"{outcome:>9}" for outcome in OUTCOMES))
    whole = sum(counts.values(), Counter())
    for place, found in [*sorted(counts.items()), ("all", whole)]:
        print(f"{place:28}" + "".join(f"{found[outcome] or '.':>9}" for outcome in OUTCOMES))


def place_of(item: str) -> str:
    """Return the site or the folder an item belongs to."""
    if item.startswith("http") and "[" not in item:
        return urlsplit(item).netloc
    return f"media/{item.partition('/')[0]}" if "/" in item and "//" not in item else "(no site)"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else ROOT))
