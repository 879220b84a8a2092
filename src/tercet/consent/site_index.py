"""Sites as arrays: from the host of a URL to its rulebook and its declarations' ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.row_matching import PLAIN, SECURE, TextIndex, UrlCuts
from tercet.consent.rulebook import Rulebook
from tercet.consent.urls import is_clean_host, origin_of, split_url

Array = np.ndarray[Any, np.dtype[Any]]

NOT_SURVEYED = -1
URL_INVALID = -2
_KNOWN_HOSTS_MAX = 1_000_000  # host names looked up one by one and remembered


@dataclass(slots=True)
class SiteIndex:
    """All surveyed sites.

    ``origins`` are sorted; ``book`` gives each site's rulebook number, ``id_start`` where its
    declarations begin in ``ids``.
    """

    origins: pa.Array
    book: Array
    id_start: Array
    ids: pa.Array
    rulebooks: list[Rulebook]
    _hosts: TextIndex = field(init=False)
    _site_of_host: Array = field(init=False)
    _numbers: dict[str, int] = field(default_factory=dict)
    _looked_up: dict[tuple[bool, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        schemes = pc.starts_with(self.origins, "https://").to_numpy(zero_copy_only=False)
        names = pc.replace_substring_regex(self.origins, "^https?://", "")
        self._hosts = TextIndex(names.unique())
        row = pc.index_in(names, value_set=self._hosts.texts).to_numpy(zero_copy_only=False)
        shape = (2, max(len(self._hosts.texts), 1))
        self._site_of_host = np.full(shape, NOT_SURVEYED, dtype=np.int32)
        self._site_of_host[schemes.astype(np.int8), row] = np.arange(len(names), dtype=np.int32)

    def find(self, cuts: UrlCuts, texts: pa.Array) -> tuple[Array, dict[int, str]]:
        """Return each row's site number (or NOT_SURVEYED, URL_INVALID).

        Also the paths, by row, of the URLs that had to be normalised one by one.
        """
        host = self._hosts.find(cuts.data, cuts.host_start, cuts.host_end)
        secure = (cuts.flags & SECURE != 0).astype(np.int8)
        site = self._site_of_host[secure, np.maximum(host, 0)]
        paths: dict[int, str] = {}
        for row in np.flatnonzero((host < 0) | (cuts.flags & PLAIN == 0)).tolist():
            site[row] = self._find_strange(cuts, texts, row, paths)
        return site, paths

    def _find_strange(self, cuts: UrlCuts, texts: pa.Array, row: int, paths: dict[int, str]) -> int:
        """Look up a URL whose host is unknown as written: other spelling, or not surveyed."""
        if cuts.flags[row] & PLAIN:
            host = cuts.host(row)
            if is_clean_host(host):
                return self._look_up(bool(cuts.flags[row] & SECURE), host)
        split = split_url(texts[row].as_py())
        if split is None:
            return URL_INVALID
        paths[row] = split.path
        scheme, host = split.origin.split("://", 1)
        return self._look_up(scheme == "https", host)

    def _number_of(self) -> dict[str, int]:
        """Site numbers by origin, made when the first unusual spelling turns up."""
        if not self._numbers:
            self._numbers = {name: at for at, name in enumerate(self.origins.to_pylist())}
        return self._numbers

    def _look_up(self, secure: bool, host: str) -> int:
        known = self._looked_up.get((secure, host))
        if known is not None:
            return known
        origin = origin_of("https" if secure else "http", host)
        site = URL_INVALID if origin is None else self._number_of().get(origin, NOT_SURVEYED)
        if len(self._looked_up) >= _KNOWN_HOSTS_MAX:
            self._looked_up.clear()
        self._looked_up[(secure, host)] = site
        return site
