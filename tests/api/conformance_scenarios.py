"""The 31 mandatory negotiation scenarios of the Dataspace Protocol's conformance kit.

Names and sequences after eclipse-dataspacetck/dsp-tck (2025-1): group CN tests a provider, CN_C a
consumer; the other side is played by the kit. Each scenario is a row of moves: ``C`` the consumer,
``P`` the provider; "!" before a move means that the side under test must refuse it (4xx). The last
word is the state in which the side under test must then be.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test of the kit. ``moves`` are (side, step, is refused)."""

    name: str
    title: str
    moves: tuple[tuple[str, str, bool], ...]
    state: str

    @property
    def under_test(self) -> str:
        """The side whose server is tested."""
        return "C" if self.name.startswith("CN_C") else "P"


def _scenario(name: str, title: str, moves: str, state: str) -> Scenario:
    steps = []
    for move in moves.split():
        side, _, step = move.lstrip("!").partition(".")
        steps.append((side, step, move.startswith("!")))
    return Scenario(name, f"Verify contract request, {title}", tuple(steps), state)


AGREED = "C.request P.offer C.accept P.agree"

SCENARIOS = (
    # CN_01: provider, the ways that go well, and a counter-offer that does not.
    _scenario(
        "CN:01-01", "offer received, consumer terminated",
        "C.request P.offer C.terminate", "TERMINATED",
    ),
    _scenario(
        "CN:01-02", "offer received, consumer counter-offer, provider terminated",
        "C.request P.offer C.request P.terminate", "TERMINATED",
    ),
    _scenario(
        "CN:01-03",
        "offer received, consumer accepted, provider agreement, consumer verified, "
        "provider finalized",
        f"{AGREED} C.verify P.finalize", "FINALIZED",
    ),
    _scenario(
        "CN:01-04", "provider agreement, consumer verified, provider finalized",
        "C.request P.agree C.verify P.finalize", "FINALIZED",
    ),
    # CN_02: provider, terminations in each state.
    _scenario("CN:02-01", "provider terminated", "C.request P.terminate", "TERMINATED"),
    _scenario("CN:02-02", "consumer terminated", "C.request C.terminate", "TERMINATED"),
    _scenario(
        "CN:02-03", "provider agreement, consumer terminated",
        "C.request P.agree C.terminate", "TERMINATED",
    ),
    _scenario(
        "CN:02-04", "offer received, consumer terminated",
        "C.request P.offer C.terminate", "TERMINATED",
    ),
    _scenario(
        "CN:02-05", "offer received, provider terminated",
        "C.request P.offer P.terminate", "TERMINATED",
    ),
    _scenario(
        "CN:02-06", "offer received, consumer accepted, provider terminated",
        "C.request P.offer C.accept P.terminate", "TERMINATED",
    ),
    _scenario(
        "CN:02-07", "provider agreement, consumer verified, provider terminated",
        "C.request P.agree C.verify P.terminate", "TERMINATED",
    ),
    # CN_03: provider, what a consumer must not do.
    _scenario(
        "CN:03-01",
        "provider agreement, consumer verified, provider finalized, invalid consumer terminated",
        "C.request P.agree C.verify P.finalize !C.terminate", "FINALIZED",
    ),
    _scenario(
        "CN:03-02", "offer received, invalid consumer verified",
        "C.request P.offer !C.verify", "OFFERED",
    ),
    _scenario(
        "CN:03-03", "offer received, consumer accepted, illegal consumer verified",
        "C.request P.offer C.accept !C.verify", "ACCEPTED",
    ),
    _scenario(
        "CN:03-04", "offer received, consumer counter-offer (x2), provider terminated",
        "C.request P.offer C.request !C.request", "REQUESTED",
    ),
    # CN_C_01: consumer, the ways that go well, and a counter-offer that does not.
    _scenario(
        "CN_C:01-01",
        "offer received, consumer accepted, provider agreed, consumer verified, "
        "provider finalized",
        f"{AGREED} C.verify P.finalize", "FINALIZED",
    ),
    _scenario(
        "CN_C:01-02", "offer received, consumer counter-offer, provider terminated",
        "C.request P.offer C.request P.terminate", "TERMINATED",
    ),
    _scenario(
        "CN_C:01-03", "offer received, consumer terminated",
        "C.request P.offer C.terminate", "TERMINATED",
    ),
    _scenario(
        "CN_C:01-04", "provider agreed, consumer verified, provider finalized",
        "C.request P.agree C.verify P.finalize", "FINALIZED",
    ),
    # CN_C_02: consumer, terminations in each state.
    _scenario("CN_C:02-01", "provider terminated", "C.request P.terminate", "TERMINATED"),
    _scenario("CN_C:02-02", "consumer terminated", "C.request C.terminate", "TERMINATED"),
    _scenario(
        "CN_C:02-03", "provider agreement, consumer terminated",
        "C.request P.agree C.terminate", "TERMINATED",
    ),
    _scenario(
        "CN_C:02-04", "offer received, provider terminated",
        "C.request P.offer P.terminate", "TERMINATED",
    ),
    _scenario(
        "CN_C:02-05", "offer received, consumer accepted, provider terminated",
        "C.request P.offer C.accept P.terminate", "TERMINATED",
    ),
    _scenario(
        "CN_C:02-06", "provider agreement, consumer verified, provider terminated",
        "C.request P.agree C.verify P.terminate", "TERMINATED",
    ),
    # CN_C_03: consumer, what a provider must not do.
    _scenario(
        "CN_C:03-01", "invalid provider finalized", "C.request !P.finalize", "REQUESTED",
    ),
    _scenario(
        "CN_C:03-02", "offer received, invalid provider agreed",
        "C.request P.offer !P.agree", "OFFERED",
    ),
    _scenario(
        "CN_C:03-03", "offer received, invalid provider finalized",
        "C.request P.offer !P.finalize", "OFFERED",
    ),
    _scenario(
        "CN_C:03-04", "offer received, consumer accepted, invalid provider finalized",
        "C.request P.offer C.accept !P.finalize", "ACCEPTED",
    ),
    _scenario(
        "CN_C:03-05", "offer received, consumer accepted, invalid provider offer",
        "C.request P.offer C.accept !P.offer", "ACCEPTED",
    ),
    _scenario(
        "CN_C:03-06",
        "offer received, consumer accepted, provider agreed, invalid provider finalized",
        f"{AGREED} !P.finalize", "AGREED",
    ),
)  # fmt: skip
