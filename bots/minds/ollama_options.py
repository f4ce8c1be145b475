"""The options that go to an Ollama server, each one spelled out, and its names for models."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bots.minds.seam import BadOption, Request
from utils.names import nearest
from utils.spec import Option

DEFAULT_OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "temperature": 0.8,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.0,
        "typical_p": 1.0,
        "repeat_penalty": 1.0,
        "repeat_last_n": 64,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "num_keep": 4,
        "num_predict": -1,
        "num_ctx": 4096,
    }
)
"""What the server would do where the scenario is silent.

Source: ollama/ollama, docs/modelfile.mdx, "Valid Parameters and Values", of 2026
(`repeat_penalty` 1.0 is off; it was 1.1 in documents and code before); `typical_p`, the
two other penalties and `num_keep` from `DefaultOptions` in api/types.go. `num_ctx` has three
defaults in as many documents (2048, 4096, by the machine's memory): so it is always
sent, or two machines would run two experiments.
"""

LOAD_OPTIONS = (
    *("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap"),
    "draft_num_predict",
)
"""Options with which a model is loaded: a request with others has it loaded anew.

Source: ollama/ollama, `Runner` in api/types.go and `needsReload` in server/sched.go.
"""

KNOWN_OPTIONS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("temperature", "top_p", "min_p", "typical_p"), (int, float)),
        **dict.fromkeys(("repeat_penalty", "presence_penalty", "frequency_penalty"), (int, float)),
        **dict.fromkeys(("top_k", "repeat_last_n", "num_keep", "num_predict", "seed"), (int,)),
        **dict.fromkeys(LOAD_OPTIONS, (int,)),
        "use_mmap": (bool,),
        "stop": (str, tuple),
    }
)
"""Every option the server reads, with the types it takes. It ignores any other name
without a word, and refuses another type only when it is asked."""

_TYPES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def check_options(options: Mapping[str, Option]) -> None:
    """Refuse an option that the server would ignore, or would refuse in mid-run.

    Raises:
        BadOption: It has no such option, or not with such a value.

    Example:
        >>> check_options({"temperature": 1, "stop": ("END",)})
        >>> check_options({"num_predikt": 120})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        bots.minds.seam.BadOption: options.num_predikt: Ollama has no option 'num_predikt'; ...
    """
    for name, value in options.items():
        if name not in KNOWN_OPTIONS:
            near = nearest(name, KNOWN_OPTIONS)
            mend = f"did you mean '{near}'?" if near else "see docs/calls.md for those it has"
            raise BadOption(f"Ollama has no option '{name}'", option=name, mend=mend)
        wanted = KNOWN_OPTIONS[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            mend = f"give {_TYPES.get(wanted[-1], 'texts')}"
            raise BadOption(f"'{name}' cannot be {value!r}", option=name, mend=mend)


def spelled_out(request: Request) -> dict[str, Option]:
    """Give all options of a request: the server's defaults, the scenario's, and the seed.

    Returns:
        `stop` holds the scenario's own and the request's, in that order, and is there
        only if there is one: an empty list would take away those that the model has.

    Example:
        >>> from utils.protocol import AskSay
        >>> asked = Request("ada", "main", 1, 0, AskSay(max_chars=80), (), {"top_k": 1}, 7, 50)
        >>> options = spelled_out(asked)
        >>> options["top_k"], options["top_p"], options["seed"], "stop" in options
        (1, 0.9, 7, False)
    """
    options = {**DEFAULT_OPTIONS, **request.options, "seed": request.seed}
    own = options.pop("stop", ())
    own = own if isinstance(own, tuple) else (str(own),)
    stops = tuple(dict.fromkeys((*own, *request.stops)))
    return {**options, "stop": stops} if stops else options


def full_name(model: str) -> str:
    """Spell a model's name whole, as Ollama compares names: case does not count.

    Source:
        ollama/ollama, types/model/name.go, `ParseName` and `EqualFold`.

    Example:
        >>> full_name("Llama3.2")
        'registry.ollama.ai/library/llama3.2:latest'
        >>> full_name("ada/chat:1b"), full_name("hf.co/ada/chat")
        ('registry.ollama.ai/ada/chat:1b', 'hf.co/ada/chat:latest')
    """
    *path, last = model.lower().removeprefix("https://").removeprefix("http://").split("/")
    home = ["registry.ollama.ai", "library"]
    name, _, tag = last.partition(":")
    return f"{'/'.join([*home[: max(0, 2 - len(path))], *path, name])}:{tag or 'latest'}"
