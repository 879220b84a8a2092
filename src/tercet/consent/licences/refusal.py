"""Why terms do not permit a use, or do not cover other terms: closed codes, with words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RefusalCode(StrEnum):
    """What stands against it. Codes are stable."""

    USAGE = "other_usage"
    PURPOSE = "other_purpose"
    MODALITY_IN = "other_modality_in"
    MODALITY_OUT = "other_modality_out"
    FIELD_OF_USE = "other_field_of_use"
    LICENSEE = "other_licensee"
    LICENSEE_UNSAID = "licensee_unsaid"
    AFFILIATE_UNPROVEN = "affiliate_unproven"
    MODEL = "other_model"
    MODEL_VERSION = "other_model_version"
    MODEL_UNSAID = "model_unsaid"
    PARAMETERS = "too_many_parameters"
    PARAMETERS_UNSAID = "parameters_unsaid"
    TERRITORY = "other_territory"
    TERRITORY_UNKNOWN = "unknown_territory"
    DAY_UNREADABLE = "day_unreadable"
    NO_PERIOD = "no_period"
    NOT_BEGUN = "not_begun"
    EXPIRED = "expired"
    TRAINING_ENDED = "training_ended"
    GENERATION_ENDED = "generation_ended"
    LICENSOR = "other_licensor"
    REPERTOIRE = "other_repertoire"
    EXCLUSIONS = "fewer_exclusions"
    EXCLUSIVITY = "more_exclusive"
    SUBLICENCE = "wider_sublicence"
    RETENTION = "weaker_retention"
    GUARDS = "weaker_guards"


REFUSAL_WORDS: dict[RefusalCode, str] = {
    RefusalCode.USAGE: "this usage is not granted",
    RefusalCode.PURPOSE: "this purpose is not granted",
    RefusalCode.MODALITY_IN: "this kind of input is not granted",
    RefusalCode.MODALITY_OUT: "this kind of output is not granted",
    RefusalCode.FIELD_OF_USE: "this field of use is not granted",
    RefusalCode.LICENSEE: "it is granted to another licensee",
    RefusalCode.LICENSEE_UNSAID: "it is granted to one licensee, and who asks is not said",
    RefusalCode.AFFILIATE_UNPROVEN: "affiliates may have it, and terms cannot tell who is one",
    RefusalCode.MODEL: "it is granted for another model, or for none",
    RefusalCode.MODEL_VERSION: "it is granted for another version of the model",
    RefusalCode.MODEL_UNSAID: "it is granted for certain models, and the model is not said",
    RefusalCode.PARAMETERS: "the model is larger than is granted",
    RefusalCode.PARAMETERS_UNSAID: "the model's size is limited, and its size is not said",
    RefusalCode.TERRITORY: "this territory is not granted",
    RefusalCode.TERRITORY_UNKNOWN: "no such territory is known",
    RefusalCode.DAY_UNREADABLE: "the day asked about is not a day",
    RefusalCode.NO_PERIOD: "no period is granted",
    RefusalCode.NOT_BEGUN: "the period has not begun",
    RefusalCode.EXPIRED: "the period has ended",
    RefusalCode.TRAINING_ENDED: "the time for training has ended",
    RefusalCode.GENERATION_ENDED: "the time for generating with the model has ended",
    RefusalCode.LICENSOR: "another party grants it",
    RefusalCode.REPERTOIRE: "it is about other works",
    RefusalCode.EXCLUSIONS: "works are excluded that must not be meant",
    RefusalCode.EXCLUSIVITY: "it would keep out more others than is granted",
    RefusalCode.SUBLICENCE: "it would be passed on to more parties than is granted",
    RefusalCode.RETENTION: "copies would be kept longer, or deleted less surely, than is granted",
    RefusalCode.GUARDS: "outputs would be guarded less than is granted",
}
"""Each code in plain words."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is not permitted: which field decides, what was asked, what is granted."""

    code: RefusalCode
    path: str
    asked: str
    granted: str

    def __str__(self) -> str:
        granted = self.granted or "nothing"
        return f"{self.path}: {REFUSAL_WORDS[self.code]}: asked {self.asked}, granted {granted}"
