"""Names of parties: what people and firms are called passes, what deceives does not."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.licences.names import (
    NameCharacterError,
    NameHiddenError,
    NameLookalikeError,
    NameScriptError,
    NameTextError,
    check_name,
    check_not_alike,
    look_alikes,
    skeleton,
)
from tercet.core.errors import TercetError

GOOD = """
Nguyễn Văn An|Trần Thị Hồng Nhung|Đặng Thái Sơn|Lê Quỳnh Như|Phạm Ngọc Thạch|Vũ Đức Ưng|Ỷ Lan
Công ty TNHH Phim Ảnh Việt Nam|Hãng phim truyện số 1
Łukasz Żółć|Zażółć Gęślą Jaźń Sp. z o.o.|Świętosława Ździebło-Ćwik
Ελένη Παπαδοπούλου|Κώστας Ξυδάκης|Ολυμπιακή Ταινία Α.Ε.
Ольга Щербина|Ёлка и Товарищи|Студія Їжак|Đorđe Šćepanović
山田太郎|スタジオ・サクラ|さくらアニメーション|東京フィルム株式会社 Tokyo Film
长江影业|影片公司 ABC|한국영화|한빛 Studio
محمد بن سلمان|استوديو الأفلام|شركة ٣ نجوم|דוד כהן|प्रिया शर्मा|สมชาย ใจดี|Արամ Խաչատրյան|ნინო ბერიძე
O’Brien & Sons, Inc.|Jean-Luc Gödard|Beyoncé Films Ltd. (UK)|Studio 3|D'Angelo|Strauß|Ærø Film/TV|X
""".replace("\n", "|").strip("|").split("|")  # fmt: skip

BAD: dict[str, tuple[type[TercetError], ...]] = {
    "": (NameTextError,),
    "a" * 201: (NameTextError,),
    " Acme": (NameTextError,),
    "Acme ": (NameTextError,),
    "Acme  Film": (NameTextError,),
    "12": (NameTextError,),
    "&": (NameTextError,),
    "Cafe\u0301": (NameTextError,),  # NFD
    "\u212bngstrom": (NameTextError, NameCharacterError),  # ANGSTROM SIGN, not NFC
    "Acme\u0000": (NameHiddenError,),
    "Acme\nLtd": (NameHiddenError,),
    "Acme\u2028Ltd": (NameHiddenError,),
    "Acme\u202eemcA": (NameHiddenError,),  # RIGHT-TO-LEFT OVERRIDE
    "Acme\u2066x\u2069": (NameHiddenError,),  # isolates
    "Ac\u200bme": (NameHiddenError,),  # ZERO WIDTH SPACE
    "Ac\u200dme": (NameHiddenError,),  # ZERO WIDTH JOINER
    "Ac\u00adme": (NameHiddenError,),  # SOFT HYPHEN
    "\ufeffAcme": (NameHiddenError,),
    "Ac\U000e0061me": (NameHiddenError,),  # a tag character
    "Acme\ue000": (NameHiddenError,),  # private use
    "Ac\ufe0fme": (NameCharacterError,),  # a variation selector
    "Ac\u034fme": (NameCharacterError,),  # COMBINING GRAPHEME JOINER
    "Acme \u3164": (NameCharacterError,),  # HANGUL FILLER: a letter that shows nothing
    "Acme\u00a0Film": (NameCharacterError,),  # NO-BREAK SPACE
    "Acme\u3000Film": (NameCharacterError,),  # IDEOGRAPHIC SPACE
    "\uff21cme": (NameCharacterError,),  # fullwidth
    "\U0001d400cme": (NameCharacterError,),  # mathematical bold
    "\u1d00cme": (NameCharacterError,),  # small capital, phonetic
    "Acme\u2122": (NameCharacterError,),
    "Acme \u2460": (NameCharacterError,),
    "\U0001f600 Film": (NameCharacterError,),
    "x\u0315\u0300\u0327\u0328\u0332": (NameCharacterError, NameTextError),
    "\u0420\u0430ypal": (NameScriptError,),  # Cyrillic Er and a, then Latin
    "\u0391cme": (NameScriptError,),  # Greek Alpha, then Latin
    "ΑΒ\u0421": (NameScriptError,),  # Greek, then Cyrillic Es
    "Студия Acme": (NameScriptError,),
    "عربي Acme": (NameScriptError,),
    "דוד محمد": (NameScriptError,),
    "한국 さくら": (NameScriptError,),
    "محمد 3٣": (NameScriptError,),  # digits of two systems
    "محمد ٣۴": (NameScriptError,),  # Arabic and Persian digits
}


@pytest.mark.parametrize("name", GOOD)
def test_what_people_and_firms_are_called_passes(name: str) -> None:
    check_name(unicodedata.normalize("NFC", name))


@pytest.mark.parametrize(("name", "kinds"), BAD.items(), ids=ascii)
def test_what_can_be_read_in_two_ways_is_refused(
    name: str, kinds: tuple[type[TercetError], ...]
) -> None:
    with pytest.raises(TercetError) as caught:
        check_name(name)
    assert type(caught.value) in kinds


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Acme", "Acme"),
        ("АСМЕ", "ACME"),  # all Cyrillic
        ("ΑΚΜΗ", "AKMH"),  # all Greek
        ("Ѕсоре", "Scope"),  # all Cyrillic: the example of UTS 39 section 4
        ("Ian Bell", "lan Bell"),  # capital I for small l
        ("Studio 0ne", "Studio One"),  # a zero
        ("Studio l", "Studio 1"),
        ("Bernard", "Bemard"),  # r and n for m
        ("ACME film", "Acme Film"),
        ("Acme, Film.", "Acme Film"),
        ("Acme-Film", "Acme–Film"),
        ("O'Brien", "O’Brien"),
        ("스튜디오", "스튜디오"),
        ("ニノ", "二ノ"),  # the Katakana NI and the character for two
    ],
)
def test_what_looks_alike_is_refused(name: str, known: str) -> None:
    with pytest.raises(NameLookalikeError):
        check_not_alike("urn:tercet:party:b", name, {"urn:tercet:party:a": known})


VIETNAMESE_WORDS = """
Hoa Hóa Hòa Hỏa Hõa Họa Hoà Hoá Hoạ Hoả Hoã Hơ Hô Ho Hồ Hổ Hỗ Hố Hộ Hờ Hở Hỡ Hớ
Hợ Hò Hó Hỏ Hõ Họ Hư Hu Hừ Hử Hữ Hứ Hự Hù Hú Hủ Hũ Hụ Ân Ăn An Ấn Ẩn Ẫn Ận Ằn Ẳn Ẵn Ắn Ặn Án Àn Ản
Ãn Ạn Dung Dũng Dụng Dùng Đen Đan Lê Lệ Lễ Lể Lế Lề Le Lẽ Vy Vỹ Ý Ỷ Ỳ Ỹ Y
"""


def test_names_that_differ_in_vietnamese_marks_are_different_names() -> None:
    for one, other in itertools.combinations(VIETNAMESE_WORDS.split(), 2):
        if one != other:
            assert not look_alikes(one, {"other": other}), f"{one} {other}"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Łódź Film", "Lodz Film"), ("Żak", "Zak"), ("Ольга", "Олена"), ("山田", "山本"),
     ("محمد", "أحمد"), ("Ελένη", "Ελενίτσα"), ("Studio 1", "Studio 2")],
)  # fmt: skip
def test_different_names_are_different(one: str, other: str) -> None:
    check_not_alike("b", one, {"a": other})


def test_a_person_can_tell_two_of_one_name_apart() -> None:
    known = {"a": "Nguyễn Văn An", "b": "Nguyễn Văn An"}
    check_not_alike("c", "Nguyễn Văn An", known, confirmed=frozenset({"a", "b"}))
    with pytest.raises(NameLookalikeError):
        check_not_alike("c", "Nguyễn Văn An", known, confirmed=frozenset({"a"}))
    check_not_alike("a", "Nguyễn Văn An", {"a": "Nguyễn Văn An"})  # itself


def test_the_skeletons_of_uts_39() -> None:
    """Section 4: "scope" and its Cyrillic twin have one skeleton; "m" is "rn"."""
    assert skeleton("ѕсоре") == skeleton("scope")
    assert skeleton("m") == skeleton("rn") == "rn"
    assert skeleton("ℌ") == skeleton("H")
    assert skeleton("Ⅷ") == skeleton("VIII")
    assert skeleton("\u00c5") == skeleton("A\u030a")


@given(st.text(max_size=8))
def test_every_text_has_an_answer(text: str) -> None:
    try:
        check_name(text)
    except TercetError:
        return
    assert unicodedata.normalize("NFC", text) == text
    assert not any(unicodedata.category(c)[0] == "C" for c in text)
    assert look_alikes(text, {"itself": text}) == ("itself",)


@given(st.text(st.characters(max_codepoint=0x30FF, exclude_categories=["Cs"]), max_size=6))
def test_a_skeleton_looks_like_itself(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


def test_each_refusal_has_a_code_of_its_own() -> None:
    kinds = (
        NameTextError, NameHiddenError, NameCharacterError, NameScriptError, NameLookalikeError,
    )  # fmt: skip
    assert len({kind.code for kind in kinds}) == len(kinds)
