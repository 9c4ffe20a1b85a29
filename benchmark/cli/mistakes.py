"""A user's mistake is one sentence, never a traceback; no type of Python is shown."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from benchmark.cli.application import FAILED, INTERRUPTED, app
from benchmark.errors import BenchmarkError, UsageError
from benchmark.naming import printable

NO_INTEGER = re.compile(
    "Input should be a valid integer, unable to parse string as an integer|'[^']*' is not a valid int(eger)?( range)?"
)
"""What a flag that counts says of words, in newer and in older versions of typer."""


USAGE: type[Exception] = typer.BadParameter.__mro__[1]
"""What a wrong flag raises. Typer names only its subclasses, and keeps it in another package in every version."""


def stop(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def explained() -> Iterator[None]:
    try:
        yield
    except BenchmarkError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except USAGE as error:
        message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
        extra = re.search(r"unexpected extra argument\w*(?:\(s\))? \((.*)\)", message)
        unknown = re.match(r"No such command '(.*?)'", message)
        if extra:
            message = too_many(extra[1])
        elif unknown and (verb := verb_behind(unknown[1])):
            message = f'"{unknown[1]}" is no verb, and the verb comes first: benchmark {verb} {unknown[1]}'
        message = NO_INTEGER.sub("write a whole number", message)
        if message:  # without one it is a bare `benchmark`, and the help is printed already
            print(f"error: {printable(message.rstrip('.'))}; see benchmark --help", file=sys.stderr)
        sys.exit(UsageError.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted: nothing finished is lost; the same command carries on", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    except OSError as error:  # a file or folder that the system refuses: a user can act on what it says
        what = error.filename if error.filename is not None else "the system"
        print(f"error: {printable(f'{what}: {error.strerror or error}')}", file=sys.stderr)
        sys.exit(UsageError.exit_code)


def verb_behind(word: str) -> str | None:
    """The verb that was typed right behind a word in its place."""
    place = sys.argv.index(word) + 1 if word in sys.argv else len(sys.argv)
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return sys.argv[place] if place < len(sys.argv) and sys.argv[place] in verbs else None


def too_many(words: str) -> str:
    """What to type where a verb was given more words than it takes."""
    verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    message = f'benchmark {verb}: "{words}" is more than it takes'
    if verb in ("report", "evaluate", "check", "status"):
        return f"{message}: one suite at a time; two models of your own side by side: benchmark compare A B"
    return f"{message}, options begin with --"


def hide_types(command: Any) -> None:
    """What is typed has a word of its own everywhere, and flags take no value: no type of Python is shown."""
    for each in getattr(command, "commands", {}).values():
        hide_types(each)
    for parameter in command.params:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        elif parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None  # noqa: ARG005  asked for by name
    made = command.get_help_option

    def plain(ctx: Any) -> Any:
        """`--help` is made when it is first asked for."""
        option = made(ctx)
        if option is not None:
            option.metavar = ""
        return option

    command.get_help_option = plain


def refuse_repeated(command: Any) -> None:
    """An option of one value that is typed twice is a mistake: the last value alone would count, in silence."""
    for each in getattr(command, "commands", {}).values():
        refuse_repeated(each)
    made = command.make_parser

    def strict(ctx: Any) -> Any:
        parser = made(ctx)
        parse = parser.parse_args

        def once(args: list[str]) -> Any:
            found = parse(args=args)
            for parameter in found[2]:
                if parameter.param_type_name == "option" and found[2].count(parameter) > 1 and takes_one(parameter):
                    raise USAGE(f"{parameter.opts[0]} is given more than once, and its last value alone would count")
            return found

        parser.parse_args = once
        return parser

    command.make_parser = strict


def takes_one(option: Any) -> bool:
    return not (option.multiple or option.is_flag or option.count)
