"""Why an input changes nothing."""

from __future__ import annotations


class Refused(Exception):
    """An input is refused; `why` is one of `utils.protocol.Rejected.why`."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail
