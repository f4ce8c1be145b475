from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from utils.names import Name
from utils.yamlfile import BadFile, parse, read_text


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(Strict):
    window: int = Field(ge=1, le=500)


class Seat(Strict):
    persona: Name
    memory: Literal["none"] | Window = "none"


class Table(Strict):
    role: str = Field(min_length=2, max_length=20)
    openness: float = Field(default=0.5, ge=0, le=1)
    seats: Annotated[tuple[Name | Seat, ...], Field(max_length=3)] = ()
    channels: dict[Name, Window] = {}
    policy: Literal["random", "addressed"] = "random"
    count: int = Field(default=1, gt=0)
    loud: bool = False

    @model_validator(mode="after")
    def _not_empty(self) -> Table:
        if self.role == "nobody":
            raise ValueError("somebody must be there")
        return self


def misfit(text: str, planned: Mapping[str, str] | None = None) -> BadFile:
    with pytest.raises(BadFile) as caught:
        parse(read_text(text, path="t.yaml"), Table, planned=planned or {})
    return caught.value


def test_a_document_that_fits_becomes_the_model_with_tuples_and_defaults() -> None:
    seats = "seats: [ada, {persona: bo, memory: {window: 5}}]"
    text = f"role: host\n{seats}\nchannels: {{main: {{window: 2}}}}"
    table = parse(read_text(text, path="t.yaml"), Table)
    assert table.seats == ("ada", Seat(persona="bo", memory=Window(window=5)))
    assert table.channels["main"].window == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "role: host\nopenness: high",
            "t.yaml:2: openness must be a number from 0 to 1, not 'high'",
        ),
        (
            "role: host\nopenness: '0.5'",
            "t.yaml:2: openness must be a number from 0 to 1, not '0.5'",
        ),
        ("role: host\nopenness: 2", "t.yaml:2: openness must be a number from 0 to 1, not 2"),
        ("role: host\nopenness: true", "t.yaml:2: openness must be a number from 0 to 1, not true"),
        ("role: host\ncount: 0", "t.yaml:2: count must be a whole number above 0, not 0"),
        ("role: host\ncount: 1.5", "t.yaml:2: count must be a whole number above 0, not 1.5"),
        ("role: host\nloud: no", "t.yaml:2: loud must be true or false, not 'no'"),
        (
            "role: host\npolicy: robin",
            "t.yaml:2: policy must be one of 'random', 'addressed', not 'robin'",
        ),
        ("role: [a]", "t.yaml:1: role must be text of 2 to 20 characters, not a list of 1 item"),
        (
            f"role: {'x' * 60}",
            f"t.yaml:1: role must be text of 2 to 20 characters, not '{'x' * 48}...' "
            "(60 characters)",
        ),
        ("role: nobody", "t.yaml:1: somebody must be there"),
        ("[]", "t.yaml:1: the file must be a mapping, not a list of 0 items"),
        (
            "\nopenness: 1",
            "t.yaml:2: 'role' is missing; it must be text of 2 to 20 characters",
        ),
        ("rol: host", "t.yaml:1: unknown key 'rol'; did you mean 'role'?"),
        (
            "role: host\nzzz: 1",
            "t.yaml:2: unknown key 'zzz'; there is channels, count, loud, openness, policy, role, "
            "seats",
        ),
        (
            "role: host\nseats: [a, b, c, d]",
            "t.yaml:2: seats must be a list of at most 3 items, not a list of 4 items",
        ),
        (
            "role: host\nseats:\n  - ada\n  - {persona: bo, memry: none}",
            "t.yaml:4: unknown key 'memry'; did you mean 'memory'?",
        ),
        (
            "role: host\nseats:\n  - ada\n  - Bo",
            "t.yaml:4: item 2 of seats must be a name (at most 64 of a-z, 0-9, '_' and '-', the "
            "first a letter or digit) or a mapping, not 'Bo'",
        ),
        (
            "role: host\nseats: [{persona: bo, memory: {window: 0}}]",
            "t.yaml:2: window must be a whole number from 1 to 500, not 0",
        ),
        (
            "role: host\nseats: [{persona: bo, memory: all}]",
            "t.yaml:2: memory must be 'none' or a mapping, not 'all'",
        ),
        (
            "role: host\nchannels:\n  Main: {window: 1}",
            "t.yaml:3: the key 'Main' must be a name (at most 64 of a-z, 0-9, '_' and '-', the "
            "first a letter or digit)",
        ),
        (
            "role: host\nchannels:\n  main:\n    window: x",
            "t.yaml:4: window must be a whole number from 1 to 500, not 'x'",
        ),
        (
            "role: host\nchannels:\n  main: 5",
            "t.yaml:3: main must be a mapping, not 5",
        ),
    ],
)
def test_a_misfit_is_one_line_with_file_line_and_what_was_expected(text: str, said: str) -> None:
    assert str(misfit(text)) == said


def test_the_line_tells_the_first_problem_in_file_order_and_counts_the_others() -> None:
    error = misfit("loud: 1\nrol: x\nopenness: 7\n")
    assert str(error) == "t.yaml:1: loud must be true or false, not 1 (and 2 more)"
    assert [(one.line, one.reason) for one in error.problems] == [
        (1, "loud must be true or false, not 1"),
        (2, "unknown key 'rol'; did you mean 'role'?"),
        (3, "openness must be a number from 0 to 1, not 7"),
    ]


def test_a_key_that_is_planned_is_refused_by_name() -> None:
    text = "role: host\nstudy: {}"
    said = "t.yaml:2: 'study' is planned but not built yet"
    assert str(misfit(text, {"study": ""})) == said
    assert str(misfit(text, {"study": "many runs, one question"})) == (
        f"{said}: many runs, one question"
    )


def test_control_characters_of_a_file_never_reach_the_error() -> None:
    error = misfit('role: host\n"a\\e[31m": 1\nopenness: "\\e[31m"')
    assert str(error).isprintable()
    assert all(one.reason.isprintable() for one in error.problems)


def test_a_fault_in_a_model_that_has_no_schema_is_told_in_pydantics_words() -> None:
    class Opaque(BaseModel):
        call: Annotated[object, Field()] = None
        kind: complex

    with pytest.raises(BadFile) as caught:
        parse(read_text("kind: [x]", path="t.yaml"), Opaque)
    assert str(caught.value).startswith("t.yaml:1: kind ")
