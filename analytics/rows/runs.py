"""runs.csv: the run itself, one row."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.cells import json_text
from analytics.columns import Row, as_json, decimal, integer, text
from analytics.fold import Fold

COLUMNS = (
    text("scenario", "The scenario's name.", "Spec.scenario"),
    text("spec_sha256", "The hash of raw/spec.json.", "Began.spec_sha256"),
    integer("seed", "The run's seed.", "Spec.seed"),
    text("world", "The world whose rules it follows.", "Spec.world"),
    as_json("world_settings", "The world's own settings.", "Spec.world"),
    text(
        "pace",
        "When the world takes its steps: `turns`, `free`, or `realtime` and how many times as "
        "fast as run time.",
        "Spec.pace",
    ),
    text("policies", "Who speaks next: `channel=policy`, blanks between.", "Spec.channels"),
    text("hears", "Who hears: `channel=rule`, blanks between.", "Spec.channels"),
    text("minds", "Kinds of mind, blanks between.", "Spec.models"),
    text("models", "Models its bots ask, blanks between.", "Spec.models"),
    text("model_digests", "Digests of weights that answered, sorted.", "CallRecord.model_digest"),
    text(
        "language_model",
        "Whether language models answered: `yes`, `no`, `mixed`, or `unknown` where none says.",
        "CallRecord.language_model",
    ),
    integer(
        "forked_seq",
        "Of a fork, its first commit of its own: all before it is its parent's.",
        "Commit.seq",
    ),
    as_json("fork_changes", "Of a fork, what was changed, key by key.", "Forked.changes"),
    integer("bots", "Bots of the scenario.", "Spec.bots", unit="bots"),
    integer("channels", "Channels of the scenario.", "Spec.channels", unit="channels"),
    integer(
        "channels_opened",
        "Channels that were opened, by the scenario or by the world.",
        "ChannelOpened",
        unit="channels",
    ),
    text(
        "phase",
        "How far it was: `new`, `gathering`, `running`, `ended`, or `closed`. Only a closed "
        "run's tables are final; any other was cut at `commits`.",
        "Began, Gathered, Ended, Closed",
    ),
    text("end_reason", "Why it ended.", "Ended.reason"),
    text("end_detail", "More about that.", "Ended.detail"),
    integer("began_ms", "When it began, since 1970.", "Commit.at_ms", unit="ms"),
    integer("ended_ms", "When it ended, since 1970.", "Commit.at_ms", unit="ms"),
    integer("last_ms", "When its last commit was made, since 1970.", "Commit.at_ms", unit="ms"),
    integer("took_ms", "Run time from its beginning to its end.", "Commit.at_ms", unit="ms"),
    integer(
        "paused_ms",
        "How long it was paused by its end, or by its last commit: no run time.",
        "Paused, Resumed, Commit.at_ms",
        unit="ms",
    ),
    integer("world_ms", "The world's time then; 0 if it was never woken.", "Woke", unit="ms"),
    integer("commits", "Commits in this dataset.", "Commit.seq", unit="commits"),
    text("last_sha256", "The hash of the last one: it stands for all.", "journal.h"),
    integer("inputs", "Inputs consumed.", "Commit.inputs", unit="inputs"),
    integer("turns", "Turns closed, in all channels.", "TurnClosed", unit="turns"),
    integer("turns_acted", "Of these, with an action.", "TurnClosed.outcome", unit="turns"),
    integer("turns_passed", "Of these, passed.", "TurnClosed.outcome", unit="turns"),
    integer("turns_given_up", "Of these, given up.", "TurnClosed.outcome", unit="turns"),
    integer("messages", "Rows of messages.csv.", "Heard", unit="messages"),
    integer("actions", "Rows of actions.csv.", "Acted.action, FellBack", unit="actions"),
    integer("measures", "Rows of measures.csv.", "Measured", unit="measures"),
    integer("interventions", "Rows of interventions.csv.", "Intervened", unit="interventions"),
    integer("world_events", "Rows of world_events.csv.", "OpenEvent", unit="events"),
    integer("granted", "Rows of turns.csv.", "Granted", unit="grants"),
    integer("answered", "Grants closed by an action.", "Acted", unit="grants"),
    integer("passed", "Grants closed by passing.", "Passed", unit="grants"),
    integer("revoked", "Grants taken back.", "Revoked", unit="grants"),
    integer("revoked_deadline", "Of these, for time.", "Revoked.reason", unit="grants"),
    integer("revoked_lost", "Of these, for want of a host.", "Revoked.reason", unit="grants"),
    integer("revoked_failed", "Of these, for a failed mind.", "Revoked.reason", unit="grants"),
    integer(
        "late",
        "Of those answered, by a bot, after they were due.",
        "Granted.due_ms, Woke",
        unit="grants",
    ),
    integer("fell_back", "Times the world acted in a bot's stead.", "FellBack", unit="times"),
    integer("rejected", "Inputs that changed nothing.", "Rejected", unit="inputs"),
    integer(
        "incidents",
        "Rows of incidents.csv.",
        "Incident, Rejected, Revoked, CallRecord.outcome",
        unit="incidents",
    ),
    integer("calls", "Rows of calls.csv.", "CallRecord", unit="calls"),
    integer("calls_failed", "Of these, not answered.", "CallRecord.outcome", unit="calls"),
    integer("calls_guarded", "Of these, kept back by a guard.", "CallRecord.outcome", unit="calls"),
    integer("calls_malformed", "Of these, no answer as asked.", "CallRecord.outcome", unit="calls"),
    integer(
        "calls_cut",
        "Calls of whose answers more was cut than space: see `cut` in calls.",
        "CallRecord.cut",
        unit="calls",
    ),
    integer(
        "calls_loading",
        "Calls before which the server loaded the model, for half a second or longer.",
        "CallRecord.load_ns",
        unit="calls",
    ),
    decimal("share_guarded", "`calls_guarded` of `calls`.", "CallRecord.outcome", unit="share"),
    decimal("share_cut", "`calls_cut` of `calls`.", "CallRecord.cut", unit="share"),
    decimal(
        "share_revoked_deadline", "`revoked_deadline` of `granted`.", "Revoked.reason", unit="share"
    ),
    integer("calls_counted", "Calls by the journal's own count.", "Closed.calls", unit="calls"),
)


def row(fold: Fold, spec_sha256: str) -> Row:
    """Write the run as a row, once everything is taken in."""
    return _what(fold, spec_sha256) | _when(fold) | _how_much(fold)


def _what(fold: Fold, spec_sha256: str) -> Row:
    spec = fold.spec
    models = [spec.models[bot.model] for bot in spec.bots if bot.model in spec.models]
    return {
        "scenario": spec.scenario,
        "spec_sha256": spec_sha256,
        "seed": spec.seed,
        "world": spec.world.name,
        "world_settings": json_text(dict(spec.world.settings)),
        "pace": f"realtime {spec.pace.scale:g}" if spec.pace.kind == "realtime" else spec.pace.kind,
        "policies": " ".join(f"{channel.name}={channel.policy}" for channel in spec.channels),
        "hears": " ".join(f"{channel.name}={channel.hears}" for channel in spec.channels),
        "minds": _once(model.mind for model in models),
        "models": _once(model.model for model in models if model.model),
        "model_digests": " ".join(sorted(fold.totals.digests)),
        "language_model": _language_model(fold.totals.language_model),
        "forked_seq": fold.forked[0].seq if fold.forked else None,
        "fork_changes": json_text(fold.forked[1].changes) if fold.forked else None,
        "bots": len(spec.bots),
        "channels": len(spec.channels),
        "channels_opened": fold.totals.channels,
    }


def _when(fold: Fold) -> Row:
    ended_ms, ended = fold.ended or (None, None)
    until_ms = fold.last_ms if ended_ms is None else ended_ms
    return {
        "phase": fold.phase,
        "end_reason": ended.reason if ended else None,
        "end_detail": ended.detail if ended else None,
        "began_ms": fold.time.began_ms,
        "ended_ms": ended_ms,
        "last_ms": fold.last_ms,
        "took_ms": None if ended_ms is None else fold.run_ms(ended_ms),
        "paused_ms": None if until_ms is None else fold.time.paused_ms(until_ms),
        "world_ms": fold.world_ms,
        "commits": fold.totals.commits,
        "last_sha256": fold.sha256,
    }


def _how_much(fold: Fold) -> Row:
    totals, tallies = fold.totals, fold.tallies.values()
    turns = totals.turns
    return {
        "inputs": totals.inputs,
        "turns": turns.total(),
        "turns_acted": turns["acted"],
        "turns_passed": turns["passed"],
        "turns_given_up": turns["given_up"],
        "messages": totals.messages,
        "actions": totals.actions,
        "measures": totals.measures,
        "interventions": totals.interventions,
        "world_events": totals.world_events,
        "granted": sum(tally.granted for tally in tallies),
        "answered": sum(tally.answered for tally in tallies),
        "passed": sum(tally.passed for tally in tallies),
        "revoked": sum(tally.revoked.total() for tally in tallies),
        "revoked_deadline": sum(tally.revoked["deadline"] for tally in tallies),
        "revoked_lost": sum(tally.revoked["lost"] for tally in tallies),
        "revoked_failed": sum(tally.revoked["failed"] for tally in tallies),
        "late": sum(tally.late for tally in tallies),
        "fell_back": sum(tally.fell_back for tally in tallies),
        "rejected": totals.rejected,
        "incidents": totals.incidents,
        "calls": totals.calls.total(),
        "calls_failed": totals.calls.total() - totals.calls["answered"],
        "calls_guarded": totals.calls["guarded"],
        "calls_malformed": totals.calls["malformed"],
        "calls_cut": totals.calls_cut,
        "calls_loading": totals.loads,
        "share_guarded": _share(totals.calls["guarded"], totals.calls.total()),
        "share_cut": _share(totals.calls_cut, totals.calls.total()),
        "share_revoked_deadline": _share(
            sum(tally.revoked["deadline"] for tally in tallies),
            sum(tally.granted for tally in tallies),
        ),
        "calls_counted": fold.closed.calls if fold.closed else None,
    }


def _share(part: int, whole: int) -> float | None:
    """Give a part's share; none of nothing."""
    return part / whole if whole else None


def _once(words: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(words))


def _language_model(told: set[bool | None]) -> str:
    """Sum up what calls say of themselves.

    Example:
        >>> _language_model({False}), _language_model({True, False}), _language_model({None})
        ('no', 'mixed', 'unknown')
    """
    known = told - {None}
    if not known:
        return "unknown"
    return "mixed" if len(told) > 1 else "yes" if True in known else "no"
