"""A desk's letters for a server: pages, the signed export, and what visitors may do."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tercet.consent.licences.letter import Visibility
from tercet.consent.licences.letter_export import PublicLetter
from tercet.consent.licences.letter_token import TokenPurpose
from tercet.core.errors import FieldError, InputError, RefusedError
from tercet.flows.desk import OpenDesk
from tercet.flows.letter import (
    MailOptions,
    Person,
    confirm,
    letters_of,
    mail_path,
    public,
    sign_by_email,
    signed_export,
    take_signing,
    token_in,
    withdraw_by_token,
)
from tercet.flows.letter_form import Fault, form_words, link_form, message, sign_form
from tercet.flows.letter_page import letter_page, page_of
from tercet.flows.report_markup import Markup, element, join
from tercet.store.files import write_atomically
from tercet.store.letters import MailTooSoonError, SignedTwiceError

KEPT_S = 5.0  # a letter is counted anew after this time at most, and when it is changed here


@dataclass(slots=True)
class _Kept:
    until_s: float
    public: PublicLetter
    export: dict[str, Any] | None = None


class LetterService:
    """What a server does with the letters of one desk. Methods may be called from any thread.

    ``sender`` is who messages are from; without it nobody can sign here by e-mail. Messages are
    written into the desk's folder `mail`, for the operator's own mail server.
    """

    def __init__(self, desk: OpenDesk, *, address: str, sender: str = "") -> None:
        self.desk = desk
        self._mail = MailOptions(sender, address) if sender else None
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def listed(self) -> list[dict[str, Any]]:
        """Return the letters of the desk, the latest first."""
        return [
            {"sha256": kept.sha256, "id": kept.letter.id, "title": kept.letter.title,
             "language": kept.letter.language, "made_at": kept.letter.made_at}
            for kept in letters_of(self.desk).all()
        ]  # fmt: skip

    def export(self, sha256: str) -> dict[str, Any]:
        """Return the signed export of a letter. Raises MissingError."""
        kept = self._current(sha256)
        with self._lock:
            if kept.export is None:
                kept.export = signed_export(self.desk, kept.public)
            return kept.export

    def page(
        self,
        sha256: str,
        *,
        note: str = "",
        typed: Mapping[str, str] | None = None,
        fault: Fault | None = None,
    ) -> str:
        """Return the page of a letter. ``note`` is a key of FormWords. Raises MissingError."""
        shown = self._current(sha256).public
        words = form_words(shown.letter.language)
        parts = [message(str(getattr(words, note)))] if note else []
        is_open = shown.letter.is_open_on(self.desk.clock()[:10])
        if self._mail and is_open and not note:
            action = f"/letters/{shown.sha256}/sign#sign"
            parts.append(sign_form(action, words, shown.letter.language, typed or {}, fault))
        below = join(parts)
        file = element("a", "letter.json", href=f"/v1/letters/{shown.sha256}")
        return letter_page(shown, below, element("p", file, class_="note only-screen"))

    def sign(self, sha256: str, typed: Mapping[str, str]) -> str:
        """Take a signature by e-mail and return the page that says what comes next.

        Everybody is told the same: nobody learns by this form whether an address has signed, or
        was written to just now. Raises FieldError, RefusedError, MissingError.
        """
        kept = letters_of(self.desk).letter(sha256)
        if self._mail is None:
            raise RefusedError("this server takes no signatures by e-mail")
        if typed.get("visibility") not in set(Visibility):
            raise FieldError("visibility", "choose what others see of you")
        country = typed.get("country", "")
        person = Person(
            typed.get("name", ""),
            typed.get("profession", ""),
            "" if country == "none" else country,
            Visibility(typed["visibility"]),
        )
        email = typed.get("email", "").strip()
        try:
            signature, mail = sign_by_email(self.desk, kept, person, email, self._mail)
        except (SignedTwiceError, MailTooSoonError):
            return self.page(sha256, note="sent")
        path = mail_path(self.desk, signature.id)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(path, bytes(mail))
        self._forget(sha256)
        return self.page(sha256, note="sent")

    def link_page(self, sha256: str, token: str, purpose: TokenPurpose) -> str:
        """Return the page behind a link, with its button. Raises TokenError, MissingError."""
        said = token_in(self.desk, token, purpose)
        if said.letter != sha256:
            raise InputError("the link is about another letter")
        letter = letters_of(self.desk).letter(sha256).letter
        words = form_words(letter.language)
        content = link_form(f"/letters/{sha256}/{purpose}", token, purpose, words)
        lead = element("p", letter.title, class_="kind")
        language = "vi" if words is form_words("vi") else "en"
        return page_of(letter.title, language, join([lead, content]))

    def follow(self, sha256: str, token: str, purpose: TokenPurpose) -> str:
        """Use a link up; return the page that says so. Raises TokenError, MissingError."""
        if token_in(self.desk, token, purpose).letter != sha256:
            raise InputError("the link is about another letter")
        if purpose is TokenPurpose.CONFIRM:
            confirm(self.desk, token)
        else:
            withdraw_by_token(self.desk, token)
        self._forget(sha256)
        is_confirm = purpose is TokenPurpose.CONFIRM
        return self.page(sha256, note="confirmed" if is_confirm else "withdrawn")

    def take(self, sha256: str, parcel: Mapping[str, Any]) -> str:
        """Take in a signature or a withdrawal made by a key; return the signature's id.

        Raises what `take_signing` raises.
        """
        document = parcel.get("document")
        if not isinstance(document, Mapping) or document.get("letter") != sha256:
            raise InputError("the signature is for another letter")
        signature_id = take_signing(self.desk, parcel)
        self._forget(sha256)
        return signature_id

    def _current(self, sha256: str) -> _Kept:
        with self._lock:
            kept = self._kept.get(sha256)
            if kept is None or kept.until_s < time.monotonic():
                found = letters_of(self.desk).letter(sha256)
                kept = _Kept(time.monotonic() + KEPT_S, public(self.desk, found))
                self._kept[found.sha256] = kept
            return kept

    def _forget(self, sha256: str) -> None:
        with self._lock:
            self._kept.pop(sha256, None)


def problem_page(title: str, hint: str) -> str:
    """Return a page that says what went wrong, in the style of a letter's."""
    parts = [element("h1", title), element("p", hint, class_="note") if hint else Markup()]
    return page_of(title, "en", join(parts))
