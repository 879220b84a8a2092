"""The OpenAPI document is honest: schemathesis asks what it allows and what it forbids."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from serving import Served

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


IN_WORDS = {"prompt", "negative_prompt", "model", "storyboard", "input_reference", "video",
            "seconds", "name", "url", "Idempotency-Key"}  # fmt: skip
"""Fields with rules that no schema can tell; descriptions do."""


def document_of(served: Served) -> dict[str, Any]:
    return served.app.openapi()


def test_every_operation_says_what_its_errors_look_like(served: Served) -> None:
    document = document_of(served)
    paths = document["paths"]
    assert {"/v1/videos", "/v1/videos/{video_id}/content", "/v1/webhook_endpoints"} <= set(paths)
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for path, operations in paths.items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status[0] in "45" and path != "/healthz":
                    assert answer["content"] == {"application/problem+json": problem}
    assert "error" in document["components"]["schemas"]["Problem"]["properties"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def ask_everything(served: Served, examples: int, mode: GenerationMode) -> int:
    """Ask every operation so often; return how many answers were looked at."""
    schema = schemathesis.openapi.from_dict(document_of(served))
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=examples, deadline=None, database=None, derandomize=True,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(base_url=served.url, timeout=30)
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])
            if answer.status_code == 400 and mode.is_positive:
                assert answer.json()["error"]["param"] in IN_WORDS, answer.text

        try:
            ask()
        except Unsatisfiable:  # nothing can be wrong about it
            assert mode.is_negative
    for video in served.client().videos.list(limit=100):
        served.studio.delete(video.id)
    for endpoint in served.studio.notices.all():
        served.studio.notices.remove(endpoint.endpoint_id)
    return asked


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_answers_are_as_the_document_says(served: Served, mode: GenerationMode) -> None:
    assert ask_everything(served, 3, mode) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_answers_are_as_the_document_says_at_length(served: Served, mode: GenerationMode) -> None:
    assert ask_everything(served, 60, mode) >= 400
