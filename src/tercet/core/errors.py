"""The one error tree. Every face shows it alike: what was expected, what was got, what to do.

TercetError
├── InputError       the caller's input cannot be used            (exit 2)
│   ├── PolicyError  a policy file is not valid
│   ├── FieldError   one named field of a request cannot be used
│   └── MissingError what is asked for by its name is not there
├── RefusedError     the rules say no                             (exit 1)
│   ├── ConflictError  not now: it is in another state than that needs
│   └── BusyError    not now: there is too much to do already
├── StoppedError     somebody stopped the work; what was made before stands  (exit 1)
├── UncheckedError   something could not be checked               (exit 3)
│   ├── UndecodableError  media that could not be decoded within the limits
│   ├── ComparisonError   an item that could not be compared with a registry
│   └── IntegrityError  bytes, digest, count or signature differ from what was recorded
└── StorageError     a disk or a store could not do its work      (exit 3)
"""

from __future__ import annotations

from typing import Any


class TercetError(Exception):
    """Base of all errors meant for people.

    ``code`` is a stable name, ``message`` says what was expected and got, ``hint`` what to do.
    """

    code = "error"
    exit_status = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Come whole out of another process, whatever a kind of error is made with."""
        return _revived, (type(self), self.args, dict(self.__dict__))

    def problem(self) -> dict[str, str]:
        """Return the error as the fields of an RFC 9457 problem document."""
        fields = {"type": f"urn:tercet:error:{self.code}", "title": self.message}
        return fields | ({"hint": self.hint} if self.hint else {})


def _revived(kind: type[TercetError], args: tuple[Any, ...], fields: dict[str, Any]) -> TercetError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class InputError(TercetError):
    """The caller's input cannot be used: a missing file, an unknown column, a bad option."""

    code = "bad-input"
    exit_status = 2


class PolicyError(InputError):
    """A policy file is not valid; the message names the file, the line and the key."""

    code = "bad-policy"


class FieldError(InputError):
    """One field of a request cannot be used; ``field`` names it."""

    code = "bad-field"

    def __init__(self, field: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class MissingError(InputError):
    """What is asked for by its name is not there, or not any more."""

    code = "missing"


class RefusedError(TercetError):
    """The rules say no."""

    code = "refused"
    exit_status = 1


class ConflictError(RefusedError):
    """Not now: what it is about is in another state than that needs."""

    code = "conflict"


class BusyError(RefusedError):
    """Not now: there is too much to do already. Try again after ``retry_after_s``."""

    code = "busy"

    def __init__(self, message: str, *, retry_after_s: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class StoppedError(TercetError):
    """Somebody stopped the work."""

    code = "stopped"
    exit_status = 1


class UncheckedError(TercetError):
    """Something could not be checked, so it is held, not allowed."""

    code = "unchecked"
    exit_status = 3


class UndecodableError(UncheckedError):
    """Media that could not be decoded within the limits: not looked at, so it is held."""

    code = "undecodable"


class ComparisonError(UncheckedError):
    """An item that could not be compared with a registry: it is held."""

    code = "not-compared"


class IntegrityError(UncheckedError):
    """Bytes, a digest, a count or a signature differ from what was recorded."""

    code = "integrity"
    exit_status = 1


class StorageError(TercetError):
    """A disk or a store could not do its work: full, read-only, locked."""

    code = "storage"
    exit_status = 3
