"""The one error tree. Every face shows it alike: what was expected, what was got, what to do.

TercetError
├── InputError       the caller's input cannot be used            (exit 2)
│   └── PolicyError  a policy file is not valid
├── RefusedError     the rules say no                             (exit 1)
├── StoppedError     somebody stopped the work; what was made before stands  (exit 1)
├── UncheckedError   something could not be checked               (exit 3)
│   ├── UndecodableError  media that could not be decoded within the limits
│   ├── ComparisonError   an item that could not be compared with a registry
│   └── IntegrityError  bytes, digest, count or signature differ from what was recorded
└── StorageError     a disk or a store could not do its work      (exit 3)
"""

from __future__ import annotations


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

    def problem(self) -> dict[str, str]:
        """Return the error as the fields of an RFC 9457 problem document."""
        fields = {"type": f"urn:tercet:error:{self.code}", "title": self.message}
        return fields | ({"hint": self.hint} if self.hint else {})


class InputError(TercetError):
    """The caller's input cannot be used: a missing file, an unknown column, a bad option."""

    code = "bad-input"
    exit_status = 2


class PolicyError(InputError):
    """A policy file is not valid; the message names the file, the line and the key."""

    code = "bad-policy"


class RefusedError(TercetError):
    """The rules say no."""

    code = "refused"
    exit_status = 1


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
