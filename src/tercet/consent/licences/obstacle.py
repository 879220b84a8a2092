"""Why an agreement grants nothing for a use: one reason code for each way."""

from __future__ import annotations

from enum import StrEnum

from tercet.consent.facts import OBSTACLE_SHIFT

EXCLUSIVE_TO_ANOTHER = "agreement_exclusive_to_another"
"""The reason where somebody else has the exclusive licence: this does not only fail to grant."""


class Obstacle(StrEnum):
    """The closed set of ways. Stable reason codes of verdicts.

    The first part is what a document can stand like (see standing.Standing), the second what has
    ended it, the third how it does not fit the use.
    """

    MALFORMED = "agreement_malformed"
    UNSIGNED = "agreement_unsigned"
    OTHER_SIGNER = "agreement_other_signer"
    OTHER_ALGORITHM = "agreement_other_algorithm"
    WRONGLY_SIGNED = "agreement_wrongly_signed"
    UNKNOWN_PARTY = "agreement_unknown_party"
    UNKNOWN_KEY = "agreement_unknown_key"
    OTHER_KEY = "agreement_other_key"
    KEY_TOO_EARLY = "agreement_key_too_early"
    KEY_RETIRED = "agreement_key_retired"
    KEY_REVOKED = "agreement_key_revoked"
    OTHER_NAME = "agreement_other_name"
    OTHER_NEGOTIATION = "agreement_other_negotiation"
    OTHER_OFFER = "agreement_other_offer"
    OTHER_TEXT = "agreement_other_text"
    OFFER_EXPIRED = "agreement_offer_expired"
    OTHER_AGREEMENT = "agreement_other_agreement"
    REPERTOIRE_MISSING = "agreement_repertoire_missing"
    OTHER_REPERTOIRE = "agreement_other_repertoire"

    PARTY_UNTRUSTED = "agreement_party_untrusted"
    NO_MANDATE = "agreement_no_mandate"
    UNFINISHED = "agreement_unfinished"
    TERMINATED = "agreement_terminated"
    SUPERSEDED = "agreement_superseded"

    NOT_BEGUN = "agreement_not_begun"
    EXPIRED = "agreement_expired"
    TRAINING_OVER = "agreement_training_over"
    OTHER_LICENSEE = "agreement_other_licensee"
    OTHER_USAGE = "agreement_other_usage"
    OTHER_PURPOSE = "agreement_other_purpose"
    OTHER_MODALITY = "agreement_other_modality"
    OTHER_FIELD = "agreement_other_field"
    OTHER_MODEL = "agreement_other_model"
    OTHER_TERRITORY = "agreement_other_territory"


_NAMED = "an agreement names it, but"
_ON_IT = "the agreement on it"
OBSTACLE_WORDS: dict[str, str] = {
    Obstacle.MALFORMED: f"{_NAMED} the document cannot be read",
    Obstacle.UNSIGNED: f"{_NAMED} not both parties have signed",
    Obstacle.OTHER_SIGNER: f"{_NAMED} somebody signed who is no party to it",
    Obstacle.OTHER_ALGORITHM: f"{_NAMED} it is signed by another algorithm than Ed25519",
    Obstacle.WRONGLY_SIGNED: f"{_NAMED} it was altered after it was signed, or by another key",
    Obstacle.UNKNOWN_PARTY: f"{_NAMED} a party to it is not known here",
    Obstacle.UNKNOWN_KEY: f"{_NAMED} it is signed by a key that its party never had",
    Obstacle.OTHER_KEY: f"{_NAMED} it is signed by the key of another party",
    Obstacle.KEY_TOO_EARLY: f"{_NAMED} it is dated before the key that signed it",
    Obstacle.KEY_RETIRED: f"{_NAMED} it is signed by a key that was retired before",
    Obstacle.KEY_REVOKED: f"{_NAMED} it is signed by a key that was revoked",
    Obstacle.OTHER_NAME: f"{_NAMED} it names a party by a name that it never gave itself",
    Obstacle.OTHER_NEGOTIATION: f"{_NAMED} it was carried here from another negotiation",
    Obstacle.OTHER_OFFER: f"{_NAMED} it rests on another offer than the one accepted",
    Obstacle.OTHER_TEXT: f"{_NAMED} its terms are not those that were offered",
    Obstacle.OFFER_EXPIRED: f"{_NAMED} its offer was no longer open when it was made",
    Obstacle.OTHER_AGREEMENT: f"{_NAMED} it is about another agreement",
    Obstacle.REPERTOIRE_MISSING: f"{_NAMED} the list of its works is not here",
    Obstacle.OTHER_REPERTOIRE: f"{_NAMED} the list of works is not the one that was agreed",
    Obstacle.PARTY_UNTRUSTED: f"{_NAMED} no key of the licensor is trusted: see `--trust`",
    Obstacle.NO_MANDATE: f"{_NAMED} the mandate that the licensor acts under does not hold",
    Obstacle.UNFINISHED: f"{_NAMED} its negotiation did not come to its end",
    Obstacle.TERMINATED: f"{_ON_IT} was terminated",
    Obstacle.SUPERSEDED: f"{_ON_IT} was superseded by another",
    Obstacle.NOT_BEGUN: f"{_ON_IT} has not begun on that day",
    Obstacle.EXPIRED: f"{_ON_IT} has ended on that day",
    Obstacle.TRAINING_OVER: f"{_ON_IT} permits no training any more on that day",
    Obstacle.OTHER_LICENSEE: f"{_ON_IT} is with another licensee",
    Obstacle.OTHER_USAGE: f"{_ON_IT} does not grant this usage",
    Obstacle.OTHER_PURPOSE: f"{_ON_IT} does not grant this purpose, or none was named "
    "(`--purpose`)",
    Obstacle.OTHER_MODALITY: f"{_ON_IT} does not grant what goes in or comes out",
    Obstacle.OTHER_FIELD: f"{_ON_IT} does not grant this field of use",
    Obstacle.OTHER_MODEL: f"{_ON_IT} is for another model, or none was named "
    "(`--model`, `--model-version`)",
    Obstacle.OTHER_TERRITORY: f"{_ON_IT} does not grant all of these countries, or none was named "
    "(`--territory`)",
    EXCLUSIVE_TO_ANOTHER: "somebody else holds the exclusive licence",
}
"""Each code in words."""

OBSTACLE_BITS: dict[Obstacle, int] = {
    obstacle: 1 << (OBSTACLE_SHIFT + at) for at, obstacle in enumerate(Obstacle)
}
"""Each obstacle as a bit of a standing."""


def obstacles_in(standing: int) -> tuple[str, ...]:
    """Return the obstacles whose bits are in ``standing``, in the order of the enum."""
    return tuple(str(obstacle) for obstacle, bit in OBSTACLE_BITS.items() if standing & bit)
