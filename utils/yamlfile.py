"""YAML files, read as plain data whose every key knows its line.

What is read is less than `yaml.safe_load` reads: no tags, no key twice, nothing vast.
Keys are always text, and unquoted values are told apart as YAML 1.2 does: true, false,
null and decimal numbers; `no`, `on`, `010`, `12:30` and dates are text as they stand.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import yaml
from pydantic import BaseModel, JsonValue, ValidationError

from utils.errors import BadInput
from utils.misfit import KeyPath, misfits
from utils.names import shown

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 262_144
MAX_EXPANDED_CHARS = 2 * MAX_BYTES
"""What a file may come to when every alias is written out."""
MAX_DEPTH = 32
MAX_INT = 2**63
NOTHING_PLANNED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file. `line` is from 1; 0 is the file as a whole."""

    path: str
    line: int
    reason: str

    @property
    def where(self) -> str:
        """File and line, as editors read them."""
        return f"{self.path}:{self.line}" if self.line else self.path


class BadFile(BadInput):
    """A file cannot be used. Its line tells the first problem; `problems` has all.

    Example:
        >>> str(BadFile(Problem("ada.yaml", 3, "'role' is missing"), Problem("ada.yaml", 4, "?")))
        "ada.yaml:3: 'role' is missing (and 1 more)"
    """

    def __init__(self, *problems: Problem) -> None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(problems[0].reason + more, where=problems[0].where)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """A file's plain data, and the line of every key and item in it, in file order."""

    path: str
    data: JsonValue
    lines: Mapping[KeyPath, int]

    def problem(self, at: KeyPath, reason: str) -> Problem:
        """Say that something is wrong at a key, or at the nearest thing around it."""
        known = next(at[:end] for end in range(len(at), -1, -1) if at[:end] in self.lines)
        return Problem(self.path, self.lines[known], reason)

    def where(self, *at: str | int) -> str:
        """Name file and line of a key, or of the nearest thing around it."""
        return self.problem(at, "").where


_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})\Z")
_FRACTION = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z")
_UNQUOTED = (
    (_TAG + "null", re.compile(r"(?:~|null|Null|NULL)?\Z")),
    (_TAG + "bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")),
    (_TAG + "int", _INTEGER),
    (_TAG + "float", _FRACTION),
)


class _Refused(yaml.MarkedYAMLError):
    """YAML, but more than plain data."""


class _Loader(yaml.SafeLoader):
    """Composes nodes, not too deep, and constructs nothing."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.yaml_implicit_resolvers = {None: list(_UNQUOTED)}
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if parent and self.depth > MAX_DEPTH:
            raise _refused(parent, f"nested more than {MAX_DEPTH} deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_EXPECTED = (  # what PyYAML says, whether the fault is where it began, what was expected
    ("mapping values are not", 0, "expected one 'key: value' to a line; quote a value with ': '"),
    ("found character '\\t'", 0, "expected spaces, found a tab"),
    ("cannot start any token", 0, "expected text; quote what begins with '@', '`' or '%'"),
    ("unexpected end of stream", 1, "expected the closing quote"),
    ("could not find expected ':'", 1, "expected 'key: value'"),
    ("expected ',' or", 1, "expected ',' or the closing bracket"),
    ("expected <block end>", 0, "expected a key or an item, indented like those above"),
    ("but found another document", 0, "expected one document, found a second '---'"),
)


def read(path: Path) -> Document:
    """Read a file of plain data.

    Raises:
        BadFile: It cannot be read, is over 256 kB, is not UTF-8, or is not plain YAML.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadFile(Problem(str(path), 0, f"cannot be read: {error.strerror}")) from None
    if len(raw) > MAX_BYTES:
        raise BadFile(Problem(str(path), 0, f"is over {MAX_BYTES // 1024} kB"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(Problem(str(path), line, "expected UTF-8 text")) from None
    return read_text(text, path=str(path))


def read_text(text: str, *, path: str) -> Document:
    r"""Read plain data from text.

    Args:
        text: One YAML document.
        path: What to call it in errors.

    Raises:
        BadFile: It is not plain YAML.

    Example:
        >>> document = read_text("name: ada\ngoals: [cross, rest]", path="ada.yaml")
        >>> document.data, document.where("goals", 1)
        ({'name': 'ada', 'goals': ['cross', 'rest']}, 'ada.yaml:2')
    """
    plain = _Plain()
    try:
        node = _Loader(text).get_single_node()
        data = plain.item(node, ()) if node else None
    except yaml.MarkedYAMLError as error:
        raise BadFile(_malformed(path, error)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        reason = f"expected printable text, found the character U+{error.character:04X}"
        raise BadFile(Problem(path, line, reason)) from None
    except (ValueError, OverflowError):  # PyYAML does not check the escape "\UFFFFFFFF"
        raise BadFile(Problem(path, 1, "an escape in the text is no character")) from None
    return Document(path, data, MappingProxyType(plain.lines))


def _malformed(path: str, error: yaml.MarkedYAMLError) -> Problem:
    mark, said = error.problem_mark or error.context_mark, error.problem or "?"
    if not isinstance(error, _Refused):
        for needle, from_start, expected in _EXPECTED:
            if needle in said:
                mark, said = error.context_mark if from_start else mark, expected
                break
        said = f"malformed YAML: {said}"
    return Problem(path, mark.line + 1 if mark else 1, said)


class _Plain:
    """Turns nodes into plain data, and notes the line of every key and item."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {(): 1}
        self.left = MAX_EXPANDED_CHARS

    def value(self, node: yaml.Node, at: KeyPath) -> JsonValue:
        self.left -= 1 + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
        if self.left < 0 or len(at) > MAX_DEPTH:
            raise _refused(node, "the aliases ('*name') come to too much; write the values out")
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return dict(self.entries(node, at))
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.item(one, (*at, index)) for index, one in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        raise _refused(node, _foreign(node))

    def item(self, node: yaml.Node, at: KeyPath) -> JsonValue:
        self.lines[at] = node.start_mark.line + 1
        return self.value(node, at)

    def entries(self, node: yaml.MappingNode, at: KeyPath) -> Iterator[tuple[str, JsonValue]]:
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused(key, "a key must be text")
            path = (*at, _text(key))
            if path in self.lines:
                first = self.lines[path]
                raise _refused(key, f"{shown(key.value)} is there twice, first in line {first}")
            self.lines[path] = key.start_mark.line + 1
            yield key.value, self.value(value, path)


def _scalar(node: yaml.ScalarNode) -> JsonValue:
    kind = node.tag.removeprefix(_TAG)
    if kind == "str":
        return _text(node)
    if kind == "null":
        return None
    if kind == "bool" and node.value.lower() in {"true", "false"}:
        return bool(node.value.lower() == "true")
    if kind == "int" and _INTEGER.match(node.value) and -MAX_INT <= int(node.value) < MAX_INT:
        return int(node.value)
    if kind == "float" and _FRACTION.match(node.value) and math.isfinite(float(node.value)):
        return float(node.value)
    if kind in {"bool", "int", "float"}:
        raise _refused(node, f"{shown(node.value)} cannot be used here")
    raise _refused(node, _foreign(node))


def _text(node: yaml.ScalarNode) -> str:
    text = str(node.value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _refused(node, "an escape in the text is no character")
    return text


def _foreign(node: yaml.Node) -> str:
    return f"the tag {shown(node.tag.replace(_TAG, '!!'))} is not allowed; write the value plainly"


def _refused(node: yaml.Node, problem: str) -> _Refused:
    return _Refused(problem=problem, problem_mark=node.start_mark)


def versioned(document: Document, key: str, version: int) -> Document:
    r"""Take off the key that must come first: what the file is, in which version.

    Raises:
        BadFile: The file is no mapping, or does not begin with the key and version.

    Example:
        >>> versioned(read_text("persona: 1\nname: ada", path="ada.yaml"), "persona", 1).data
        {'name': 'ada'}
    """
    data = document.data
    wanted = f"expected '{key}: {version}' as the first key"
    if not isinstance(data, dict) or not data:
        raise BadFile(document.problem((), f"{wanted}, found {shown(data)}"))
    first = next(iter(data))
    if first != key:
        raise BadFile(document.problem((first,), f"{wanted}, found {shown(first)}"))
    if data[key] is True or data[key] != version:
        reason = f"{key} must be {version}, the version of the format, not {shown(data[key])}"
        raise BadFile(document.problem((key,), reason))
    return replace(document, data={name: value for name, value in data.items() if name != key})


def parse(document: Document, model: type[M], *, planned: Mapping[str, str] = NOTHING_PLANNED) -> M:
    """Make a model of a document, every value in the type it was written in.

    Args:
        document: What was read.
        model: What it must be. Text is never taken for a number, nor the reverse.
        planned: Keys that are to come, and what they will do: refused by name.

    Raises:
        BadFile: It does not fit; the problems are in file order.
    """
    try:
        return model.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        order = {at: place for place, at in enumerate(document.lines)}
        found = misfits(document.data, model, error, planned)
        found.sort(key=lambda one: order.get(one.at, 0))
        raise BadFile(*(document.problem(one.at, one.reason) for one in found)) from None
