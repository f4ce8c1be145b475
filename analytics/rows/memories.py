"""memories.csv: one thing a bot wrote down, and what it rests on.

The memories there are today, a window and none, write nothing down: the table has no
rows until one does.
"""

from __future__ import annotations

from analytics.columns import as_json, integer, text

COLUMNS = (
    text("bot", "Who wrote it down.", "memory.b"),
    text("entry_id", "Its place in the bot's stream. Read it as text.", "memory.id"),
    integer("at_ms", "When, server time since 1970.", "memory.id", unit="ms"),
    integer("run_ms", "When, in run time.", "memory.id", unit="ms"),
    integer("seq", "The last commit that it rests on.", "memory.b"),
    text("kind", "What it is: a summary, say, or a reflection.", "memory.b"),
    text("text", "What it says.", "memory.b"),
    as_json("rests_on", "What it rests on: message ids, or other memories.", "memory.b"),
    text("call_sha256", "The call that made it, if one did: see `calls`.", "memory.b"),
)
