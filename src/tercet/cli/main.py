"""The `tercet` command: its subcommands are loaded only when they are used."""

from __future__ import annotations

import atexit
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from tercet.cli.output import show_error
from tercet.core.errors import InputError, StorageError, TercetError, UncheckedError
from tercet.core.version import __version__

COMMANDS = {
    "register": "register works: files, folders or catalogues, with signed claims",
    "registry": "show, check and change what is registered",
    "survey": "collect the permission declarations of the sites in a corpus",
    "corpus": "gather works from where they are published",
    "match": "find the registered works that stand in files, and show where",
    "clear": "give every item of a corpus a verdict, and sign the clearance",
    "offer": "publish your terms, signed, and look at offers",
    "quote": "total what clearing the offered items of a clearance would cost",
    "terms": "say in plain words what a licence permits; check and convert it",
    "desk": "your desk: who you are, your keys, whom you know",
    "license": "negotiate a licence: ask, counter, accept, sign",
    "duties": "list what agreements make due when",
    "explain": "say in plain words why an item got its verdict",
    "compare": "show what changes between two clearances",
    "verify": "check a clearance or a model's record: signature, digests and counts",
    "policies": "list the policies, or show or check one",
    "mandate": "let a collective license your works, and act as one",
    "letter": "write, sign, verify and hand over open letters",
    "train": "train a model on the cleared works of a clearance, on record",
    "evaluate": "measure a model: prompts, motion, drift, memorisation, cost",
    "pack": "pack the cleared drawings of a clearance for the engine compose",
    "generate": "make a video of up to a minute from a prompt, with its credits",
    "serve": "serve videos: the OpenAI video API and pages, on this machine",
    "check": "read a video back: who made it, from what, and whether it was altered",
}
INTERRUPTED = 130  # what shells report for Ctrl-C


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order people use them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"tercet.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tercet")
def tercet() -> None:
    """Consent, credit and compensation for generative video.

    Exit codes: 0 done, 1 refused, 2 usage or input, 3 could not be checked or stored.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    # Threads of PyTorch that wait shall sleep: spinning ones slow each other down many times over.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    as_json = "--json" in arguments
    try:
        code = _run(arguments)
    except TercetError as error:
        show_error(error, as_json=as_json)
        code = error.exit_status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        stored = StorageError(_os_text(error), hint="check the path, the space left and the rights")
        show_error(stored, as_json=as_json)
        code = stored.exit_status
    except MemoryError:
        short = UncheckedError("out of memory", hint="use --workers 1, or a bigger machine")
        show_error(short, as_json=as_json)
        code = short.exit_status
    except Exception as error:
        if os.environ.get("TERCET_DEBUG"):
            raise
        unforeseen = _defect(error)
        show_error(unforeseen, as_json=as_json)
        code = unforeseen.exit_status
    except KeyboardInterrupt:
        click.echo("\nstopped; run the same command again to go on", err=True)
        code = INTERRUPTED
    sys.exit(code)


def script() -> NoReturn:
    """Run the command line as a process of its own: `main`, then out at once.

    The interpreter is not taken apart, as mypy does not either: it takes time, and a native
    library (nanobind under DuckDB) may then print of leaks behind our last line.
    """
    code: object = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def _run(arguments: list[str]) -> int:
    try:
        result: Any = tercet.main(arguments, prog_name="tercet", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        raise _usage_error(error) from error
    sys.stdout.flush()  # a reader that has gone away shows here, not at the exit
    return result if isinstance(result, int) else 0


def _usage_error(error: click.ClickException) -> InputError:
    """Return a usage error as one of our own, so that it is shown as all errors are."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "tercet"
    return InputError(error.format_message(), hint=f"{path} --help shows the options")


def _defect(error: Exception) -> UncheckedError:
    """Return an error that nobody foresaw: nothing it touched counts as done."""
    return UncheckedError(
        f"a defect in tercet: {type(error).__name__}: {error}",
        hint="please report it, with what the same command shows when TERCET_DEBUG=1 is set",
    )


def _os_text(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"
