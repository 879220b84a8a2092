"""Terms: what a licence permits, to whom, for how long, at what price: `tercet/terms@1`.

Every default favours the party that is silent: what is not granted is not granted. Lengths of time
are whole days or months, shares basis points (1 of 10,000) or per mille, money integer micro-units
of ``Price.currency``; 0 means "none" unless a field says otherwise. Dates are RFC 3339 full dates
in UTC; periods include their first day and not the day named as their end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tercet.core.usage import Usage

TERMS_TYPE = "tercet/terms@1"
WORLD = "*"  # every country
FOREVER = "9999-12-31"  # the last full date of RFC 3339, as the end of what has none


class Purpose(StrEnum):
    """What for."""

    PRETRAIN = "pretrain"
    FINETUNE = "finetune"
    EVALUATE = "evaluate"
    REFERENCE = "reference"  # shown to a model while it answers (retrieval)
    OUTPUT_FEATURE = "output_feature"  # characters, sounds or scenes that may appear in outputs


class Modality(StrEnum):
    """What goes in or comes out."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    SCENE = "scene"  # three-dimensional scenes and drawings


class Versions(StrEnum):
    """Which versions of a model, from the narrowest."""

    ONE = "one"
    FAMILY = "family"
    ANY = "any"


class FieldOfUse(StrEnum):
    """Where what is made may be used."""

    CONSUMER = "consumer"
    ENTERPRISE = "enterprise"
    INTERNAL = "internal"
    RESEARCH = "research"


class Tail(StrEnum):
    """How long a model may go on generating after the term has ended."""

    NONE = "none"
    MONTHS = "months"
    PERPETUAL = "perpetual"


class Exclusivity(StrEnum):
    """Whether others may have the same. ``SOLE``: the owner, but nobody else."""

    NONE = "none"
    SOLE = "sole"
    EXCLUSIVE = "exclusive"


class Sublicence(StrEnum):
    """To whom the licensee may pass on what was granted."""

    NONE = "none"
    AFFILIATES = "affiliates"
    NAMED = "named"
    ANY = "any"


class Trigger(StrEnum):
    """What makes copies due to be deleted."""

    EXPIRY = "expiry"
    TERMINATION = "termination"
    INSOLVENCY = "insolvency"
    DISCONTINUATION = "discontinuation"  # the service or the model is given up


class Fallback(StrEnum):
    """How money is shared where attribution is less reliable than was agreed."""

    EQUAL = "equal"
    PRORATA = "prorata"
    HOLD = "hold"


class RevenueBase(StrEnum):
    """What a revenue share is a share of."""

    GROSS = "gross"
    NET = "net"  # gross less ``Price.deductions``, and nothing else


class Surviving(StrEnum):
    """What outlives the end of a service or of an agreement."""

    PAYMENT = "payment"
    AUDIT = "audit"
    DELETION = "deletion"
    ATTRIBUTION = "attribution"


@dataclass(frozen=True, slots=True)
class PartyName:
    """Who: the id of a party (see consent/licences/party), and the name it gave itself."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class RepertoireName:
    """Which works: the SHA-256 of a repertoire's bytes, and how many works are in it.

    ``exclusions`` are works of it (as lines of a repertoire) that are not meant.
    """

    sha256: str = ""
    work_count: int = 0
    exclusions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelScope:
    """Which models. ``ONE`` is ``model`` in ``version``, ``FAMILY`` every version of ``model``."""

    versions: Versions = Versions.ONE
    model: str = ""
    version: str = ""
    parameters_max: int = 0


@dataclass(frozen=True, slots=True)
class Territory:
    """Where: ISO 3166-1 alpha-2 codes, or ``WORLD``; ``exclude`` takes away from ``include``."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """When. Training may happen from ``start`` until ``training_end`` ("": until ``end``)."""

    start: str = ""
    end: str = ""
    training_end: str = ""
    tail: Tail = Tail.NONE
    tail_months: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """All that is permitted. A use that any field does not name is not permitted."""

    usages: tuple[Usage, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    modalities_in: tuple[Modality, ...] = ()
    modalities_out: tuple[Modality, ...] = ()
    fields_of_use: tuple[FieldOfUse, ...] = ()
    models: ModelScope = field(default_factory=ModelScope)
    territory: Territory = field(default_factory=Territory)
    period: Period = field(default_factory=Period)
    exclusivity: Exclusivity = Exclusivity.NONE
    sublicence: Sublicence = Sublicence.NONE
    sublicensees: tuple[str, ...] = ()  # party ids, with NAMED


@dataclass(frozen=True, slots=True)
class Retention:
    """How long copies may be kept after training, and what makes them due to be deleted."""

    raw_days: int = 0
    feature_days: int = 0
    keeps_checkpoints: bool = False
    delete_on: tuple[Trigger, ...] = tuple(Trigger)
    deletion_days: int = 30  # to delete, once a trigger came
    certificate: bool = True


@dataclass(frozen=True, slots=True)
class Guards:
    """What outputs must not do. ``blocked_words`` may not stand in prompts."""

    similarity_max_per_mille: int = 0
    quoted_words_max: int = 0
    persons: bool = True  # no replica of a person
    styles: bool = True  # no style asked for by an owner's name
    scenes: bool = True  # no scene made again
    blocked_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributionTerms:
    """How credit is measured: a method with its version, how reliable it must be, what if not."""

    method: str = ""
    reliability_min_per_mille: int = 0
    fallback: Fallback = Fallback.EQUAL


@dataclass(frozen=True, slots=True)
class Price:
    """What is to be paid: every amount that is not 0. ``advance_micros`` is set off later dues."""

    currency: str = ""
    fixed_micros: int = 0
    per_minute_micros: int = 0
    per_work_micros: int = 0
    per_token_micros: int = 0
    per_generation_micros: int = 0
    per_output_second_micros: int = 0
    share_basis_points: int = 0
    base: RevenueBase = RevenueBase.GROSS
    deductions: tuple[str, ...] = ()
    guarantee_micros: int = 0
    advance_micros: int = 0
    cap_micros: int = 0
    floor_micros: int = 0


@dataclass(frozen=True, slots=True)
class MostFavoured:
    """That no other licensee is given better for the same; ``lookback_months`` before counts."""

    applies: bool = False
    lookback_months: int = 0


@dataclass(frozen=True, slots=True)
class Reporting:
    """Reports of use every ``period_months``, ``due_days`` after; ``fields`` are what they say."""

    period_months: int = 1
    due_days: int = 30
    fields: tuple[str, ...] = ("outputs", "seconds", "revenue")


@dataclass(frozen=True, slots=True)
class Audit:
    """The owner's right to look. From ``cost_shift_basis_points`` of error the licensee pays."""

    notice_days: int = 30
    per_year: int = 1
    records_years: int = 7
    cost_shift_basis_points: int = 500


@dataclass(frozen=True, slots=True)
class WindDown:
    """What happens when the licensee gives the service up."""

    notice_days: int = 90
    escrow_micros: int = 0
    survival: tuple[Surviving, ...] = tuple(Surviving)


@dataclass(frozen=True, slots=True)
class Law:
    """Which law, which courts, and the steps before them. Codes of territories, or ""."""

    governing: str = ""
    forum: str = ""
    steps: tuple[str, ...] = ("talks", "mediation")


@dataclass(frozen=True, slots=True)
class Terms:
    """A licence's terms. ``licensee`` is None in an offer to everybody.

    ``mandate`` is the id of the mandate or the collective snapshot that the licensor acts under.
    """

    licensor: PartyName
    repertoire: RepertoireName
    licensee: PartyName | None = None
    mandate: str = ""
    grant: Grant = field(default_factory=Grant)
    price: Price = field(default_factory=Price)
    retention: Retention = field(default_factory=Retention)
    guards: Guards = field(default_factory=Guards)
    attribution: AttributionTerms = field(default_factory=AttributionTerms)
    most_favoured: MostFavoured = field(default_factory=MostFavoured)
    reporting: Reporting = field(default_factory=Reporting)
    audit: Audit = field(default_factory=Audit)
    late_interest_basis_points: int = 0
    grosses_up: bool = False  # the licensee bears taxes withheld from payments
    wind_down: WindDown = field(default_factory=WindDown)
    law: Law = field(default_factory=Law)
    notes: tuple[str, ...] = ()  # for people; nothing is decided by them


@dataclass(frozen=True, slots=True)
class Use:
    """One thing a licensee wants to do, at one time: what terms are asked about.

    ``model`` and ``version`` name the model that is trained or asked; ``territories`` are where it
    is offered. ``on`` is the day. Empty fields ask for nothing special and need no permission,
    except where terms are bound to a licensee, a model or its size: silence does not meet those.
    """

    usage: Usage
    on: str
    licensee: str = ""
    model: str = ""
    version: str = ""
    parameters: int = 0
    purpose: Purpose | None = None
    modality_in: Modality | None = None
    modality_out: Modality | None = None
    field_of_use: FieldOfUse | None = None
    territories: tuple[str, ...] = ()
