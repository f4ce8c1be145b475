"""Read a dataset with pandas: who said how much, how fast, and what the prompts held.

    python examples/read_a_dataset.py datasets/salon-3faed3f1

Written to be read from top to bottom, and to be run cell by cell: an editor that knows
`# %%` shows it as a notebook. A folder of datasets works as well as one.
"""

# %% The tables are frames with typed columns, and texts are as they were said.
import sys

from analytics import load

frames = load(sys.argv[1])
messages, turns, calls = frames["messages"], frames["turns"], frames["calls"]
print(frames["runs"][["run_id", "scenario", "seed", "phase", "messages", "language_model"]])

# %% Who said how much. Words from outside, such as an opening, have no speaker.
said = messages.dropna(subset="speaker")
words = said.text.str.split().str.len()
print(
    words.groupby([said.run_id, said.speaker])
    .agg(["count", "mean", "sum"])
    .rename(columns={"count": "messages", "mean": "words_each", "sum": "words"})
    .round(1)
)

# %% How long a bot held the floor, and what came of it. `epoch` names a grant in its run.
print(turns.groupby(["bot", "outcome"]).latency_ms.describe()[["count", "50%", "max"]])

# %% What an answer cost: a message joined with the call it came from.
asked = calls.drop_duplicates(["run_id", "call_sha256"])
spoken = said.merge(asked, on=["run_id", "call_sha256"], suffixes=("", "_call"))
print(spoken.groupby("speaker")[["prompt_tokens", "answer_tokens"]].mean().round(1))

# %% Who had seen what: the share of all messages of a prompt that came from each speaker.
seen = frames["exposures"].query("kind == 'message' and seen")
heard = seen.merge(
    messages[["run_id", "message_id", "speaker"]],
    left_on=["run_id", "item"],
    right_on=["run_id", "message_id"],
    suffixes=("", "_of"),
)
shares = heard.fillna({"speaker": "(opening)"}).groupby("bot").speaker.value_counts(normalize=True)
print(shares.unstack().round(2))
