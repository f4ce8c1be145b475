"""`parley tell`: what people may tell a run that goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from parley.telling import Outcome
    from utils.clock import Clock
    from utils.spec import Spec
    from utils.streams import Streams

HELP = """Tell a run something, and wait until it is on the record; without RUN, the run
started last that is not closed.

Each verb is an input like any other: the journal has it with its author, and
interventions can be told from what the bots did. A run that nobody leads takes it in
when an orchestrator does.

\b
Examples:
  parley tell salon-3f2a pause
  parley tell salon-3f2a step --turns 3
  parley tell salon-3f2a inject "It begins to rain."
  parley tell salon-3f2a whisper bo "Ada has sold the house." --as director
  parley tell salon-3f2a resume
  parley tell stop --why "seen enough"

\b
Exit codes: 0 done, 1 refused, 2 bad input, 3 nobody took it in yet.
"""

LISTED = 8
"""Channels named in an error."""


class How(NamedTuple):
    """How a run is told: as whom, under which nonce, and how long an answer is waited for."""

    author: str = "console"
    nonce: str | None = None
    wait_s: float = 10
    as_json: bool = False


class Verbs(click.Group):
    """The verbs, after a RUN that may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take a first argument that is a verb for one: the run is left out."""
        if args[:1] and args[0] in self.commands:
            args = ["", *args]
        elif args[1:2] in (["--help"], ["-h"]):
            args = args[1:]
        elif len(args) == 1 and not args[0].startswith("-"):
            raise self.unknown(ctx, args[0])
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; name the nearest one when there is none."""
        if args and args[0] not in self.commands:
            raise self.unknown(ctx, args[0])
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the verbs in the order in which they are written down here."""
        return list(self.commands)

    def unknown(self, ctx: click.Context, word: str) -> click.UsageError:
        """Make the error about a word where a verb should be."""
        from utils.names import nearest, shown

        close = nearest(word, self.commands)
        mend = f"did you mean {shown(close)}?" if close else f"there is {', '.join(self.commands)}"
        return click.UsageError(f"{shown(word)} is no verb; {mend}", ctx)


@click.group(
    cls=Verbs,
    help=HELP,
    short_help="Tell a run to pause, step, hear something, go without a bot.",
    subcommand_metavar="VERB ...",
)
@click.argument("run", required=False)
@click.pass_context
def command(ctx: click.Context, run: str | None) -> None:
    """Tell a run something."""
    ctx.obj = run or None


def tell_run(
    streams: Streams, run: str | None, said: dict[str, Any], how: How, *, clock: Clock | None = None
) -> None:
    """Tell a run something, and print what became of it.

    Args:
        said: The command's parts, its `kind` among them. A channel may be none.
        clock: Local time.

    Raises:
        BadInput: It could not be taken in by any leader.
        ParleyError: The run refused it.
        Missing: Nobody has taken it in yet.
    """
    from analytics.observer.runs import newest_live, spec_of
    from parley.telling import command_of, tell
    from utils.clock import SYSTEM_CLOCK, fresh_id
    from utils.errors import BadInput, ParleyError
    from utils.names import look_up

    run = run or newest_live(streams)
    if run is None:
        raise BadInput("no run goes on", mend="start one with: parley seed")
    spec = spec_of(streams, run)
    if "bot" in said:
        look_up(said["bot"], {bot.name: bot for bot in spec.bots}, "bot", "BOT")
    if "channel" in said:
        said = {**said, "channel": channel_of(streams, run, spec, said["channel"])}
    asked = command_of(**said, author=how.author, nonce=how.nonce or fresh_id())
    within_ms = round(how.wait_s * 1000)
    came = tell(streams, run, asked, within_ms=within_ms, clock=clock or SYSTEM_CLOCK)
    if how.as_json:
        click.echo(_json(run, asked.kind, asked.author, asked.nonce, came))
    if came.refusal is not None:
        raise ParleyError(f"run {run} refused it at commit {came.commit}: {_why(came)}")
    if not how.as_json:
        idle = asked.kind == "do" and not came.followed
        click.echo(f"done at commit {came.commit}{', and nothing followed' if idle else ''}")


def channel_of(streams: Streams, run: str, spec: Spec, channel: str | None) -> str:
    """Find the open channel that is meant: the one that is named, or the only one.

    Raises:
        BadInput: It is not open, or several are and none is named; the line lists them.
        ParleyError: The run is over.
    """
    from analytics.observer.runs import view_of
    from utils.errors import BadInput, ParleyError
    from utils.names import counted, look_up

    view = view_of(streams, run, spec)
    if view.phase in ("ended", "closed"):
        raise ParleyError(f"run {run} is over: its record is closed")
    # Before its first commit a run takes nothing in: by then its channels are open.
    opened = sorted(view.channels if view.seq else (one.name for one in spec.channels))
    if channel is not None:
        return look_up(channel, dict.fromkeys(opened, channel), "open channel", "--channel")
    if len(opened) == 1:
        return opened[0]
    have = f"run {run} has {counted(len(opened), 'open channel')}"
    some = ", ".join([*opened[:LISTED], *(["..."] if len(opened) > LISTED else [])])
    raise BadInput(have, where="--channel", mend=f"name one: {some}" if opened else "")


def _why(came: Outcome) -> str:
    refusal = came.refusal
    if refusal is None:
        return ""
    if refusal.why == "ended":
        return "the run has ended"
    return refusal.detail or refusal.why.replace("_", " ")


def _json(run: str, verb: str, author: str, nonce: str, came: Outcome) -> str:
    import json

    return json.dumps(
        {
            "run": run,
            "verb": verb,
            "author": author,
            "nonce": nonce,
            "commit": came.commit,
            "done": came.refusal is None,
            "refused": came.refusal.why if came.refusal else None,
            "detail": came.refusal.detail if came.refusal else "",
        }
    )


# --- the verbs ------------------------------------------------------------------------------


class Seconds(click.FloatRange):
    """A number in a range: nan, which is in none, is refused too."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the number."""
        number = float(super().convert(value, param, ctx))
        if number != number:
            self.fail("nan is no number of seconds", param, ctx)
        return number


_HOW = (
    click.Option(
        ["--as", "author"],
        metavar="NAME",
        default="console",
        show_default=True,
        help="Who says it, for the record.",
    ),
    click.Option(["--nonce"], metavar="ID", help="Said again with the same one, it is done once."),
    click.Option(
        ["--wait", "wait_s"],
        metavar="SECONDS",
        type=Seconds(0, 3_600),
        default=10,
        show_default=True,
        help="How long to wait until it is taken in.",
    ),
    click.Option(["--json", "as_json"], is_flag=True, help="One JSON object."),
)
_BOT = click.Argument(["bot"])
_TEXT = click.Argument(["text"])
_CHANNEL = click.Option(
    ["--channel"], metavar="NAME", help="Where; may be left out if one is open."
)
_TURNS = click.Option(
    ["--turns"],
    type=click.IntRange(1, 1_000),
    metavar="N",
    default=1,
    show_default=True,
    help="How many turns.",
)
_WHY = click.Option(["--why"], metavar="TEXT", default="", help="For the record.")
_VERB = click.Argument(["verb"])
_JSON = click.Argument(["args"], metavar="[JSON]", required=False)

VERBS: tuple[tuple[str, str, str, tuple[click.Parameter, ...]], ...] = (
    ("pause", "Grant nothing new; what is granted finishes.", "", ()),
    ("resume", "Go on after a pause.", "", ()),
    ("step", "Go on for some turns, then be paused.", "--turns 3", (_TURNS,)),
    ("stop", "End the run; its record is closed.", '--why "seen enough"', (_WHY,)),
    (
        "inject",
        "Say something that all in a channel hear.",
        '"It begins to rain."',
        (_TEXT, _CHANNEL),
    ),
    (
        "whisper",
        "Say something that one bot hears.",
        'bo "Ada has sold the house."',
        (_BOT, _TEXT, _CHANNEL),
    ),
    ("mute", "Grant a bot nothing more; it hears on.", "bo", (_BOT,)),
    ("unmute", "Let a muted bot speak again.", "bo", (_BOT,)),
    ("kick", "Take a bot out of a channel.", "bo --channel kitchen", (_BOT, _CHANNEL)),
    ("add", "Put a bot of the scenario into a channel.", "bo --channel kitchen", (_BOT, _CHANNEL)),
    ("mark", "Write a remark into the record; nobody hears it.", '"treatment begins"', (_TEXT,)),
    ("do", "Tell the world's own rules to do something.", "rain '{\"mm\": 3}'", (_VERB, _JSON)),
)
"""Every verb: its name, its help, what follows it in the example, what it takes."""


def _verb(name: str, about: str, example: str, takes: tuple[click.Parameter, ...]) -> click.Command:
    @click.pass_obj
    def callback(run: str | None, /, **given: Any) -> None:
        from parley.opening import settings, streams

        how = How(**{field: given.pop(field) for field in How._fields})
        if "args" in given:
            given["args"] = _read_json(given["args"])
        with streams(settings(), name="tell") as connection:
            tell_run(connection, run, {"kind": name, **given}, how)

    line = f"parley tell salon-3f2a {name} {example}".rstrip()
    return click.Command(
        name,
        params=[*takes, *_HOW],
        callback=callback,
        help=f"{about}\n\n\b\nExample:\n  {line}",
        short_help=about,
    )


def _read_json(text: str | None) -> Any:
    import json

    from utils.errors import BadInput

    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"no JSON: {error}", where="JSON", mend="quote it for the shell") from error


for _name, _about, _example, _takes in VERBS:
    command.add_command(_verb(_name, _about, _example, _takes))
