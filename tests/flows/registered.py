"""A registry with a few works for tests of what reads it: pictures drawn, texts written here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from small_corpora import NOW

from tercet.consent.registry.claim import Claim, Evidence, Owner, Subject
from tercet.consent.registry.declared_terms import reserved_terms
from tercet.consent.registry.match_document import UsageTerms
from tercet.consent.registry.work_record import WorkRecord
from tercet.core.usage import Permission, Usage
from tercet.flows.fingerprinting import fingerprint_file
from tercet.store.keys import load_or_make_key
from tercet.store.registry import Registered, Registration, Registry, Signing

GRANTED = (UsageTerms(Usage.TRAIN_GENERATIVE, Permission.ALLOW),)
RESERVED = reserved_terms()


def drawing(seed: int, size: tuple[int, int] = (420, 560)) -> np.ndarray:
    """Return a picture with much to hold on to: many shapes of many colours over soft noise."""
    random = np.random.default_rng(seed)
    height, width = size
    soft = random.integers(60, 200, (height // 20, width // 20, 3)).astype(np.uint8)
    picture = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(90):
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        x, y = (int(random.integers(0, edge)) for edge in (width, height))
        radius = int(random.integers(6, 40))
        if random.random() < 0.5:
            cv2.circle(picture, (x, y), radius, colour, -1, cv2.LINE_AA)
        else:
            corners = np.array([x, y]) + random.integers(-40, 40, (4, 2))
            cv2.fillPoly(picture, [corners.astype(np.int32)], colour, cv2.LINE_AA)
    return picture


def save(path: Path, picture: np.ndarray, quality: int = 90) -> Path:
    """Write a picture in the format that its name asks for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
    cv2.imwrite(str(path), picture, options)
    return path


def signing(folder: Path, name: str = "owner") -> Signing:
    """Return who signs: a key of that name in ``folder``, made on first use."""
    return Signing(load_or_make_key(folder / f"{name}.key"), NOW)


def registry_in(folder: Path) -> Registry:
    """Return the registry in ``folder``/registry, made where there is none."""
    return Registry.make(folder / "registry", signing(folder, "keeper"))


def register(
    folder: Path,
    path: Path,
    terms: tuple[UsageTerms, ...] = RESERVED,
    *,
    owner: str = "owner",
    share: int = 10_000,
    source_url: str = "",
    evidence: tuple[Evidence, ...] = (),
    may_dispute: bool = False,
) -> Registered:
    """Register one file in the name of ``owner``."""
    media = fingerprint_file(str(path), 0, path.stat().st_size, path.name)
    assert media.medium is not None
    work = WorkRecord(
        media.medium,
        media.sha256,
        title=path.stem,
        iscc=media.iscc,
        source_url=source_url,
        bytes=media.size,
        path=str(path),
        registered_at=NOW,
        methods=tuple(f.method for f in media.fingerprints if not f.unfit),
    )
    subject = Subject(media.sha256, media.medium, title=work.title, source_url=source_url)
    claim = Claim(subject, Owner(owner), terms, NOW, share_basis_points=share, evidence=evidence)
    fit = tuple(f for f in media.fingerprints if not f.unfit)
    asked = Registration(replace(work), (claim,), fit)
    (done,) = registry_in(folder).register([asked], signing(folder, owner), may_dispute=may_dispute)
    return done
