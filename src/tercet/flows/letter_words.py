"""The words around a letter on a page and in print, in English and Vietnamese; dates and names of
countries too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from tercet.consent.licences.letter_counts import ProofKind

if TYPE_CHECKING:
    from babel import Locale


@dataclass(frozen=True, slots=True)
class LetterWords:
    """Everything that is said around a letter. `{...}` is filled in where it is used."""

    language: str
    open_letter: str
    from_whom: str
    signed_one: str
    signed_many: str
    named: str
    unverified: str
    withdrawn: str
    closes: str
    closed: str
    countries: str
    professions: str
    country: str
    profession: str
    signatories: str
    rest: str
    rest_why: str
    names: str
    no_names: str
    proofs: str
    proofs_why: str
    integrity: str
    hash: str
    kept_by: str
    state_of: str
    check: str
    mail_subject: str
    mail_text: str
    proof: dict[ProofKind, str]


ENGLISH = LetterWords(
    language="en",
    open_letter="Open letter",
    from_whom="by {name}, {day}",
    signed_one="{count} signatory, verified",
    signed_many="{count} signatories, verified",
    named="{count} of them by name, below",
    unverified="{count} more signed without being verified: they are counted nowhere else",
    withdrawn="{count} withdrew",
    closes="It can be signed until {day}.",
    closed="It could be signed until {day}.",
    countries="Where they are",
    professions="What they do",
    country="Country",
    profession="Profession",
    signatories="Signatories",
    rest="Others, or not said",
    rest_why="Who asked not to be shown, and groups of fewer than five, are in the last line only.",
    names="Signed by",
    no_names="Nobody who signed is shown by name.",
    proofs="How they were verified",
    proofs_why="One person may be verified in several ways. Who asked not to be shown, and ways of "
    "fewer than five, are not in these figures.",
    integrity="Is it whole?",
    hash="Hash of the letter (SHA-256)",
    kept_by="Kept by",
    state_of="As of",
    check="The signed export of this letter can be checked by anybody, without asking us: "
    "`tercet letter verify FILE`.",
    mail_subject="Please confirm your signature: {title}",
    mail_text="""Hello {name},

somebody, we hope you, signed this open letter with your address:

    {title}
    by {initiator}

To confirm, open this page within {days} days and press the button:

{confirm}

If it was not you, do nothing: without your confirmation the signature counts for nothing.

To withdraw at any later time, keep this message and open:

{withdraw}

Hash of the letter (SHA-256): {sha256}
""",
    proof={
        ProofKind.DOMAIN: "control of a domain",
        ProofKind.EMAIL: "a link sent by e-mail",
        ProofKind.OIDC: "an identity provider",
        ProofKind.CATALOGUE: "a registered catalogue",
        ProofKind.COLLECTIVE: "a collective vouches",
    },
)

VIETNAMESE = LetterWords(
    language="vi",
    open_letter="Thư ngỏ",
    from_whom="của {name}, {day}",
    signed_one="{count} người ký, đã xác minh",
    signed_many="{count} người ký, đã xác minh",
    named="{count} người nêu tên, ở bên dưới",
    unverified="{count} người khác đã ký nhưng chưa được xác minh: không được tính ở chỗ nào khác",
    withdrawn="{count} người đã rút chữ ký",
    closes="Có thể ký đến ngày {day}.",
    closed="Đã nhận chữ ký đến ngày {day}.",
    countries="Họ ở đâu",
    professions="Họ làm gì",
    country="Quốc gia",
    profession="Nghề nghiệp",
    signatories="Số người ký",
    rest="Khác, hoặc không nêu",
    rest_why="Người không muốn được nêu và các nhóm dưới năm người chỉ nằm trong dòng cuối.",
    names="Những người ký tên",
    no_names="Không ai trong số người ký được nêu tên.",
    proofs="Họ được xác minh thế nào",
    proofs_why="Một người có thể được xác minh theo nhiều cách. Người không muốn được nêu và cách "
    "xác minh có dưới năm người không nằm trong các con số này.",
    integrity="Thư có nguyên vẹn không?",
    hash="Mã băm của thư (SHA-256)",
    kept_by="Người lưu giữ",
    state_of="Tính đến",
    check="Ai cũng có thể tự kiểm tra bản xuất đã ký của thư này: `tercet letter verify FILE`.",
    mail_subject="Xin xác nhận chữ ký của bạn: {title}",
    mail_text="""Chào {name},

có người, chúng tôi mong là bạn, đã dùng địa chỉ của bạn để ký thư ngỏ này:

    {title}
    của {initiator}

Để xác nhận, hãy mở trang này trong vòng {days} ngày và nhấn nút:

{confirm}

Nếu không phải là bạn, bạn không cần làm gì: không có xác nhận thì chữ ký không được tính.

Để rút chữ ký vào bất cứ lúc nào, hãy giữ thư này và mở:

{withdraw}

Mã băm của thư (SHA-256): {sha256}
""",
    proof={
        ProofKind.DOMAIN: "quyền kiểm soát tên miền",
        ProofKind.EMAIL: "liên kết gửi qua thư điện tử",
        ProofKind.OIDC: "nhà cung cấp danh tính",
        ProofKind.CATALOGUE: "danh mục đã đăng ký",
        ProofKind.COLLECTIVE: "một tổ chức tập thể bảo đảm",
    },
)


def words_for(language: str) -> LetterWords:
    """Return the words for a letter's language: Vietnamese for that, else English."""
    return VIETNAMESE if language.partition("-")[0] == "vi" else ENGLISH


@cache
def country_name(code: str, language: str) -> str:
    """Return what a country is called; its code where it has no name."""
    return str(_locale(language).territories.get(code, code)) if code else ""


def day_words(day: str, language: str) -> str:
    """Return a date (RFC 3339, or the beginning of a time) as people write it."""
    from babel.dates import format_date

    return str(format_date(date.fromisoformat(day[:10]), "long", locale=_locale(language)))


def count_words(count: int, language: str) -> str:
    """Return a number with its digits in groups, as the language does it."""
    from babel.numbers import format_decimal

    return str(format_decimal(count, locale=_locale(language)))


@cache
def _locale(language: str) -> Locale:
    from babel import Locale

    return Locale.parse(language)
