"""What is rendered: every field is used, nothing else is, and nobody's text becomes markup."""

from __future__ import annotations

import hashlib
import re
from dataclasses import fields, replace
from typing import Any

import lxml.html as lxml_html
import pytest
import samples
from jinja2 import meta, nodes
from samples import ALL, HOSTILE

from tercet.web.contexts import JobContext, Problem, Typed
from tercet.web.order_form import form_field
from tercet.web.rendering import (
    HEADERS,
    PROGRESS_TEMPLATE,
    STATIC,
    TEMPLATE_OF,
    TEMPLATES,
    names,
    page,
    progress,
    templates,
)


def parsed(template: str) -> nodes.Template:
    environment = templates()
    assert environment.loader is not None
    return environment.parse(environment.loader.get_source(environment, template)[0])


def used_names(template: str) -> set[str]:
    """Names that a template takes from its context, also in the templates that it includes."""
    tree = parsed(template)
    found = set(meta.find_undeclared_variables(tree))
    found -= {macro.name for macro in tree.find_all(nodes.Macro)}
    found -= {name for taken in tree.find_all(nodes.FromImport) for name in taken.names}
    for inner in tree.find_all((nodes.Include, nodes.Extends)):
        found |= used_names(inner.template.value)
    return found


@pytest.mark.parametrize("context", ALL, ids=lambda each: type(each).__name__)
def test_the_fields_of_a_context_are_what_its_template_uses(context: Any) -> None:
    own = used_names(TEMPLATE_OF[type(context)]) - {"here"}  # set by each page for the frame
    assert own <= set(names(context))
    unused = {each.name for each in fields(context)} - own
    behind = {"percent", "state"} if isinstance(context, JobContext) else set()
    assert unused <= behind | {"video_id"}, "a field that nobody shows"


@pytest.mark.parametrize("context", ALL, ids=lambda each: type(each).__name__)
def test_every_field_is_documented(context: Any) -> None:
    documentation = type(context).__doc__ or ""
    assert len(documentation) > 60
    assert context.__dataclass_params__.frozen


def hostile_pages(text: str) -> list[str]:
    wrong = Problem(text, text)
    typed = Typed(**{each.name: text for each in fields(Typed)})
    return [
        page(samples.studio(typed, prompt=wrong, seconds=wrong, **{"": wrong})),
        page(samples.job(text)),
        page(samples.job(text, "failed", wrong)),
        progress(samples.job(text)),
        page(samples.video(text, text)),
        page(samples.gallery(text)),
        page(samples.problem(text)),
    ]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    """The pages have the same elements and attributes as with harmless text."""
    for hostile, harmless in zip(hostile_pages(text), hostile_pages("harmless"), strict=True):
        assert shape(hostile) == shape(harmless)
        assert "49" not in re.sub(r"[a-f0-9]{12,}", "", hostile) or "49" in harmless


def shape(page_text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements with the names of their attributes, in order."""
    tree = lxml_html.fromstring(page_text.encode("utf-8", "replace"))
    # a long prompt is set smaller: that is the class, not the attribute
    return [(str(node.tag), tuple(sorted(node.keys()))) for node in tree.iter()]


def test_a_hostile_prompt_is_still_what_was_typed() -> None:
    for text in HOSTILE.values():
        if "\x00" in text:
            continue  # no browser sends it back: HTML cannot hold it
        tree = lxml_html.fromstring(page(samples.studio(Typed(prompt=text))))
        assert tree.get_element_by_id("prompt").text.removeprefix("\n") == text


def test_leading_line_ends_survive_the_field() -> None:
    """HTML drops the first line end of a textarea; the template gives one of its own."""
    text = page(samples.studio(Typed(prompt="\n\nverse")))
    assert ">\n\n\nverse</textarea>" in text


def test_no_script_or_style_in_the_page_and_nothing_from_elsewhere() -> None:
    """What the content policy would refuse is not there to begin with."""
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    for context in ALL:
        text = page(context)
        tree = lxml_html.fromstring(text)
        for node in tree.iter():
            assert node.tag != "style"
            assert not [name for name in node.attrib if name == "style" or name.startswith("on")]
            for name in ("src", "href", "action", "poster"):
                assert node.get(name, "/").startswith(("/", "#")), node.get(name)
            if node.tag == "script":
                assert not (node.text or "").strip()


def test_every_control_has_a_label_and_every_reference_leads_somewhere() -> None:
    wrong = {each.name: Problem(f"wrong: {each.name}") for each in fields(Typed)}
    contexts = [*ALL, samples.studio(**wrong)]
    for context in contexts:
        tree = lxml_html.fromstring(page(context))
        ids = [node.get("id") for node in tree.iter() if node.get("id")]
        assert len(ids) == len(set(ids))
        labelled = {node.get("for") for node in tree.iter("label")}
        for node in tree.iter("input", "select", "textarea"):
            if node.get("type") != "hidden":
                assert node.get("id") in labelled
        for node in tree.iter():
            for name in ("aria-describedby", "aria-labelledby", "for"):
                assert set(node.get(name, "").split()) <= set(ids)
        assert len(tree.findall(".//h1")) == 1
        assert tree.get("lang") == "en"


@pytest.mark.parametrize("name", ["prompt", "seconds", "size", "seed", "steps", "guidance"])
def test_a_problem_stands_at_its_field(name: str) -> None:
    tree = lxml_html.fromstring(page(samples.studio(**{name: Problem("wrong <so>", "do this")})))
    field = tree.get_element_by_id(name)
    assert field.get("aria-invalid") == "true"
    told = tree.get_element_by_id(f"{name}-error").text_content()
    assert told.split() == ["wrong", "<so>", "do", "this"]
    assert f"{name}-error" in field.get("aria-describedby")
    assert [link.text for link in tree.iterfind(f".//a[@href='#{name}']")] == ["wrong <so>"]


def test_an_unknown_field_is_about_the_whole_form() -> None:
    from tercet.core.errors import FieldError

    assert form_field(FieldError("storyboard", "no")) == ""
    assert form_field(FieldError("num_inference_steps", "no")) == "steps"


def test_the_lines_are_written_one_after_the_other() -> None:
    assert samples.job().lines == pytest.approx((1.0, 0.2, 0.0))


def test_a_page_that_waits_works_without_javascript_and_one_that_is_over_stops() -> None:
    waiting, over = page(samples.job()), page(samples.job(state="failed"))
    assert '<noscript><meta http-equiv="refresh"' in waiting
    assert 'hx-trigger="every 1s"' in waiting
    for sign in ("http-equiv", "hx-get"):
        assert sign not in over


def test_rights_are_said_in_words_beside_the_sign() -> None:
    assert "cleared works only" in page(samples.studio())
    unknown = page(samples.studio(engine=samples.UNKNOWN_ENGINE))
    assert "base model: rights unknown" in unknown
    assert "cleared works only" not in unknown


def test_htmx_is_the_file_that_its_note_names() -> None:
    note = (STATIC / "README.md").read_text("utf-8")
    for name, digest in re.findall(r"\| `(\S+?\.js)` \|.*`([0-9a-f]{64})`", note):
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest
        assert name in (TEMPLATES / "page.html").read_text("utf-8")
    assert re.search(r"\b[0-9a-f]{64}\b", note)
    assert {file.name for file in STATIC.iterdir()} - {"README.md", "htmx-LICENSE.txt"} == set(
        re.findall(r"^\| `(\S+?)`", note, re.MULTILINE)
    )


def test_the_answer_to_a_poll_is_the_part_and_what_is_read_out() -> None:
    text = progress(samples.job())
    assert text.count('id="job"') == 1
    assert 'id="said" role="status" hx-swap-oob="innerMorph"' in text
    assert "<html" not in text
    assert PROGRESS_TEMPLATE not in TEMPLATE_OF.values()


def test_what_stops_the_service_is_told_before_anybody_types() -> None:
    stopped = replace(samples.studio(), fault=Problem("the queue <stopped>", "start it anew"))
    assert "the queue &lt;stopped&gt;" in page(stopped)
    assert "No video can be made just now" not in page(samples.studio())
