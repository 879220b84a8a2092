"""`python -m tercet` is the `tercet` command."""

from tercet.cli.main import script

script()
