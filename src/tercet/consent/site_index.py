"""Sites as arrays: from the host of a URL to its rulebook and its declarations' ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.rulebook import Rulebook
from tercet.consent.urls import UrlColumns, is_clean_host, origin_of, split_url

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
    _hosts: pa.Array = field(init=False)
    _site_of_host: Array = field(init=False)
    _numbers: dict[str, int] = field(default_factory=dict)
    _looked_up: dict[tuple[bool, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        schemes = pc.starts_with(self.origins, "https://").to_numpy(zero_copy_only=False)
        names = pc.replace_substring_regex(self.origins, "^https?://", "")
        self._hosts = names.unique()
        row = pc.index_in(names, value_set=self._hosts).to_numpy(zero_copy_only=False)
        self._site_of_host = np.full((2, max(len(self._hosts), 1)), NOT_SURVEYED, dtype=np.int32)
        self._site_of_host[schemes.astype(np.int8), row] = np.arange(len(names), dtype=np.int32)

    def find(self, urls: UrlColumns, texts: pa.Array) -> tuple[Array, dict[int, str]]:
        """Return each row's site number (or NOT_SURVEYED, URL_INVALID).

        Also the paths, by row, of the URLs that had to be normalised one by one.
        """
        found = pc.index_in(urls.hosts, value_set=self._hosts)
        missing = pc.is_null(found).to_numpy(zero_copy_only=False) | ~urls.plain
        row = pc.fill_null(found, 0).to_numpy(zero_copy_only=False)
        site = self._site_of_host[urls.secure.astype(np.int8), row]
        paths: dict[int, str] = {}
        strange = np.flatnonzero(missing)
        if len(strange):
            self._find_strange(urls, texts, strange, site, paths)
        return site, paths

    def _find_strange(
        self, urls: UrlColumns, texts: pa.Array, rows: Array, site: Array, paths: dict[int, str]
    ) -> None:
        """Look up rows whose host is unknown as written: other spelling, or not surveyed."""
        hosts = pc.take(urls.hosts, pa.array(rows)).dictionary_encode()
        names = hosts.dictionary.to_pylist()
        code = hosts.indices.to_numpy(zero_copy_only=False)
        secure = urls.secure[rows]
        clean = np.array([is_clean_host(name) for name in names], dtype=np.bool_)[code]
        clean &= urls.plain[rows]
        for scheme in (False, True):
            table = np.full(len(names), NOT_SURVEYED, dtype=np.int32)
            chosen = clean & (secure == scheme)
            for at in np.unique(code[chosen]):
                table[at] = self._look_up(scheme, names[at])
            site[rows[chosen]] = table[code[chosen]]
        for index in rows[~clean]:
            split = split_url(texts[int(index)].as_py())
            if split is None:
                site[index] = URL_INVALID
                continue
            name, host = split.origin.split("://", 1)
            site[index] = self._look_up(name == "https", host)
            paths[int(index)] = split.path

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
