"""One error tree: every error has a code, an exit status, and looks alike on every face."""

from __future__ import annotations

import json
import pickle

import pytest

from tercet.cli.output import show_error
from tercet.core import errors
from tercet.core.errors import TercetError


def every(kind: type[TercetError]) -> list[type[TercetError]]:
    """Return the tree; a face may have errors of its own below it."""
    below = [below for child in kind.__subclasses__() for below in every(child)]
    return [kind, *below] if kind.__module__ == errors.__name__ else below


def made(kind: type[TercetError], message: str, hint: str = "") -> TercetError:
    if kind is errors.FieldError:
        return errors.FieldError("size", message, hint=hint)
    if kind is errors.BusyError:
        return errors.BusyError(message, retry_after_s=7, hint=hint)
    return kind(message, hint=hint)


KINDS = every(TercetError)
STATUS = {  # the table of the command line's exit codes: 1 refused, 2 usage or input, 3 unchecked
    "InputError": 2, "PolicyError": 2, "RefusedError": 1, "UncheckedError": 3,
    "UndecodableError": 3, "ComparisonError": 3, "IntegrityError": 1, "StorageError": 3,
    "TercetError": 3, "FieldError": 2, "MissingError": 2, "ConflictError": 1, "BusyError": 1,
    "StoppedError": 1,
}  # fmt: skip


def test_the_tree_is_the_one_that_is_documented() -> None:
    assert {kind.__name__: kind.exit_status for kind in KINDS} == STATUS
    assert all(name in (errors.__doc__ or "") for name in STATUS)
    assert len({kind.code for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hint", ["", "do that"])
def test_every_face_shows_the_same(
    kind: type[TercetError], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = made(kind, "expected this, got that", hint)
    show_error(error, as_json=False)
    shown = capsys.readouterr()
    assert shown.out == ""
    told = "error: expected this, got that\n" + (f"\nhint: {hint}\n" if hint else "")
    assert shown.err == told
    show_error(error, as_json=True)
    problem = json.loads(capsys.readouterr().err)
    assert problem == error.problem()
    assert problem["title"] == "expected this, got that"
    assert problem["type"] == f"urn:tercet:error:{kind.code}"  # RFC 9457 section 3.1.1: a URI
    assert problem.get("hint", "") == hint
    assert str(error) == "expected this, got that"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_whole_out_of_a_worker(kind: type[TercetError]) -> None:
    error = made(kind, "what", "why")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.hint) == (kind, "what", "why")
    assert (vars(again), str(again)) == (vars(error), str(error))


def test_a_name_in_an_error_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(errors.InputError("no file \x1b[2Jname", hint="look at \x1b]0;"), as_json=False)
    assert "\x1b" not in capsys.readouterr().err
