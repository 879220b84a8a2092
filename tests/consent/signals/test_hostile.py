"""Every reader of every signal against every hostile input of its kind: fast, total, no grant."""

from __future__ import annotations

import runpy
import time
from pathlib import Path

import pytest

from tercet.consent.html_page import parse_page
from tercet.consent.json_ld import nodes
from tercet.consent.signal import Resource
from tercet.consent.signals import read
from tercet.consent.xml_tree import attribute_names, parse_xml, text_of
from tercet.core.declaration import Carrier, Source
from tercet.core.limits import DECLARATIONS_MAX
from tercet.core.usage import Permission

SECONDS_MAX = 2.0  # of CPU, for all readers of the kind together
INPUTS = list(
    runpy.run_path(str(Path(__file__).resolve().parents[1] / "hostile_inputs.py"))[
        "hostile_inputs"
    ]()
)


@pytest.mark.parametrize(
    ("resource", "raw"),
    [(resource, raw) for _, resource, raw in INPUTS],
    ids=[f"{resource}:{name}" for name, resource, _ in INPUTS],
)
def test_hostile_input_is_read_in_time(resource: Resource, raw: bytes) -> None:
    before = time.process_time()
    declarations = read(resource, raw, Source("https://example.org/a", Carrier.FILE))
    assert time.process_time() - before < SECONDS_MAX
    assert len(declarations) <= 8 * DECLARATIONS_MAX
    assert all(len(declaration.declaration_id) == 16 for declaration in declarations)


@pytest.mark.parametrize("name", ["billion-laughs", "quadratic-blow-up", "outside-entity"])
def test_what_an_entity_would_say_is_never_a_grant(name: str) -> None:
    found = [
        declaration
        for flaw, resource, raw in INPUTS
        if flaw == name
        for declaration in read(resource, raw, Source("https://example.org/a", Carrier.FILE))
    ]
    assert all(declaration.fault for declaration in found)
    assert not any(
        permission is Permission.ALLOW
        for declaration in found
        for reading in declaration.readings
        for statement in reading.statements
        for _, permission in statement.permissions
    )


@pytest.mark.parametrize("reference", [b"&#xD800;", b"&#XDFFF;", b"&#55296;", b"&#x0000dabc"])
def test_flaw_reference_to_a_surrogate(reference: bytes) -> None:
    tree = parse_xml(b"<a b='" + reference + b"'>" + reference + b"<c/></a>")
    assert tree.fault
    if tree.root is not None:
        assert text_of(tree.root).encode() is not None
        assert all(value.isprintable() for _, _, value in attribute_names(tree.root))


def test_many_attributes_are_listed_as_few_are() -> None:
    def listed(count: int) -> list[tuple[str, str, str]]:
        more = b" ".join(b"b%d='c'" % number for number in range(count))
        return list(
            attribute_names(parse_xml(b"<a xmlns:q='urn:q' q:z='&lt;' " + more + b"/>").root)
        )

    assert listed(3) == listed(300)[:4]
    assert listed(300)[0] == ("urn:q", "z", "<")


@pytest.mark.parametrize(
    ("before", "after"),
    [("<!--", "-->"), ("//<!--\n", "\n//-->"), ("// <![CDATA[\n", "\n// ]]>"), ("", "")],
)
def test_json_ld_in_old_wrappings_is_read(before: str, after: str) -> None:
    block = '{"@type":"WebPage","license":"https://creativecommons.org/licenses/by/4.0/ <!--"}'
    raw = f'<script type="application/ld+json">{before}{block}{after}</script>'.encode()
    (node,) = nodes(parse_page(raw, "text/html"))
    assert node.texts("license") == ("https://creativecommons.org/licenses/by/4.0/ <!--",)
