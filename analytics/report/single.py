"""The report on one dataset."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.catalogue import metrics
from analytics.report import asked, curves, excerpts, listing, pacing, speaking, summary, wording
from analytics.report.markup import Html, joined, tag
from analytics.report.measured import measured, told, told_by_bot
from analytics.report.page import Head, Section, page
from analytics.report.pictures import Picture, Progress, figures, pictures
from analytics.report.plots import Cast
from analytics.report.source import Source

PLOTS = (
    speaking.participation,
    speaking.adjacency,
    pacing.latency,
    pacing.lengths,
    curves.measures,
)


def report_on_one(
    sources: Sequence[Source], *, made_by: str, progress: Progress
) -> tuple[str, list[Picture]]:
    """Write the page about the one dataset there is; its figures come beside it."""
    (source,) = sources
    cast = Cast.of(source)
    found = measured(source, metrics(), progress)
    plots = (*(plot(source, cast) for plot in PLOTS), curves.metrics(found))
    drawn = pictures(plots, progress)
    sections = [
        Section("summary", "At a glance", _glance(source)),
        Section("asked", "What was asked", asked.asked(source)),
        Section("figures", "Figures", figures(drawn) if drawn else tag("p", "Nothing to draw.")),
        Section("transcript", "Excerpts", excerpts.excerpts(source, cast)),
        Section("metrics", "Metrics", joined((told(found), told_by_bot(found, cast)))),
        Section("bots", "Bots", listing.bots(source, cast)),
        Section("incidents", "Incidents", listing.incidents(source)),
        Section("tables", "Tables", listing.tables(source)),
        Section("manifest", "Manifest", listing.manifest(source)),
    ]
    done = listing.interventions(source)
    if done is not None:
        sections.insert(6, Section("interventions", "Interventions", done))
    lead = source.spec.about
    head = Head(
        over=f"Run {source.run}",
        title=source.spec.scenario,
        lead=lead,
        cautions=joined((summary.boxes(summary.warnings(source)), _ended(source))),
    )
    return page(head, sections, foot=foot(made_by)), drawn


def foot(made_by: str) -> str:
    """Say how a report was made."""
    return (
        f"Written by parley report of {made_by}. This file loads nothing and runs nothing; "
        "two reports on the same dataset by the same version are the same bytes."
    )


def _glance(source: Source) -> Html:
    return joined((summary.sums(source), summary.losses(source), summary.findings(source)))


def _ended(source: Source) -> Html:
    began = wording.moment(source.told.get("began_ms"))
    return tag(
        "p",
        f"It began {began} and ran for {wording.duration(source.number('took_ms'))}. "
        f"{summary.how_it_ended(source)}",
    )
