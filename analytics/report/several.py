"""The report on many datasets: what was the same, what differed, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analytics.catalogue import metrics
from analytics.collection import alike
from analytics.metrics.seam import Metric
from analytics.report import excerpts, spread, summary, wording
from analytics.report.arms import by_arm, differing
from analytics.report.asked import asked, left_out, mono
from analytics.report.markup import Child, Html, joined, table, tag
from analytics.report.measured import has_values, measured, measured_together, told
from analytics.report.page import Head, Section, page
from analytics.report.pictures import Picture, Progress, figures, pictures
from analytics.report.plots import Cast
from analytics.report.single import foot
from analytics.report.source import Source
from utils.printable import printable_line

MOST_ROWS = 200
"""Runs in a table of the page."""
MOST_SETTINGS = 24
MOST_ARMS = 8
"""Arms of which a transcript begins in the page."""

Arms = dict[str, list[Source]]


def report_on_several(
    sources: Sequence[Source], *, made_by: str, progress: Progress
) -> tuple[str, list[Picture]]:
    """Write the page about many datasets; its figures come beside it."""
    arms = by_arm(sources)
    chosen = metrics()
    by = {
        arm: [(source, measured(source, chosen, progress)) for source in runs]
        for arm, runs in arms.items()
    }
    data = spread.values(by)
    drawn = pictures([spread.dots(data, list(arms))], progress)
    sections = [
        Section("summary", "At a glance", joined((_sums(sources, arms), _losses(arms)))),
        Section("asked", "What was asked", _asked(sources)),
        Section("figures", "Figures", figures(drawn)),
        Section("metrics", "Metrics", joined((spread.told(by), _together(arms, chosen, progress)))),
        Section("runs", "Runs", _runs(arms)),
        Section("transcript", "Beginnings", _beginnings(arms)),
        Section("incidents", "Incidents", _incidents(arms)),
        Section("manifest", "Manifests", _manifests(sources)),
    ]
    scenarios = sorted({source.spec.scenario for source in sources})
    head = Head(
        over=wording.count(len(sources), "dataset"),
        title=", ".join(scenarios[:4]) + (" and more" if len(scenarios) > 4 else ""),
        lead=_lead(sources),
        cautions=_cautions(sources),
    )
    return page(head, [one for one in sections if one.body.markup], foot=foot(made_by)), drawn


def _lead(sources: Sequence[Source]) -> str:
    abouts = {source.spec.about for source in sources}
    return abouts.pop() if len(abouts) == 1 else ""


def _cautions(sources: Sequence[Source]) -> Html:
    """Say what of any run must be known first, and how many runs it is true of."""
    said: dict[str, int] = {}
    for source in sources:
        for one in summary.warnings(source):
            said[one] = said.get(one, 0) + 1
    count = len(sources)
    lines = [
        one if runs == count else f"{one} ({runs} of {count} runs)" for one, runs in said.items()
    ]
    same = alike({source.dataset.folder.name: source.manifest for source in sources})
    return summary.boxes([*lines, *(f"{one}." for one in same)])


def _sums(sources: Sequence[Source], arms: Arms) -> Html:
    def total(column: str) -> str:
        return wording.count(sum(source.number(column) for source in sources))

    return summary.numbers(
        {
            "datasets": wording.count(len(sources)),
            "arms": wording.count(len(arms)),
            "turns": total("turns"),
            "messages": total("messages"),
            "model calls": total("calls"),
            "run time": wording.duration(sum(source.number("took_ms") for source in sources)),
        }
    )


def _losses(arms: Arms) -> Html:
    """Write, arm by arm, the shares of what was revoked, resampled, cut and failed."""
    rows = [(name, wording.count(len(runs)), *_shares(runs)) for name, runs in arms.items()]
    everything = [source for runs in arms.values() for source in runs]
    if len(arms) > 1:
        rows.append(("all", wording.count(len(everything)), *_shares(everything)))
    head = ("arm", "runs", "turns", *(one.name for one in summary.LOSSES if one.is_always_shown))
    return table(head, rows, numeric=range(1, len(head)), caption="Losses by arm")


def _shares(runs: Sequence[Source]) -> Iterator[Child]:
    yield wording.count(sum(source.number("turns") for source in runs))
    for loss in summary.LOSSES:
        if loss.is_always_shown:
            part = sum(loss.part(source) for source in runs)
            whole = sum(source.number(loss.whole) for source in runs)
            yield tag("span", wording.share(part, whole), class_="some" if part else None)


def _asked(sources: Sequence[Source]) -> Html:
    """Write the settings in which runs differ."""
    found = differing(sources)
    first = joined((tag("h3", f"As {sources[0].dataset.folder.name} has it"), asked(sources[0])))
    if not found:
        return joined((tag("p", "All runs have the same settings and the same seed."), first))
    rows = [
        (
            mono(key),
            wording.count(len(values)),
            tag("div", _values(values, len(sources)), class_="long"),
        )
        for key, values in list(found.items())[:MOST_SETTINGS]
    ]
    whole = table(("setting", "values", "which"), rows, numeric=(1,), caption="What differs")
    same = tag("p", "In all other settings the runs are alike.")
    return joined(
        (whole, left_out(len(found) - len(rows), "setting", "raw/spec.json"), same, first)
    )


def _values(values: dict[str, list[Source]], runs: int) -> str:
    if len(values) == runs and runs > 6:
        return "another in every run"
    shown = [
        f"{printable_line(value, most=80)} ({len(having)})"
        for value, having in list(values.items())[:6]
    ]
    return "; ".join(shown) + (" ..." if len(values) > 6 else "")


def _together(arms: Arms, chosen: Sequence[Metric], progress: Progress) -> Html:
    """Write what can be measured of several runs alone, arm by arm."""
    parts: list[Child] = []
    for arm, runs in arms.items():
        found = measured_together(runs, chosen, progress)
        known = [one for one in found if has_values(one[1])]
        if known:
            parts += [tag("h3", f"Of the runs of {arm} together"), told(known)]
    return joined(parts)


def _runs(arms: Arms) -> Html:
    rows: list[tuple[Child, ...]] = [
        (
            source.dataset.folder.name,
            arm,
            str(source.spec.seed),
            source.word("phase"),
            source.word("end_reason") or wording.EMPTY,
            wording.count(source.number("turns")),
            wording.count(source.number("messages")),
            *(
                tag("span", wording.count(part), class_="some" if part else None)
                for part in (loss.part(source) for loss in summary.LOSSES if loss.is_always_shown)
            ),
            wording.count(source.number("incidents")),
        )
        for arm, runs in arms.items()
        for source in runs
    ]
    losses = (one.name.lower() for one in summary.LOSSES if one.is_always_shown)
    head = ("dataset", "arm", "seed", "phase", "end", "turns", "messages", *losses, "incidents")
    shown = rows[:MOST_ROWS]
    whole = table(head, shown, numeric=(2, *range(5, len(head))), caption="Runs")
    return joined((whole, left_out(len(rows) - len(shown), "run", "their folders")))


def _beginnings(arms: Arms) -> Html:
    """Write how the first run of each arm began."""
    parts: list[Child] = []
    for arm, (first, *_) in list(arms.items())[:MOST_ARMS]:
        parts.append(tag("h3", f"{arm}: {first.dataset.folder.name}"))
        parts.append(excerpts.beginning(first, Cast.of(first)))
    return joined(parts)


def _incidents(arms: Arms) -> Html:
    """Write what went wrong, by name and arm."""
    counts: dict[str, dict[str, int]] = {}
    for arm, runs in arms.items():
        for source in runs:
            for name, times in source.frames["incidents"]["name"].value_counts().items():
                row = counts.setdefault(str(name), {})
                row[arm] = row.get(arm, 0) + int(times)
    if not counts:
        return tag("p", "None in any run: nothing was rejected or revoked, and no attempt failed.")
    rows = [
        (name, *(wording.count(counts[name].get(arm, 0)) for arm in arms))
        for name in sorted(counts, key=lambda name: (-sum(counts[name].values()), name))
    ]
    return table(("what", *arms), rows, numeric=range(1, len(arms) + 1), caption="Incidents by arm")


def _manifests(sources: Sequence[Source]) -> Html:
    rows = [
        (
            source.dataset.folder.name,
            source.run,
            wording.count(source.manifest.commits),
            mono(source.manifest.last_sha256[:16]),
            mono(source.manifest.seal[:16]),
        )
        for source in sources[:MOST_ROWS]
    ]
    whole = table(
        ("dataset", "run", "commits", "chain's last hash", "seal"),
        rows,
        numeric=(2,),
        caption="Manifests",
    )
    return joined((whole, left_out(len(sources) - len(rows), "dataset", "their folders")))
