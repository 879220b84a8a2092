"""compose: cut-out animation from cleared vector works. Composed, not generated; credits exact."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from tercet.core.credit import WHOLE_PARTS, Credit
from tercet.core.errors import InputError
from tercet.studio.compose.animation import Drawn, scene_frames
from tercet.studio.compose.works import Work, WorksPack, open_works
from tercet.studio.engines.engine import Frame, Order, Origin, Picture, Progress, Report, Rights
from tercet.studio.engines.engines import model_folder
from tercet.studio.engines.segments import Segment, segments_of
from tercet.studio.scenes.cutting import colour_name, cut_pixels
from tercet.studio.scenes.parsing import Understood, parse
from tercet.studio.scenes.recipes import recipe_of
from tercet.studio.scenes.scene import Scene
from tercet.studio.scenes.sprite import Sprite
from tercet.studio.scenes.stage import Stage

PACK_NAME: Final = "works.zip"
SHIPPED_PACK: Final = "clipart"
SCENE_S_MAX: Final = 7.5  # a longer shot is shown as several scenes
FADE_S: Final = 0.4  # how long one scene takes to become the next
_LARGEST_PART = 0.9  # of the frame: the longest side that any actor reaches
_SPRITES_MAX = 24  # drawings kept in memory
_PREVIEW_PX = 160


def open_engine(source: str = "") -> ComposeEngine:
    """Return the engine for a pack of works: a path, or the folder or name of a model that has one.

    Without a source it is the pack that was shipped.
    Raises InputError if there is none.
    """
    path = Path(source) if source.endswith(".zip") else None
    if path is None:
        path = model_folder(source or SHIPPED_PACK) / PACK_NAME
    return ComposeEngine(open_works(path))


@dataclass(frozen=True, slots=True, eq=False)
class ComposeEngine:
    """Composes scenes from the drawings of a pack."""

    pack: WorksPack
    name: str = "compose"
    origin: Origin = Origin.COMPOSED
    _sprites: dict[tuple[str, int], Sprite] = field(default_factory=dict, repr=False)

    @property
    def rights(self) -> Rights:
        """Cleared works only, where the pack holds the signed clearance of its works."""
        return Rights.CLEARED if self.pack.is_cleared else Rights.UNKNOWN

    def understood(self, prompt: str) -> Understood:
        """Return what this engine makes of a prompt, with the words it does not know."""
        return parse(prompt, self.pack.kinds)

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        """Yield the ordered frames; every shot holds a scene, a long one several.

        Raises InputError before the first frame if nothing of a shot is understood.
        """
        segments = segments_of(order, SCENE_S_MAX)
        scenes = {segment.prompt: self._scene(segment.prompt) for segment in segments}
        tail = _beginning(order)
        done = 0
        for segment in segments:
            fade = min(round(FADE_S * order.frames_per_second), segment.frame_count // 2)
            drawn = self._drawn(order, segment, scenes[segment.prompt], fade)
            for at in range(segment.frame_count):
                frame = next(drawn)
                before = next(tail, None) if at < fade else None
                if before is not None:
                    frame = _faded(before, frame, (at + 1) / (fade + 1))
                done += 1
                report(Progress(done, order.frame_count, _preview(frame.picture)))
                yield Frame(frame.picture, frame.pixels_by_work)
            tail = drawn

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        """Return the works by their part of all pixels that show a work, the largest first.

        Parts of a million are rounded down; what is left goes to the largest fractions.
        """
        total = sum(pixels_by_work.values())
        if not total:
            return ()
        known = {work.work: work for work in self.pack.works}
        parts = {
            work: divmod(pixels * WHOLE_PARTS, total) for work, pixels in pixels_by_work.items()
        }
        left = WHOLE_PARTS - sum(whole for whole, _ in parts.values())
        first = set(sorted(parts, key=lambda work: (-parts[work][1], work))[:left])
        shares = {work: whole + (work in first) for work, (whole, _) in parts.items()}
        return tuple(
            Credit(
                work, known[work].title, known[work].owner, known[work].licence, shares[work],
                "exact",
            )
            for work in sorted(shares, key=lambda work: (-shares[work], work))
        )  # fmt: skip

    def provenance(self) -> Mapping[str, str]:
        """Return the pack and the clearance that its works passed by."""
        return {
            "model": self.name,
            "works_sha256": self.pack.digest,
            "works_key_id": self.pack.key_id,
            "clearance_sha256": self.pack.clearance if self.pack.is_cleared else "",
        }

    def _scene(self, prompt: str) -> Scene:
        """Return the scene of a prompt, of which something must be known."""
        understood = self.understood(prompt)
        scene = understood.scene
        if scene == Scene(()):
            near = {word.word: word.near for word in understood.unknown}
            suggested = sorted({known for words in near.values() for known in words})
            raise InputError(
                f"nothing in {prompt[:80]!r} can be shown; unknown: {', '.join(near) or 'none'}",
                hint=f"did you mean {', '.join(suggested)}?" if suggested
                else "name things, such as a car, a house or a bird",
            )  # fmt: skip
        return scene

    def _drawn(self, order: Order, segment: Segment, scene: Scene, held: int) -> Iterator[Drawn]:
        side = round(min(order.width_px, order.height_px) * _LARGEST_PART)
        works = [self._work(part.noun, order.seed) for part in scene.parts]
        sprites = {work.noun: self._sprite(work, side) for work in works}
        stage = Stage.of(sprites.values()) if sprites else Stage((), (), {}, "", {})
        recipe = recipe_of(scene, stage, order.seed, segment.index)
        frame_px = (order.width_px, order.height_px)
        return scene_frames(recipe, stage, segment.frame_count, held, frame_px)

    def _work(self, noun: str, seed: int) -> Work:
        """Return the work that shows a noun throughout a video."""
        works = self.pack.of_noun(noun)
        digest = hashlib.sha256(f"tercet/compose@1 {noun} {seed}".encode()).digest()
        return works[int.from_bytes(digest[:8], "big") % len(works)]

    def _sprite(self, work: Work, side_px: int) -> Sprite:
        """Return a work cut out at a size; its bytes are compared with its digest."""
        key = (work.work, side_px)
        if key not in self._sprites:
            if len(self._sprites) >= _SPRITES_MAX:
                self._sprites.pop(next(iter(self._sprites)))
            pixels = cut_pixels(self.pack.raw(work), side_px)
            self._sprites[key] = Sprite(
                work.work, work.title, work.owner, work.licence, work.noun, work.kind, work.faces,
                colour_name(pixels), pixels,
            )  # fmt: skip
        return self._sprites[key]


def _beginning(order: Order) -> Iterator[Drawn]:
    """Yield what the first scene fades in from: a picture that was given, or nothing."""
    picture = order.earlier[-1] if order.earlier else order.first_picture
    if picture is None:
        return
    size = (order.width_px, order.height_px)
    fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    for _ in range(round(FADE_S * order.frames_per_second)):
        yield Drawn(fitted, {})


def _faded(before: Drawn, after: Drawn, part: float) -> Drawn:
    """Return a frame between two scenes; its pixels count for the one that shows more."""
    picture = cv2.addWeighted(before.picture, 1 - part, after.picture, part, 0)
    counts = after.pixels_by_work if part >= 0.5 else before.pixels_by_work
    return Drawn(picture.astype(np.uint8, copy=False), counts)


def _preview(picture: Picture) -> Picture:
    step = max(1, max(picture.shape) // _PREVIEW_PX)
    return picture[::step, ::step]
