"""`parley watch`: a conversation, live."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from analytics.observer.view import View
    from parley.replay import Form
    from utils.clock import Clock
    from utils.streams import Streams

LOOK_S = 0.5
"""How often a run is looked for while there is none."""

HELP = """Watch a run's conversation until its record is closed; without a RUN, the run
started last that is not closed, or the next one to start.

On a terminal the talk scrolls by, and below it stands who holds the floor and how long
yet. Elsewhere, or with --plain, there is a line for each thing:

\b
  [CHANNEL TURN] NAME: TEXT    what was heard; its further lines are indented by
                               four spaces, or empty. NAME is (opening) or (outside)
                               for words that are nobody's, (AUTHOR) for a person's,
                               (... to NAMES) where not all of them hear it
  [CHANNEL TURN] -- NAME: ACT  what a bot did that is no speech
  [CHANNEL TURN] -- REMARK     what became of a turn: passed, revoked, given up
  [CHANNEL] -- REMARK          who comes to a channel and who goes
  -- REMARK                    what concerns the whole run

A world's own events are remarks: their kind and fields, cut to one line. With --events
there are lines also for what happens and is done at each tick of a world's clock, for
what is measured, for channels of two that come and go, for what a bot does while others
are still asked, and for what the world does in place of a late bot.

With --json, every event of the journal is one object a line: its own fields, and seq,
index and at_ms (server time, milliseconds) of where it stands.

DIR, a dataset, is played again, and so is a RUN that is over when --speed or --seek is
given: as it was, or so many times as quick. On a terminal a dataset is played as it was
unless told otherwise, elsewhere nothing is waited for. Keys: space holds it and lets it
go on, + and - make it twice as quick or half, n goes on to what comes next; the arrows
do the same.

What a bot says cannot act on a terminal: control characters and characters nobody can
see are shown as code points, such as <U+001B>.

\b
Examples:
  parley watch
  parley watch datasets/tea --speed 4
  parley watch datasets/tea --seek turn:12
  parley watch salon-3f2a --from now
  parley watch salon-3f2a --channel kitchen --plain | tee talk.txt
  parley watch naming-77c0 --events
  parley watch salon-3f2a --json | jq 'select(.kind == "heard") | .text'
"""


@click.command(help=HELP, short_help="Follow a conversation live.")
@click.argument("run", required=False, metavar="[RUN|DIR]")
@click.option("--channel", metavar="NAME", help="This channel only.")
@click.option(
    "--from",
    "start",
    type=click.Choice(["start", "now"]),
    default="start",
    show_default=True,
    help="Show what was said before, or only what comes.",
)
@click.option(
    "--speed",
    metavar="X",
    help="Play a record again, X times as quick as it was; max waits for nothing.",
)
@click.option(
    "--seek", metavar="PLACE", help="Where to begin: a commit's number, turn:N or run:90s."
)
@click.option("--events", is_flag=True, help="Every event of the world, however often.")
@click.option("--plain", is_flag=True, help="Plain lines on a terminal, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event.")
def command(
    run: str | None,
    channel: str | None,
    start: str,
    speed: str | None,
    seek: str | None,
    events: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Watch a run."""
    from parley.opening import settings, streams
    from parley.replay import Shown, Wished, is_folder, record_in, record_of, replay
    from utils.errors import BadInput

    form: Form = "json" if as_json else "plain" if plain else "drawn"
    shown = Shown(form, channel, every=events)
    wished = Wished.parse(speed, seek, channel=channel)
    has_folder = run is not None and is_folder(run)
    if start == "now" and (has_folder or wished.is_there):
        mend = "leave it out, or name a place with --seek"
        raise BadInput("a record has no now", where="--from", mend=mend)
    if run is not None and has_folder:
        replay(record_in(run), wished, shown)
        return
    try:
        with streams(settings(), name="watch") as connection:
            if wished.is_there:
                if run is None:
                    raise BadInput("which record?", mend="name a dataset, or a run that is over")
                replay(record_of(connection, run), wished, shown)
                return
            run = run or wait_for_run(connection, say=lambda text: click.echo(text, err=True))
            now = start == "now"
            watch(connection, run, channel=channel, from_now=now, form=form, every=events)
    except KeyboardInterrupt:
        if run is not None:
            again = f"parley watch {run} --from now"
            click.echo(f"run {run} goes on; watch it again with: {again}", err=True)
        raise SystemExit(130) from None


def watch(
    streams: Streams,
    run: str,
    *,
    channel: str | None,
    from_now: bool,
    form: Form,
    every: bool = False,
) -> View:
    """Show a run on stdout until its record is closed.

    Raises:
        BadInput: There is no such run, or no such channel in it.
        ServerGone: The server was gone for too long.
    """
    from analytics.observer.follow import Following
    from analytics.observer.leadership import Leadership
    from analytics.observer.plan import plan_of
    from analytics.observer.runs import check_channel, spec_of
    from analytics.observer.show import has_come, show
    from analytics.observer.view import blank
    from parley.replay import Shown
    from utils import keys

    spec = spec_of(streams, run)
    if channel is not None:
        check_channel(streams.journal(run), run, spec, channel)
    top = streams.top(keys.journal(run)) if from_now else None
    plan = plan_of(run, spec)
    screen = Shown(form, channel, every=every).screen(plan, sys.stdout)
    return show(
        Following(streams, run),
        blank(plan),
        screen,
        stop=lambda view: has_come(view, "closed"),
        leadership=Leadership(streams, run),
        after=int(top.id.partition("-")[0]) if top else 0,
    )


def wait_for_run(
    streams: Streams, *, say: Callable[[str], None], clock: Clock | None = None
) -> str:
    """Find the run started last that is not closed; without one, wait for it.

    Args:
        say: Told, once, that there is none yet.
        clock: Local time.
    """
    from analytics.observer.runs import newest_live
    from parley.opening import settings
    from utils.clock import SYSTEM_CLOCK

    run = newest_live(streams)
    if run is None:
        say(f"waiting for a run; start one with: {settings().typed} seed")
    while run is None:
        (clock or SYSTEM_CLOCK).sleep_s(LOOK_S)
        run = newest_live(streams)
    return run
