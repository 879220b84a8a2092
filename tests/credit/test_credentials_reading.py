"""What a validator's report comes down to: doubt about the signer is not an alteration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.credit.credentials_reading import Credentials, State, credentials_of

WHOLE = ["claimSignature.validated", "assertion.hashedURI.match", "assertion.bmffHash.match"]


def report(failed: list[str], held: list[str], ingredient: list[str] | None = None) -> Any:
    def coded(codes: list[str]) -> list[dict[str, str]]:
        return [{"code": code, "explanation": "why"} for code in codes]

    deltas = [{"validationDeltas": {"failure": coded(ingredient or [])}}]
    return {
        "active_manifest": "m",
        "manifests": {"m": {}},
        "validation_results": {
            "activeManifest": {"failure": coded(failed), "success": coded(held)},
            "ingredientDeltas": deltas,
        },
    }


@pytest.mark.parametrize(
    ("state", "failed", "held", "ingredient", "expected"),
    [
        ("Trusted", [], WHOLE, [], State.TRUSTED),
        ("Valid", ["signingCredential.untrusted"], WHOLE, [], State.VALID),
        ("Invalid", ["signingCredential.expired"], WHOLE, [], State.VALID),
        ("Invalid", ["signingCredential.expired"], WHOLE[:2], [], State.INVALID),
        ("Invalid", ["signingCredential.expired"], WHOLE[1:], [], State.INVALID),
        ("Invalid", ["signingCredential.expired", "assertion.bmffHash.mismatch"], WHOLE, [],
         State.INVALID),
        ("Invalid", ["claimSignature.mismatch"], WHOLE, [], State.INVALID),
        ("Invalid", ["signingCredential.expired"], WHOLE, ["assertion.dataHash.mismatch"],
         State.INVALID),
        ("Invalid", [], WHOLE, [], State.INVALID),
        ("", [], WHOLE, [], State.INVALID),
        ("Something new", [], WHOLE, [], State.INVALID),
    ],
)  # fmt: skip
def test_states(
    state: str, failed: list[str], held: list[str], ingredient: list[str], expected: State
) -> None:
    found = credentials_of(report(failed, held, ingredient), state)
    assert found.state is expected
    shown = {fault.partition(":")[0] for fault in found.faults}
    assert shown == {*failed, *ingredient} - {"signingCredential.untrusted"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["manifests", "active_manifest", "m", "assertions", "label", "data",
                         "signature_info", "validation_results", "activeManifest", "failure",
                         "claim_generator_info", "actions", "entries"]) | st.text(max_size=4),
        inner, max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


TOP = st.sampled_from(["manifests", "active_manifest", "validation_results"])


@given(st.dictionaries(TOP, JSON), st.sampled_from(["Valid", "Invalid", ""]))
def test_any_report_is_read(document: dict[str, Any], state: str) -> None:
    """Others write the reports' contents: whatever stands there, something is said."""
    found = credentials_of(json.loads(json.dumps(document)), state)
    assert isinstance(found, Credentials)
    assert found.state is (State.VALID if state == "Valid" else State.INVALID)
