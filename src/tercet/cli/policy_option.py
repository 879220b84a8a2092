"""The --policy option: a built-in id, or the path of a policy file."""

from __future__ import annotations

from pathlib import Path

from tercet.consent.policy import Policy
from tercet.consent.policy_file import BUILT_IN, built_in, parse_policy
from tercet.core.errors import InputError, PolicyError


def load_policy(named: str) -> Policy:
    """Return the policy called ``named``.

    Raises PolicyError when it is neither a built-in id nor a valid file, InputError when the
    file cannot be read.
    """
    if named in BUILT_IN:
        return built_in(named)
    path = Path(named)
    if path.suffix != ".toml" and not path.exists():
        raise PolicyError(
            f"no policy named {named!r}",
            hint=f"choose one of {', '.join(BUILT_IN)}, or give the path of a .toml file",
        )
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the policy {path}: {error.strerror}") from error
    return parse_policy(raw, path.name)
