"""What `parley doctor` looks at, one finding a thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from parley import opening
from utils import plugins
from utils.errors import BadInput, Missing, ParleyError
from utils.settings import Settings
from utils.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        needed: Whether no run at all can do without it.
        mend: What to type, empty when nothing needs mending.
    """

    what: str
    ok: bool
    detail: str
    needed: bool = True
    mend: str = ""

    def as_dict(self) -> dict[str, object]:
        """Write it for JSON."""
        return asdict(self)


def examine(here: Settings) -> list[Finding]:
    """Look at everything, and stop at nothing."""
    servers = [_models(server) for server in here.model_servers]
    return [_server(here), *servers, _library(), *_plugins()]


def _server(here: Settings) -> Finding:
    where = "REDIS_URL" if here.redis_url else "the embedded server"
    try:
        with opening.streams(here, name="parley-doctor") as streams:
            from utils.server import check_server, server_details

            info = streams.info()
            check_server(info)
            details = server_details(info)
            hosts, live = len(streams.presences()), len(streams.live_runs())
        detail = f"{details.flavour} {details.version} ({where}); {live} live runs, {hosts} hosts"
        return Finding("server", True, detail)
    except ParleyError as error:
        return Finding("server", False, str(error), mend=getattr(error, "mend", ""))


def _models(host: str) -> Finding:
    """Look for a model server. A run can do without: there is the offline model."""
    from bots.minds.ollama_server import list_models

    try:
        server, models = list_models(host)
    except Missing as error:
        mend = "start Ollama, or set OLLAMA_HOST, or use: parley run salon --offline"
        return Finding("model server", False, str(error), needed=False, mend=mend)
    default = ModelSpec(model="llama3.2:1b").model
    mend = "" if models else f"ollama pull {default}"
    named = ", ".join(models[:6]) + (f" and {len(models) - 6} more" if len(models) > 6 else "")
    detail = f"{server} at {host}: {named or 'no models'}"
    return Finding("model server", bool(models), detail, needed=False, mend=mend)


def _library() -> Finding:
    from parley.library import Library, scenarios
    from parley.resolve import resolve_file

    try:
        library = Library.open()
        found = scenarios()
        for path in found.values():
            resolve_file(path)
    except (BadInput, Missing) as error:
        return Finding("library", False, str(error), mend="parley personas check")
    counts = f"{len(library.personas)} personas, {len(library.templates)} prompts"
    return Finding("library", True, f"{counts}, {len(found)} scenarios")


def _plugins() -> list[Finding]:
    findings = []
    for kind in ("policies", "worlds", "minds", "memories", "rules", "metrics"):
        group = f"parley.{kind}"
        try:
            for name in plugins.names(group):
                plugins.find(group, name)
        except BadInput as error:
            findings.append(Finding(kind, False, str(error), needed=False))
        else:
            findings.append(Finding(kind, True, ", ".join(plugins.names(group)), needed=False))
    return findings
