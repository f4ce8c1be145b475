"""The top of a report: what a run was, how it ended, and what a reviewer asks first."""

from __future__ import annotations

from analytics.report import wording
from analytics.report.markup import Html, joined, table, tag
from analytics.report.source import Source

NO_MODEL = (
    "No language model answered in this run. The offline model did: a phrase grammar behind "
    "Ollama's API, which takes words from personas and from the last lines. What it says is no "
    "evidence about language models."
)
SOME_MODEL = (
    "Some answers in this run came from a language model and some from the offline model, a "
    "phrase grammar which is none. The column language_model of calls.csv tells them apart."
)
WITHHELD = "The texts of this dataset were withheld: in their place are digests."
_ENDS = {
    "turns": "all its turns were done",
    "measure": "what it waited for was measured",
    "minutes": "its time was up",
    "silence": "nobody had acted for too long",
    "world": "its world ended it",
    "stopped": "somebody stopped it",
    "halted": "it could not go on",
}


def cautions(source: Source) -> Html:
    """Write what a reader must know before anything else; nothing where there is nothing."""
    said = [*_about_minds(source)]
    if not source.dataset.has_texts:
        said.append(WITHHELD)
    if source.word("phase") != "closed":
        said.append(
            f"This run was {source.word('phase') or 'not begun'} when it was exported: it was cut "
            f"at commit {wording.count(source.number('commits'))}, and its tables are not final."
        )
    said += source.manifest.findings
    return joined(tag("div", tag("p", one), class_="say", role="note") for one in said)


def how_it_ended(source: Source) -> str:
    """Say in words how a run ended."""
    reason = source.word("end_reason")
    if not reason:
        return "It has not ended."
    detail = source.word("end_detail")
    said = _ENDS.get(reason, reason)
    return f"It ended because {said}{f': {detail}' if detail else ''}."


def sums(source: Source) -> Html:
    """Write the few numbers that say how large a run was."""
    number = source.number
    shown = {
        "bots": wording.count(number("bots")),
        "turns": wording.count(number("turns")),
        "messages": wording.count(number("messages")),
        "model calls": wording.count(number("calls")),
        "run time": wording.duration(number("took_ms")),
        "commits": wording.count(number("commits")),
    }
    if number("actions"):
        shown["actions"] = wording.count(number("actions"))
    if number("channels_opened") > 1:
        shown["channels"] = wording.count(number("channels_opened"))
    parts = (tag("div", tag("dt", name), tag("dd", value)) for name, value in shown.items())
    return tag("dl", *parts, class_="sums")


def losses(source: Source) -> Html:
    """Write the shares of what was revoked, resampled, cut and failed."""
    number = source.number
    grants, calls = number("granted"), number("calls")
    rows = (
        ("Revoked for time", number("revoked_deadline"), grants, "grant", "its deadline passed"),
        ("Revoked, other", number("revoked") - number("revoked_deadline"), grants, "grant",
         "every attempt failed, a host was lost, the run ended"),
        ("Turns given up", number("turns_given_up"), number("turns"), "turn",
         "revoked until no try was left"),
        ("Resampled", number("calls_guarded"), calls, "call",
         "a guard kept the answer back and asked again"),
        ("Malformed", number("calls_malformed"), calls, "call", "no answer of the form asked for"),
        ("Cut", number("calls_cut"), calls, "call", "more than space was cut from the answer"),
        ("Failed attempts", number("calls_failed"), calls, "call",
         "nothing of it was used: errors, resampled, malformed, cancelled"),
        ("Late", number("late"), grants, "grant", "answered after the world had gone on"),
    )  # fmt: skip
    return table(
        ("", "count", "of", "share", "what it means"),
        (
            (name, _felt(part), wording.count(whole, unit), wording.share(part, whole), means)
            for name, part, whole, unit, means in rows
            if part or name != "Late"
        ),
        numeric=(1, 2, 3),
        caption="Shares revoked, resampled, cut and failed",
    )


def _felt(part: float) -> Html:
    return tag("span", wording.count(part), class_="some" if part else None)


def _about_minds(source: Source) -> list[str]:
    answered = source.word("language_model")
    if answered == "no":
        return [NO_MODEL]
    if answered == "mixed":
        return [SOME_MODEL]
    sources = set(source.frames["calls"]["source"].dropna())
    if sources and sources <= {"rule", "scripted"}:
        kinds = " and ".join(
            {"rule": "rules", "scripted": "written lines"}[one] for one in sorted(sources)
        )
        return [f"No model was asked in this run: {kinds} answered for every bot."]
    return []
