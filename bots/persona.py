"""Persona files and prompt files, read from library folders.

A library is a list of folders; what an earlier folder has hides what a later one has
under the same name. A file is called `<name>.yaml`, and begins with its format and
version: `persona: 1` or `prompt: 1`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from utils.names import check_name, shown
from utils.persona import NO_PERSONA, Persona, PromptTemplate
from utils.yamlfile import BadFile, Document, Problem, parse, read, versioned

M = TypeVar("M", bound=BaseModel)

VERSION = 1


def load_personas(folders: Iterable[Path]) -> dict[str, Persona]:
    """Read every persona of a library.

    Args:
        folders: Where to look; the first that has a name wins.

    Returns:
        The personas by name, sorted; always with `none`.

    Raises:
        BadFile: A folder cannot be read, or a file in it is no persona.
    """
    found = {path.stem: load_persona(path) for path in _files(folders)}
    return dict(sorted({**found, NO_PERSONA.name: NO_PERSONA}.items()))


def load_templates(folders: Iterable[Path]) -> dict[str, PromptTemplate]:
    """Read every prompt template of a library.

    Args:
        folders: Where to look; the first that has a name wins.

    Returns:
        The templates by name, sorted.

    Raises:
        BadFile: A folder cannot be read, or a file in it is no template.
    """
    return {path.stem: load_template(path) for path in _files(folders)}


def load_persona(path: Path) -> Persona:
    """Read one persona file. Raises BadFile."""
    return _model(read(path), path, Persona, "persona")


def load_template(path: Path) -> PromptTemplate:
    """Read one prompt file. Raises BadFile."""
    return _model(read(path), path, PromptTemplate, "prompt")


def check_file(path: Path) -> list[Problem]:
    """List all that is wrong in a persona file or a prompt file, in file order.

    Which of the two it is, its first key says; a persona, if that says neither.

    Args:
        path: The file.

    Returns:
        Problems, each with line and reason; none when the file is good.
    """
    try:
        document = read(path)
        if isinstance(document.data, dict) and next(iter(document.data), "") == "prompt":
            _model(document, path, PromptTemplate, "prompt")
        else:
            _model(document, path, Persona, "persona")
    except BadFile as error:
        return list(error.problems)
    return []


def _model(document: Document, path: Path, model: type[M], what: str) -> M:
    content = versioned(document, what, VERSION)
    wrong = _misnamed(content, path, what)
    try:
        value = parse(content, model)
    except BadFile as error:
        wrong.extend(error.problems)
    else:
        if not wrong:
            return value
    raise BadFile(*sorted(wrong, key=lambda problem: problem.line))


def _misnamed(document: Document, path: Path, what: str) -> list[Problem]:
    name = document.data.get("name") if isinstance(document.data, dict) else None
    if not isinstance(name, str):
        return []
    if name != path.stem:
        reason = f"name is {shown(name)}, but the file is called {shown(path.name)}"
        return [document.problem(("name",), f"{reason}; they must agree")]
    if what == "persona" and name == NO_PERSONA.name:
        return [document.problem(("name",), "'none' is built in; choose another name")]
    return []


def _files(folders: Iterable[Path]) -> list[Path]:
    """List a library's files, one for each name, sorted by name."""
    found: dict[str, Path] = {}
    for folder in folders:
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            raise BadFile(Problem(str(folder), 0, reason)) from None
        for path in paths:
            if path.suffix in {".yaml", ".yml"} and not path.name.startswith("."):
                found.setdefault(check_name(path.stem, "the file", str(folder)), path)
    for path in found.values():
        if path.suffix == ".yml":
            raise BadFile(Problem(str(path), 0, "must be called .yaml, not .yml"))
    return [path for _, path in sorted(found.items())]
