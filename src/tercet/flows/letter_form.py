"""The forms of a letter's page: to sign by e-mail, and to confirm or withdraw from a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tercet.consent.licences.letter import PERSON_CHARACTERS_MAX, PROFESSION_CHARACTERS_MAX
from tercet.consent.licences.letter_token import TokenPurpose
from tercet.core.territories import TERRITORIES
from tercet.flows.letter_words import country_name
from tercet.flows.report_markup import Markup, element, join


@dataclass(frozen=True, slots=True)
class FormWords:
    """What the forms say."""

    sign: str
    name: str
    profession: str
    country: str
    optional: str
    no_country: str
    email: str
    email_hint: str
    visibility: str
    named: str
    counted: str
    hidden: str
    send: str
    sent: str
    wrong: str
    confirm: str
    withdraw: str
    confirm_button: str
    withdraw_button: str
    confirmed: str
    withdrawn: str
    back: str


ENGLISH = FormWords(
    sign="Sign this letter",
    name="Your name",
    profession="Profession",
    country="Country",
    optional="may be left empty",
    no_country="Not said",
    email="E-mail",
    email_hint="You get one message with a link to confirm. The address is shown to nobody.",
    visibility="What others see of you",
    named="My name, profession and country",
    counted="Not my name: I am counted by profession and country",
    hidden="Nothing: I am a part of the total",
    send="Send me the link",
    sent="Thank you. If you have not confirmed before, a message is on its way to you: your "
    "signature counts when you open its link.",
    wrong="That did not work",
    confirm="Confirm your signature",
    withdraw="Withdraw your signature",
    confirm_button="Yes, I sign",
    withdraw_button="Withdraw and erase",
    confirmed="Your signature is confirmed. Thank you.",
    withdrawn="Your signature is withdrawn, and what was kept of you is erased.",
    back="To the letter",
)

VIETNAMESE = FormWords(
    sign="Ký thư này",
    name="Họ và tên",
    profession="Nghề nghiệp",
    country="Quốc gia",
    optional="có thể để trống",
    no_country="Không nêu",
    email="Thư điện tử",
    email_hint="Bạn nhận một thư có liên kết để xác nhận. Địa chỉ không hiện ra cho ai.",
    visibility="Người khác thấy gì về bạn",
    named="Tên, nghề nghiệp và quốc gia của tôi",
    counted="Không nêu tên: tôi được tính theo nghề nghiệp và quốc gia",
    hidden="Không gì cả: tôi chỉ nằm trong tổng số",
    send="Gửi liên kết cho tôi",
    sent="Cảm ơn bạn. Nếu bạn chưa xác nhận, một thư đang được gửi đến bạn: chữ ký được tính khi "
    "bạn mở liên kết trong đó.",
    wrong="Chưa được",
    confirm="Xác nhận chữ ký",
    withdraw="Rút chữ ký",
    confirm_button="Vâng, tôi ký",
    withdraw_button="Rút và xóa",
    confirmed="Chữ ký của bạn đã được xác nhận. Cảm ơn bạn.",
    withdrawn="Chữ ký của bạn đã được rút, những gì lưu về bạn đã được xóa.",
    back="Về lá thư",
)


def form_words(language: str) -> FormWords:
    """Return what forms say in a letter's language: Vietnamese for that, else English."""
    return VIETNAMESE if language.partition("-")[0] == "vi" else ENGLISH


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a form: the field it is about ("": none of them), and the words."""

    field: str
    message: str
    hint: str = ""


def sign_form(
    action: str, words: FormWords, language: str, typed: Mapping[str, str], fault: Fault | None
) -> Markup:
    """Return the form to sign, filled with what was typed before, and what was wrong with it."""

    def line(name: str, label: str, kind: str, complete: str, most: int, hint: str) -> Markup:
        is_wrong = fault is not None and fault.field == name
        required = name in ("name", "email")
        described = f"{name}-hint" if hint else ""
        attributes = {
            "id": name, "name": name, "type": kind, "autocomplete": complete,
            "maxlength": str(most), "value": typed.get(name, ""), "aria_describedby": described,
            "aria_invalid": "true" if is_wrong else "", "required": "required" if required else "",
        }  # fmt: skip
        return element(
            "p",
            element("label", label, for_=name),
            element("input", **attributes),
            element("span", hint, class_="hint", id=f"{name}-hint") if hint else Markup(),
        )

    said = _fault(fault, words) if fault else Markup()
    fields = [
        line("name", words.name, "text", "name", PERSON_CHARACTERS_MAX, ""),
        line("profession", words.profession, "text", "organization-title",
             PROFESSION_CHARACTERS_MAX, words.optional),
        _countries(words, language, typed.get("country", "")),
        _visibility(words, typed.get("visibility", "")),
        line("email", words.email, "email", "email", 254, words.email_hint),
        element("p", element("button", words.send, type="submit")),
    ]  # fmt: skip
    return element(
        "section",
        element("h2", words.sign, id="sign"),
        said,
        element("form", *fields, method="post", action=action),
        class_="only-screen",
    )


def _fault(fault: Fault, words: FormWords) -> Markup:
    label = getattr(words, fault.field, "") if fault.field else ""
    where = element("a", label, href=f"#{fault.field}") if label else Markup()
    text = join([element("strong", f"{words.wrong}. "), where, ": " if where else "",
                 fault.message, f" ({fault.hint})" if fault.hint else ""])  # fmt: skip
    return element("div", element("p", text), class_="message wrong", role="alert")


def _countries(words: FormWords, language: str, chosen: str) -> Markup:
    named = sorted((country_name(code, language), code) for code in TERRITORIES)
    options = [element("option", words.no_country, value="none")] + [
        element("option", name, value=code, selected="selected" if code == chosen else "")
        for name, code in named
    ]
    return element(
        "p",
        element("label", words.country, for_="country"),
        element("select", *options, id="country", name="country", autocomplete="country"),
    )


def _visibility(words: FormWords, chosen: str) -> Markup:
    choices = [
        element(
            "label",
            element("input", type="radio", name="visibility", value=value, required="required",
                    checked="checked" if value == chosen else ""),
            element("span", text),
            class_="choice",
        )
        for value, text in (
            ("named", words.named), ("counted", words.counted), ("hidden", words.hidden)
        )
    ]  # fmt: skip
    return element("fieldset", element("legend", words.visibility), *choices)


def message(text: str) -> Markup:
    """Return a message in a box, read out when the page opens."""
    return element("div", element("p", text), class_="message", role="status")


def link_form(action: str, token: str, purpose: TokenPurpose, words: FormWords) -> Markup:
    """Return the page's content behind a link: a button, since only a person presses one.

    Programs that look at mail open every link; none of them may sign or withdraw for somebody.
    """
    is_confirm = purpose is TokenPurpose.CONFIRM
    return join(
        [
            element("h1", words.confirm if is_confirm else words.withdraw),
            element(
                "form",
                element("input", type="hidden", name="token", value=token),
                element(
                    "p",
                    element(
                        "button",
                        words.confirm_button if is_confirm else words.withdraw_button,
                        type="submit",
                    ),
                ),
                method="post",
                action=action,
            ),
        ]
    )
