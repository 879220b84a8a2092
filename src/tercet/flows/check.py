"""check: what a video says of its making, and whether that still holds. Offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tercet.consent.fingerprints.media_type import medium_of
from tercet.core.errors import InputError, UndecodableError
from tercet.credit.credentials_reading import Credentials, State, read_credentials
from tercet.flows.check_beside import CreditsFound, ModelFound, find_credits, find_model
from tercet.flows.credentials import manifest_path
from tercet.flows.verify import Check
from tercet.store.certificates import root_certificate
from tercet.store.keys import default_key_path
from tercet.studio.engines.engine import Rights
from tercet.studio.media.decode import VideoFacts, coded_sha256, facts_of

_MANIFEST_BYTES_MAX = 64 * 1024 * 1024
_ANCHORS_BYTES_MAX = 16 * 1024 * 1024


class Standing(StrEnum):
    """How a file stands. A closed set; stable strings."""

    INTACT = "intact"
    UNKNOWN_SIGNER = "unknown-signer"
    ALTERED = "altered"
    UNSIGNED = "unsigned"
    ELSEWHERE = "elsewhere"
    UNREADABLE = "unreadable"


STANDINGS = {
    Standing.INTACT: "not altered since a signer whom you trust signed it",
    Standing.UNKNOWN_SIGNER: "not altered since it was signed, but nobody you trust vouches for"
    " the signer: anybody could have written this",
    Standing.ALTERED: "changed after it was signed: what the credentials say is not of this file",
    Standing.UNSIGNED: "no credentials: nothing can be said",
    Standing.ELSEWHERE: "its credentials lie at an address, which was not asked: nothing was"
    " checked",
    Standing.UNREADABLE: "neither a video nor anything else that can be read, or damaged",
}
_BY_STATE = {
    State.TRUSTED: Standing.INTACT,
    State.VALID: Standing.UNKNOWN_SIGNER,
    State.INVALID: Standing.ALTERED,
    State.BROKEN: Standing.ALTERED,
    State.REMOTE: Standing.ELSEWHERE,
    State.NONE: Standing.UNSIGNED,
}


@dataclass(frozen=True, slots=True)
class CheckedVideo:
    """What was found out of one file.

    ``checks`` compare what the credentials say with what lies beside the file and with the model;
    ``video`` is None for what is no video, or none that can be read.
    """

    path: Path
    standing: Standing
    reasons: tuple[str, ...]
    credentials: Credentials
    video: VideoFacts | None
    credits: CreditsFound | None
    model: ModelFound | None
    checks: tuple[Check, ...]

    @property
    def exit_status(self) -> int:
        """0 intact and every check holds; 1 something differs; 3 it could not be checked."""
        if self.standing is Standing.ALTERED or not all(check.holds for check in self.checks):
            return 1
        return 0 if self.standing is Standing.INTACT else 3

    @property
    def rights_shown(self) -> bool:
        """Whether what is said of the rights was shown here, not just said by who signed.

        It is for a video that is intact and whose model's training record, checked whole, is the
        one it names. A clearance does not travel with a video: composed ones only say.
        """
        said = self.credentials.making.get("rights") == Rights.CLEARED
        recorded = bool(self.model and self.model.record)
        return said and recorded and self.exit_status == 0

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "type": "tercet/check@1",
            "file": str(self.path),
            "standing": self.standing.value,
            "meaning": STANDINGS[self.standing],
            "reasons": list(self.reasons),
            "rights_shown": self.rights_shown,
            "credentials": asdict(self.credentials),
            "video": asdict(self.video) if self.video else None,
            "credits": asdict(self.credits) | {"path": str(self.credits.path)}
            if self.credits
            else None,
            "model": asdict(self.model) | {"folder": str(self.model.folder)}
            if self.model
            else None,
            "checks": [asdict(check) for check in self.checks],
        }


def check_video(
    path: Path, *, model: Path | None = None, trust: Sequence[Path] = ()
) -> CheckedVideo:
    """Read ``path`` back: who made it, from what, and whether it was altered. Nothing is fetched.

    ``model`` is the folder of the model it should be of; one that was shipped is found by its name.
    ``trust`` are PEM files of certificates that may vouch for signers, beside the local root.
    The file is read in pieces. Raises InputError when it is not there, or a PEM file is none.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}", hint="give the path of a video")
    anchors = _anchors(trust)
    try:
        credentials = _credentials(path, anchors)
        video, unreadable = _facts(path)
        coded = _coded(path) if video else ""
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    standing = _BY_STATE[credentials.state]
    reasons = list(credentials.faults)
    if standing is Standing.UNSIGNED and unreadable:
        standing, reasons = Standing.UNREADABLE, [unreadable]
    making = credentials.making if standing is not Standing.ALTERED else {}
    found_credits = find_credits(path, coded, credentials.making)
    found_model = find_model(making, model)
    checks = [
        *(_pictures(making, coded) if making and video else ()),
        *(found_credits.checks if found_credits else ()),
        *(found_model.checks if found_model else ()),
    ]
    if standing is Standing.UNSIGNED and found_credits and found_credits.of_these_pictures:
        reasons.append(
            f"its pictures are those of {found_credits.path.name} beside it, which the key"
            f" {found_credits.key_id} signed: credentials were stripped"
        )
    return CheckedVideo(
        path, standing, tuple(reasons), credentials, video, found_credits, found_model,
        tuple(checks),
    )  # fmt: skip


def _credentials(path: Path, anchors: str) -> Credentials:
    """Read what the file carries; where it carries nothing, what lies beside it as NAME.c2pa."""
    with path.open("rb") as file:
        media_type = medium_of(file).name
        file.seek(0)
        embedded = read_credentials(file, media_type, anchors_pem=anchors)
        beside = manifest_path(path)
        if embedded.state is not State.NONE or not beside.is_file() or beside == path:
            return embedded
        if beside.stat().st_size > _MANIFEST_BYTES_MAX:
            return Credentials(State.BROKEN, faults=(f"{beside.name} is too large",))
        file.seek(0)
        return read_credentials(file, media_type, manifest=beside.read_bytes(), anchors_pem=anchors)


def _facts(path: Path) -> tuple[VideoFacts | None, str]:
    """Return what the video is, else why it cannot be read. Other media are no videos."""
    with path.open("rb") as file:
        medium = medium_of(file).medium
    try:
        return facts_of(path), ""
    except UndecodableError as error:
        known = medium is not None and medium.value in ("image", "audio", "text")
        return None, "" if known else error.message


def _coded(path: Path) -> str:
    try:
        return coded_sha256(path)
    except UndecodableError:
        return ""


def _pictures(making: dict[str, Any], coded: str) -> list[Check]:
    """The coded pictures must be those that the making names: a signer may sign what is not so."""
    said = making.get("video")
    named = said.get("coded_sha256") if isinstance(said, dict) else None
    digests = list(named.values()) if isinstance(named, dict) else []
    holds = coded in digests
    found = f"sha256 {coded[:16]}" if holds else f"{coded[:16] or 'unreadable'} is not named"
    return [Check("pictures", holds, found)]


def _anchors(trust: Sequence[Path]) -> str:
    """Return every certificate that may vouch for a signer, as PEM."""
    from cryptography import x509

    pems = [root_certificate(default_key_path())]
    for path in trust:
        try:
            raw = path.read_bytes()[:_ANCHORS_BYTES_MAX]
            x509.load_pem_x509_certificates(raw)
            pems.append(raw.decode("ascii"))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        except ValueError as error:
            raise InputError(
                f"{path} holds no certificates in PEM form", hint="give a .pem file"
            ) from error
    return "\n".join(pem for pem in pems if pem)
