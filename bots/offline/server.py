"""The offline model: a small HTTP server with Ollama's API and no model behind it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from bots.offline.api import Api
from bots.offline.faults import FaultPlan, Kind
from bots.offline.listener import POLL_S, listen
from bots.offline.models import Offered
from bots.offline.residence import Residence
from utils.clock import sleep_s, utc_now

DEFAULT_MODEL = "parley-offline"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server has room for.

    Args:
        most_loaded: Models in memory at a time, as OLLAMA_MAX_LOADED_MODELS, >= 1. One,
            as on a machine with no memory to spare: then another swaps it out.
        most_pending: Requests that may wait for a load, as OLLAMA_MAX_QUEUE.
        body_bytes: Longer requests are refused.
    """

    most_loaded: int = 1
    most_pending: int = 512
    body_bytes: int = 8_000_000


DEFAULT_LIMITS = Limits()


class OfflineServer:
    """Serves the offline model until it is closed.

    It is bound when it is made, so `url` is known at once. As a context manager it
    serves in a thread of its own; `serve_forever` serves until it is interrupted.

    Args:
        host: Where to listen. Only this machine by default.
        port: 0 for any free port.
        models: What it offers: names, or models that are as slow as they say.
        tokens_per_s: How fast models speak that are only named; None for as fast as
            they can.
        limits: What it has room for.
        faults: What goes wrong; nothing by default.
        now: The wall time, for the fields that tell it.
        sleep: Waits so many seconds, for the pace.

    Raises:
        BadInput: The port is taken, or the host cannot be listened on; or no model
            can be so slow.

    Example:
        >>> with OfflineServer() as server:
        ...     server.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        models: Sequence[str | Offered] = (DEFAULT_MODEL,),
        tokens_per_s: float | None = None,
        limits: Limits = DEFAULT_LIMITS,
        faults: FaultPlan | None = None,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = sleep_s,
    ) -> None:
        offered = [
            Offered(model, tokens_per_s=tokens_per_s) if isinstance(model, str) else model
            for model in models
        ]
        self._residence = Residence(
            most_loaded=limits.most_loaded,
            most_pending=limits.most_pending,
            now=now,
            sleep=sleep,
        )
        plan = faults or FaultPlan()
        self._api = Api(offered, residence=self._residence, plan=plan, now=now, sleep=sleep)
        self._listener = listen(host, port, self._api.reply, limits.body_bytes)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where a client finds it."""
        host, port = self._listener.server_address[:2]
        name = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    @property
    def port(self) -> int:
        """The port it listens on, never 0."""
        return int(self._listener.server_address[1])

    @property
    def calls(self) -> int:
        """How often it was asked to say something."""
        return self._api.player.calls

    @property
    def played(self) -> Counter[Kind]:
        """How often each fault happened."""
        return self._api.player.played

    @property
    def loads(self) -> int:
        """How often a model was loaded: the first time, or in another's place."""
        return self._residence.loads

    def start(self) -> None:
        """Serve in a thread; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._listener.serve,
                name="parley-offline",
                daemon=True,
            )
            self._thread.start()

    def serve_forever(self) -> None:
        """Serve until `close` is called from another thread, or until interrupted."""
        self.start()
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(POLL_S)

    def close(self) -> None:
        """Stop listening and hang up on everybody; a second call does nothing."""
        self._listener.is_closing.set()
        if self._thread is not None and self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()
        self._listener.hang_up()

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
