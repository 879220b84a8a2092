"""Plurals of English nouns, by rule and with a short list of exceptions."""

from __future__ import annotations

import re
from typing import Final

IRREGULAR: Final = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "mouse": "mice",
    "goose": "geese", "foot": "feet", "tooth": "teeth", "ox": "oxen", "cactus": "cacti",
    "leaf": "leaves", "knife": "knives", "wolf": "wolves", "loaf": "loaves", "calf": "calves",
    "scarf": "scarves", "shelf": "shelves", "elf": "elves", "half": "halves", "life": "lives",
    "snowman": "snowmen", "fireman": "firemen", "policeman": "policemen", "potato": "potatoes",
    "tomato": "tomatoes", "mango": "mangoes", "volcano": "volcanoes", "hero": "heroes",
    "mosquito": "mosquitoes", "die": "dice",
}  # fmt: skip
ALWAYS_PLURAL: Final = frozenset(
    {
        "scissors", "glasses", "sunglasses", "trousers", "pants", "jeans", "shorts", "pliers",
        "shears", "tongs", "binoculars", "headphones", "flip-flops", "pajamas", "tweezers",
        "handcuffs",
    }
)  # fmt: skip
UNCHANGED: Final = ALWAYS_PLURAL | {
    "fish", "sheep", "deer", "moose", "aircraft", "spacecraft", "bison", "shrimp", "squid",
    "dice",
}  # fmt: skip


def plural(noun: str) -> str:
    """Return the plural of a noun; of several words, that of the last."""
    *before, last = noun.split(" ")
    return " ".join([*before, _plural(last)])


def is_always_plural(noun: str) -> bool:
    """Tell whether one such thing is spoken of as several: scissors, trousers."""
    return noun.rpartition(" ")[2] in ALWAYS_PLURAL


def _plural(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in UNCHANGED or word.endswith("fish"):
        return word
    if re.search(r"(s|x|z|ch|sh)$", word):
        return f"{word}es"
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}s"
