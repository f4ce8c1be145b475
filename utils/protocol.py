"""What processes say to each other: inputs, asks, actions, events, notices.

Inputs go to a run's floor, from hosts and people. Events go to the journal, from the
leader alone. Notices are what the leader saw that came from no stream: a deadline, a
lost host. All are frozen, all are one JSON object with a `kind`, and each family is
one discriminated union. The reference is docs/protocol.md; a test holds it to this
file.

This file is over 300 lines because it is the one list of all that is ever said.

A reader that meets an event of a kind it does not know keeps it as an `OpenEvent`,
with every field, and passes it on.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
    TypeAdapter,
)

from utils.names import Name

MAX_TEXT_CHARS = 16_384
MAX_INPUT_BYTES = 131_072
MAX_MEMBERS = 10_000
MAX_DEPTH = 64
"""Of an action's arguments: a parser gives up at 200, and a commit is around them."""

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS, pattern=r"^[^\x00]*$")]
Short = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Nonce = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]


def _portable(value: JsonValue, depth: int = 0) -> JsonValue:
    """Refuse what JSON does not carry there and back: NaN, infinity, depth."""
    if depth > MAX_DEPTH or (isinstance(value, float) and not isfinite(value)):
        raise ValueError("JSON does not carry it")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        _portable(one, depth + 1)
    return value


class Frozen(BaseModel):
    """A value that is checked once, when it is made, and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- actions: what a bot does with a grant -----------------------------------------


class Say(Frozen):
    """Speech, the commonest action."""

    kind: Literal["say"] = "say"
    text: Text


class Pass(Frozen):
    """Nothing, on purpose. `why` is for the record, never heard."""

    kind: Literal["pass"] = "pass"
    why: Short = ""


class Act(Frozen):
    """An action of the world's own, such as naming an object or taking a step."""

    kind: Literal["act"] = "act"
    name: Name
    args: Annotated[JsonValue, AfterValidator(_portable)] = None


Action = Annotated[Say | Pass | Act, Field(discriminator="kind")]


# --- asks: what a grant wants ------------------------------------------------------


class AskSay(Frozen):
    """Say something to the channel, in at most `max_chars` characters."""

    kind: Literal["say"] = "say"
    max_chars: int = Field(gt=0, le=MAX_TEXT_CHARS)
    hint: Short = ""


class AskAct(Frozen):
    """Do one of the world's actions; the arguments must satisfy `answer_schema`.

    `legal` lists the answers there are, when they can be listed; `view` is what this
    bot may see of the world.
    """

    kind: Literal["act"] = "act"
    name: Name
    text: Text
    answer_schema: JsonValue
    legal: tuple[JsonValue, ...] = ()
    view: JsonValue = None


Ask = Annotated[AskSay | AskAct, Field(discriminator="kind")]


# --- inputs: what arrives on the floor ---------------------------------------------


class _Input(Frozen):
    """Who says it, and a nonce by which saying it twice is known."""

    author: Name
    nonce: Nonce


class Joined(_Input):
    """A host took a bot's seat. The author is the host."""

    kind: Literal["joined"] = "joined"
    bot: Name


class Left(_Input):
    """A host let a bot's seat go."""

    kind: Literal["left"] = "left"
    bot: Name
    seat: Count


class _Holding(_Input):
    """What is said under a grant names it by epoch, by its commit's hash, and by seat."""

    bot: Name
    seat: Count
    epoch: Count
    grant: Sha256


class Waiting(_Holding):
    """A bot cannot answer in the time it has: its model server is busy, or slow.

    `ahead` counts the calls that the server takes first; `need_ms` is the host's
    estimate of how long the answer takes from now.
    """

    kind: Literal["waiting"] = "waiting"
    need_ms: Count
    ahead: Count = 0


class _Closing(_Holding):
    """What closes a grant, with the call it comes from."""

    call_sha256: Sha256 | None = None


class Proposed(_Closing):
    """A bot's answer to a grant: not yet done, not yet heard."""

    kind: Literal["proposed"] = "proposed"
    action: Action


class Failed(_Closing):
    """A bot's mind could not answer. `reason` is the error's kind."""

    kind: Literal["failed"] = "failed"
    reason: Name
    detail: Short = ""


class Stop(_Input):
    """A command: end the run now."""

    kind: Literal["stop"] = "stop"
    why: Short = ""


class Pause(_Input):
    """A command: grant nothing new. Live grants finish; the time until `Resume` is no run time."""

    kind: Literal["pause"] = "pause"


class Resume(_Input):
    """A command: go on after a pause."""

    kind: Literal["resume"] = "resume"


class Step(_Input):
    """A command: go on until so many turns have closed, then be paused."""

    kind: Literal["step"] = "step"
    turns: int = Field(default=1, ge=1, le=1_000)


class Inject(_Input):
    """A command: say something from outside to every member of a channel."""

    kind: Literal["inject"] = "inject"
    channel: Name
    text: Text


class Whisper(_Input):
    """A command: say something from outside that one member of a channel hears."""

    kind: Literal["whisper"] = "whisper"
    channel: Name
    bot: Name
    text: Text


class Mute(_Input):
    """A command: grant this bot nothing more. It hears on; its live grant finishes."""

    kind: Literal["mute"] = "mute"
    bot: Name


class Unmute(_Input):
    """A command: let a muted bot speak again."""

    kind: Literal["unmute"] = "unmute"
    bot: Name


class Kick(_Input):
    """A command: take a bot out of a channel. Its live grant there is revoked."""

    kind: Literal["kick"] = "kick"
    channel: Name
    bot: Name


class Add(_Input):
    """A command: put a bot of the scenario into a channel, at the end of its ring."""

    kind: Literal["add"] = "add"
    channel: Name
    bot: Name


class Mark(_Input):
    """A command: write a remark into the record, which nobody hears."""

    kind: Literal["mark"] = "mark"
    text: Text


class Do(_Input):
    """A command for the world's own rules, such as `rain`."""

    kind: Literal["do"] = "do"
    verb: Name
    args: Annotated[JsonValue, AfterValidator(_portable)] = None


Command = Stop | Pause | Resume | Step | Inject | Whisper | Mute | Unmute | Kick | Add | Mark | Do
"""What a person may tell a run: `parley tell`."""

COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])

Input = Annotated[
    Joined | Left | Waiting | Proposed | Failed | Command, Field(discriminator="kind")
]
INPUT: TypeAdapter[Joined | Left | Waiting | Proposed | Failed | Command] = TypeAdapter(Input)


# --- notices: causes that came from no stream --------------------------------------


class Started(Frozen):
    """The journal is empty: the run begins."""

    kind: Literal["started"] = "started"
    run: Name
    spec_sha256: Sha256


class Branched(Frozen):
    """The journal is its parent's as far as the fork, and holds nothing of this run's own."""

    kind: Literal["branched"] = "branched"
    run: Name
    spec_sha256: Sha256


class DeadlinePassed(Frozen):
    """The deadline of a live grant passed."""

    kind: Literal["deadline_passed"] = "deadline_passed"
    epoch: Count


class HostLost(Frozen):
    """A host's presence lapsed."""

    kind: Literal["host_lost"] = "host_lost"
    host: Name


class TimerRang(Frozen):
    """One of the run's own timers is due: the gathering, the run's end, silence."""

    kind: Literal["timer_rang"] = "timer_rang"
    timer: Literal["gather", "minutes", "silence"]


class WakeDue(Frozen):
    """The world time has come at which the world asked to be woken."""

    kind: Literal["wake_due"] = "wake_due"
    world_ms: Count


class CallsCounted(Frozen):
    """After the end: how many entries `calls` holds, and the last one's id."""

    kind: Literal["calls_counted"] = "calls_counted"
    calls: Count
    last_id: str


class Observed(Frozen):
    """Something went wrong outside the rules, and was dealt with: an incident."""

    kind: Literal["observed"] = "observed"
    name: Name
    detail: Short = ""


Notice = Annotated[
    Started | Branched | DeadlinePassed | HostLost | TimerRang | WakeDue | CallsCounted | Observed,
    Field(discriminator="kind"),
]


# --- events: what the journal says happened ----------------------------------------


class Began(Frozen):
    """The first event of a run."""

    kind: Literal["began"] = "began"
    run: Name
    scenario: Name
    spec_sha256: Sha256
    seed: int
    labels: dict[Name, Short]


class Forked(Frozen):
    """The first event of a fork's own: what came before is the parent's, byte for byte.

    From here on the run follows the scenario with the hash `spec_sha256`. Nobody is
    seated, and no grant is live: the events after it in its commit say so one by one.
    `changes` is a list of objects with `key` and `value`, as they were asked for; an empty
    one is the control. `paused_ms` have passed since the parent's last commit, or since
    it was paused, that are no run time.
    """

    kind: Literal["forked"] = "forked"
    run: Name
    parent: Name
    parent_seq: Count
    parent_sha256: Sha256
    spec_sha256: Sha256
    seed: int
    replicate: Count
    changes: JsonValue
    paused_ms: Count


class ChannelOpened(Frozen):
    """A channel is there. `turns` bounds its turns; none leaves that to the run."""

    kind: Literal["channel_opened"] = "channel_opened"
    channel: Name
    members: Annotated[tuple[Name, ...], Field(max_length=MAX_MEMBERS)]
    hears: Name
    policy: Name
    turns: Count | None = None


class ChannelChanged(Frozen):
    """Another rule decides from now on who hears in a channel, or who speaks next."""

    kind: Literal["channel_changed"] = "channel_changed"
    channel: Name
    hears: Name
    policy: Name


class ChannelClosed(Frozen):
    """A channel is gone: no more grants, and its live ones are revoked first."""

    kind: Literal["channel_closed"] = "channel_closed"
    channel: Name


class MemberJoined(Frozen):
    """A bot hears and may speak in the channel from now on."""

    kind: Literal["member_joined"] = "member_joined"
    channel: Name
    bot: Name


class MemberLeft(Frozen):
    """A bot no longer hears nor speaks in the channel."""

    kind: Literal["member_left"] = "member_left"
    channel: Name
    bot: Name


class Seated(Frozen):
    """A host serves the bot from now on, under a seat number used once in a run."""

    kind: Literal["seated"] = "seated"
    bot: Name
    seat: Count
    host: Name


class Unseated(Frozen):
    """No host serves the bot. Its live grant waits for its deadline all the same."""

    kind: Literal["unseated"] = "unseated"
    bot: Name
    seat: Count
    host: Name
    reason: Literal["left", "lost", "replaced", "forked"]


class Granted(Frozen):
    """A speaking token: the bot may answer `ask` until `deadline_ms`.

    `deadline_ms` is journal time; `allow_ms` is what the host counts by itself from
    the moment it reads this. `due_ms`, where it is set, is world time: when the world
    wakes then or later, its fallback acts for the bot, and the grant stays live.
    `asked` is how many bots the turn asks at once: their answers stay sealed until all
    of those grants are closed.
    """

    kind: Literal["granted"] = "granted"
    channel: Name
    turn: Count
    round: Count
    tries: Count
    asked: Count
    bot: Name
    epoch: Count
    allow_ms: Count
    deadline_ms: Count
    due_ms: Count | None = None
    seed: Count
    ask: Ask


class Extended(Frozen):
    """A live grant has a later deadline: its bot waits for a model server, and says so.

    `allow_ms` is what the host counts by itself from the moment it reads this.
    """

    kind: Literal["extended"] = "extended"
    channel: Name
    turn: Count
    bot: Name
    epoch: Count
    allow_ms: Count
    deadline_ms: Count
    ahead: Count = 0


class _Closed(Frozen):
    """What every closing of a grant names."""

    channel: Name
    turn: Count
    bot: Name
    epoch: Count
    call_sha256: Sha256 | None = None


class Acted(_Closed):
    """The grant is closed by what the bot did. Whether it is heard is another event."""

    kind: Literal["acted"] = "acted"
    action: Action


class Passed(_Closed):
    """The grant is closed by a bot that chose to do nothing."""

    kind: Literal["passed"] = "passed"
    why: Short = ""


class Revoked(_Closed):
    """The grant is closed without an answer."""

    kind: Literal["revoked"] = "revoked"
    reason: Literal["deadline", "lost", "failed", "ended", "channel_closed", "left", "forked"]
    detail: Short = ""


class FellBack(Frozen):
    """The world acted for a bot that had not answered when it was due. The grant is live."""

    kind: Literal["fell_back"] = "fell_back"
    channel: Name
    turn: Count
    bot: Name
    epoch: Count
    action: Action


class TurnClosed(Frozen):
    """A channel's turn is over, and the next one has the next number.

    `answered` of `asked` grants were acted on. `given_up`: every try was revoked.
    """

    kind: Literal["turn_closed"] = "turn_closed"
    channel: Name
    turn: Count
    outcome: Literal["acted", "passed", "given_up"]
    answered: Count
    asked: Count


class Heard(Frozen):
    """Somebody said something, and these hear it.

    `speaker` is a bot's name, or none for the opening and other words from outside.
    `audience` is "all" (every member of the channel at this commit) or names.
    `message_id` is `<seq>.<index>`: the commit, and the place among its events.
    """

    kind: Literal["heard"] = "heard"
    message_id: str = ""
    channel: Name
    turn: Count
    round: Count
    speaker: Name | None
    audience: Literal["all"] | tuple[Name, ...]
    addressee: Name | None = None
    text: Text
    epoch: Count | None = None
    call_sha256: Sha256 | None = None


class Unheard(Frozen):
    """A message was never heard: nobody's memory holds it from now on. Only a fork does so.

    What is heard in its place, if anything, is a `heard` event of its own after this one.
    `last_speaker` and `addressee` are those of the channel's last message without it.
    """

    kind: Literal["unheard"] = "unheard"
    channel: Name
    message_id: str
    last_speaker: Name | None
    addressee: Name | None


class Rejected(Frozen):
    """An input changed nothing, and this is why."""

    kind: Literal["rejected"] = "rejected"
    input_id: str
    author: str
    nonce: str
    why: Literal[
        "garbage",
        "duplicate",
        "stale",
        "forged",
        "not_the_holder",
        "old_seat",
        "unknown_bot",
        "unknown_channel",
        "no_effect",
        "too_long",
        "not_asked",
        "ended",
    ]
    detail: Short = ""


class Woke(Frozen):
    """World time moved on to `world_ms`."""

    kind: Literal["woke"] = "woke"
    world_ms: Count


class Gathered(Frozen):
    """Turns may begin. `absent` bots did not come in time."""

    kind: Literal["gathered"] = "gathered"
    absent: tuple[Name, ...]


class Incident(Frozen):
    """Something went wrong outside the rules; `detail` says what was done."""

    kind: Literal["incident"] = "incident"
    name: Name
    detail: Short = ""


class Intervened(Frozen):
    """Somebody outside told the run something; what it does, the events after it say.

    `text` is what was said or remarked, `args` what a world's own verb was given.
    """

    kind: Literal["intervened"] = "intervened"
    author: Name
    verb: Name
    channel: Name | None = None
    bot: Name | None = None
    text: Text = ""
    args: JsonValue = None


class Paused(Frozen):
    """No new grants from now on. `turns` may still close before that holds."""

    kind: Literal["paused"] = "paused"
    turns: Count = 0


class Resumed(Frozen):
    """The run goes on. `paused_ms` have passed that are no run time."""

    kind: Literal["resumed"] = "resumed"
    paused_ms: Count


class Muted(Frozen):
    """The bot is granted nothing more until it is unmuted."""

    kind: Literal["muted"] = "muted"
    bot: Name


class Unmuted(Frozen):
    """The bot may be granted turns again."""

    kind: Literal["unmuted"] = "unmuted"
    bot: Name


class Measured(Frozen):
    """A value that was measured while the run went on, of the whole or of a channel."""

    kind: Literal["measured"] = "measured"
    name: Name
    value: Annotated[float, Field(allow_inf_nan=False)]
    channel: Name | None = None
    bot: Name | None = None


class Triggered(Frozen):
    """What is measured came to a value for which the scenario has something to do.

    `trigger` is its place in the scenario's `when`, from 0; what was done follows.
    """

    kind: Literal["triggered"] = "triggered"
    trigger: Count
    measure: Name
    value: Annotated[float, Field(allow_inf_nan=False)]


class StateHashed(Frozen):
    """The SHA-256 of the run's state at the commit before this one, as a snapshot has it."""

    kind: Literal["state_hashed"] = "state_hashed"
    state_sha256: Sha256


class Ended(Frozen):
    """The run is over: no more grants."""

    kind: Literal["ended"] = "ended"
    reason: Literal["turns", "minutes", "silence", "measure", "world", "stopped", "halted"]
    detail: Short = ""


class Closed(Frozen):
    """The record is complete: calls after `last_call_id` are not part of it."""

    kind: Literal["closed"] = "closed"
    calls: Count
    last_call_id: str


class OpenEvent(BaseModel):
    """An event of a kind this program does not know, kept whole.

    Worlds and plugins make their own kinds; by custom `<world>.<what>`.

    Example:
        >>> event = EVENT.validate_python({"kind": "town.rained", "mm": 3})
        >>> event.kind, event.model_extra
        ('town.rained', {'mm': 3})
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str = Field(max_length=80)


KnownEvent = (
    Began
    | Forked
    | ChannelOpened
    | ChannelChanged
    | ChannelClosed
    | MemberJoined
    | MemberLeft
    | Seated
    | Unseated
    | Granted
    | Extended
    | Acted
    | Passed
    | Revoked
    | FellBack
    | TurnClosed
    | Heard
    | Unheard
    | Rejected
    | Woke
    | Gathered
    | Intervened
    | Paused
    | Resumed
    | Muted
    | Unmuted
    | Measured
    | Triggered
    | StateHashed
    | Incident
    | Ended
    | Closed
)
Event = KnownEvent | OpenEvent

EVENT_KINDS: dict[str, type[Frozen]] = {
    model.model_fields["kind"].default: model for model in get_args(KnownEvent)
}


def _tag(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in EVENT_KINDS else "open"


if TYPE_CHECKING:
    EventField = Event
else:
    EventField = Annotated[
        Union[
            (
                *(Annotated[model, Tag(kind)] for kind, model in EVENT_KINDS.items()),
                Annotated[OpenEvent, Tag("open")],
            )
        ],
        Discriminator(_tag),
    ]

EVENT: TypeAdapter[Event] = TypeAdapter(EventField)
