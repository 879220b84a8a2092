"""Differences between two terms: all of them, and nothing that means the same."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from tests.consent.licences.terms_cases import OWNER, STUDIO, whole_terms

from tercet.consent.licences.terms_difference import Difference, differences
from tercet.consent.licences.terms_schema import terms_fields, terms_of
from tercet.core.terms import Grant, Law, Price, RepertoireName, Terms
from tercet.core.usage import Usage

PLAIN = Terms(OWNER, RepertoireName("5" * 64, 3))


def test_each_field_that_differs_is_told_with_both_values() -> None:
    before = replace(PLAIN, grant=Grant(usages=(Usage.MINE, Usage.SEARCH)))
    after = replace(
        PLAIN,
        licensee=STUDIO,
        grant=Grant(usages=(Usage.SEARCH, Usage.TRAIN_GENERATIVE)),
        price=Price("EUR", fixed_micros=5),
    )
    found = differences(before, after)
    assert found == (
        Difference("licensee", None, {"id": STUDIO.id, "name": "Studio"}),
        Difference("grant.usages", ["mine", "search"], ["search", "train_generative"]),
        Difference("price.currency", "", "EUR"),
        Difference("price.fixed_micros", 0, 5),
    )
    assert (found[1].added, found[1].removed) == (("train_generative",), ("mine",))
    assert (found[2].added, found[2].removed) == ((), ())


def test_the_order_of_a_set_is_no_difference_and_that_of_steps_is() -> None:
    one = replace(
        PLAIN, grant=Grant(usages=(Usage.MINE, Usage.SEARCH)), law=Law("", "", ("a", "b"))
    )
    two = replace(
        PLAIN, grant=Grant(usages=(Usage.SEARCH, Usage.MINE)), law=Law("", "", ("b", "a"))
    )
    assert [difference.path for difference in differences(one, two)] == ["law.steps"]
    fewer = replace(one, grant=Grant(usages=(Usage.MINE,)))
    for before, after in ((one, fewer), (fewer, one)):
        assert [difference.path for difference in differences(before, after)] == ["grant.usages"]


@settings(max_examples=30)
@given(whole_terms(), whole_terms())
def test_putting_the_differences_in_gives_the_other(before: Terms, after: Terms) -> None:
    document = terms_fields(before)
    for difference in differences(before, after):
        *path, last = difference.path.split(".")
        at = document
        for part in path:
            at = at[part]
        assert at[last] == difference.before
        at[last] = difference.after
    assert differences(terms_of(document), after) == ()
    assert differences(before, before) == ()
