"""Options of models and personas, looked at when the scenario is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley.resolve import resolve_file
from utils.errors import BadInput
from utils.spec import GuardsSpec, PersonaGuard, RepetitionGuard

HEAD = "parley: 1\nbots: [{name: ada, model: a}, {name: bo, model: b}]\n"
PERSONA = "persona: 1\nname: ada\nmind: {%s}\n"


def refused(folder: Path, text: str, **personas: str) -> str:
    path = folder / "tea.yaml"
    path.write_text(text)
    (folder / "personas").mkdir()
    for name, persona in personas.items():
        (folder / "personas" / f"{name}.yaml").write_text(persona)
    with pytest.raises(BadInput) as caught:
        resolve_file(path)
    return str(caught.value).removeprefix(f"{folder}/")


def test_a_misspelt_option_is_refused_with_its_line(tmp_path: Path) -> None:
    text = HEAD + "models:\n  a: {model: x}\n  b:\n    model: x\n    options: {num_predikt: 9}\n"
    told = "Ollama has no option 'num_predikt'; did you mean 'num_predict'?"
    assert refused(tmp_path, text) == f"tea.yaml:7: {told}"


@pytest.mark.parametrize("other", ["options: {num_ctx: 2048}", "shift: true"])
def test_one_model_has_one_set_of_load_time_options_in_a_run(tmp_path: Path, other: str) -> None:
    text = HEAD + f"models:\n  a: {{model: x}}\n  b: {{model: x, {other}}}\n"
    assert refused(tmp_path, text).startswith(
        "tea.yaml:5: 'a' and 'b' have 'x' loaded with different options"
    )


def test_other_options_may_differ_and_other_models_may_be_loaded_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "tea.yaml"
    path.write_text(
        HEAD
        + "models:\n  a: {model: x, options: {temperature: 0}}\n"
        + "  b: {model: x, options: {temperature: 1}, truncate: true}\n"
        + "  c: {model: y, options: {num_ctx: 2048}}\n"
    )
    assert len(resolve_file(path).models) == 3


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("num_ctx: 2048", "sets 'num_ctx', which loads the model anew"),
        ("num_predikt: 9", "has no option 'num_predikt'; did you mean 'num_predict'?"),
        ("seed: 7", "sets a seed: a call's is drawn from the run's"),
    ],
)
def test_a_personas_options_are_looked_at_too(tmp_path: Path, option: str, told: str) -> None:
    text = "parley: 1\nbots: [ada]\n"
    line = refused(tmp_path, text, ada=PERSONA % option)
    assert line.startswith("tea.yaml:2: the persona of 'ada'")
    assert told in line


def test_guards_are_off_unless_named(tmp_path: Path) -> None:
    path = tmp_path / "tea.yaml"
    path.write_text("parley: 1\nbots: [{name: ada}]\n")
    assert resolve_file(path).guards == GuardsSpec()
    path.write_text(
        "parley: 1\nbots: [{name: ada}]\n"
        "guards: {empty: true, persona: true, repetition: {share: 0.8, of: own}}\n"
    )
    assert resolve_file(path).guards == GuardsSpec(
        empty=True, persona=PersonaGuard(), repetition=RepetitionGuard(share=0.8, of="own")
    )


@pytest.mark.parametrize("guards", ["{repetition: {}}", "{repetition: {share: 2}}", "{mood: true}"])
def test_a_guard_that_is_none_is_refused(tmp_path: Path, guards: str) -> None:
    text = f"parley: 1\nbots: [{{name: ada}}]\nguards: {guards}\n"
    assert refused(tmp_path, text).startswith("tea.yaml:3: ")
