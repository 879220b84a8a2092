"""Held-out combinations: pairs that no training clip shows, to test what was really learnt."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from tercet.studio.scenes.recipe import Recipe
from tercet.studio.scenes.stage import Stage

HELD_OUT_ONE_IN = 10


@lru_cache(maxsize=65536)
def is_held_out(noun: str, trait: str) -> bool:
    """Tell whether a noun is never trained with this colour or motion: one pair in ten is not.

    The rule is SHA-256 of the pair modulo ten: the same everywhere, for ever, for any stage. A
    noun's own colours (an empty trait) are never held out.
    """
    if not trait:
        return False
    digest = hashlib.sha256(f"{noun}|{trait}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % HELD_OUT_ONE_IN == 0


def held_out_pairs(recipe: Recipe, stage: Stage) -> tuple[tuple[str, str], ...]:
    """Return the held-out (noun, colour) and (noun, motion) pairs of a recipe, each once."""
    pairs = []
    for actor in recipe.actors:
        noun = stage.sprites[actor.sprite].noun
        pairs += [(noun, trait) for trait in (actor.colour, actor.motion.value)]
    return tuple(dict.fromkeys(pair for pair in pairs if is_held_out(*pair)))
