"""The letters' part of tercet serve: the pages and the API of the letters that the desk keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tercet.flows.license_delivery import Courier

DSP = "/dsp"


def add_letters_to(app: FastAPI, courier: Courier, address: str) -> None:
    """Serve the letters of a courier's desk; links in messages lead to its public address.

    Visitors can sign by e-mail where `tercet letter sender` named who messages are from.
    """
    from tercet.api.letters import add_letters
    from tercet.flows.letter import letters_of
    from tercet.flows.letter_service import LetterService
    from tercet.web.letters import mount_letters

    desk = courier.service.desk
    public = (desk.party.address or address).removesuffix(DSP)
    sender = letters_of(desk).sender()
    add_letters(app, LetterService(desk, address=public, sender=sender))
    mount_letters(app)
