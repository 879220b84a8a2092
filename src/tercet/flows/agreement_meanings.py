"""What agreements mean for rows, as arrays: looked up by number, once for each set that is met."""

from __future__ import annotations

from typing import Any

import numpy as np

from tercet.consent.clearing import Interned
from tercet.flows.agreement_rows import AgreementRows

Array = np.ndarray[Any, np.dtype[Any]]


class AgreementMeanings:
    """By the number of what names a row (see AgreementRows): findings, and who is behind them.

    ``finding`` has the findings' numbers among those of the clearing. ``alone`` is the position of
    the one agreement behind a finding; ``several`` says where there are more than one.
    """

    def __init__(self, rows: AgreementRows, findings: Interned) -> None:
        self.rows = rows
        self.finding: Array = np.zeros(0, dtype=np.int32)
        self.alone: Array = np.zeros(0, dtype=np.int64)
        self.several: Array = np.zeros(0, dtype=np.bool_)
        self._findings = findings
        self._number: dict[int, int] = {}  # by identity: findings of AgreementRows are kept there

    def extend(self) -> None:
        """Take in what was numbered since."""
        new = range(len(self.finding), len(self.rows.named.values))
        if not new:
            return
        behind = [self.rows.behind(number) for number in new]
        numbers = np.array([self._number_of(number) for number in new], dtype=np.int32)
        alone = np.array([each[0] if each else 0 for each in behind], dtype=np.int64)
        several = np.array([len(each) > 1 for each in behind], dtype=np.bool_)
        self.finding = np.concatenate((self.finding, numbers))
        self.alone = np.concatenate((self.alone, alone))
        self.several = np.concatenate((self.several, several))

    def used_severals(self, named: Array) -> list[int]:
        """Return the numbers in ``named`` behind which there are several agreements."""
        if not self.several.any():
            return []
        used = np.bincount(named, minlength=len(self.several)) > 0
        several: list[int] = np.flatnonzero(used & self.several).tolist()
        return several

    def by_agreement(self, counts: Array) -> Array:
        """Return for each agreement how many rows rest on it.

        ``counts`` are the rows by number, of those that were decided by what agreements say.
        """
        rested = np.zeros(len(self.rows.entries), dtype=np.int64)
        size = len(counts)
        np.add.at(rested, self.alone[:size], np.where(self.several[:size], 0, counts))
        for number in np.flatnonzero(self.several[:size] & (counts > 0)).tolist():
            for at in self.rows.speaking(number):
                rested[at] += counts[number]
        return rested

    def _number_of(self, number: int) -> int:
        finding = self.rows.finding(number)
        known = self._number.get(id(finding))
        if known is None:
            known = self._number[id(finding)] = self._findings.number(finding)
        return known
