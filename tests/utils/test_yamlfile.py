from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from utils.yamlfile import MAX_BYTES, BadFile, read, read_text, versioned

BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
)


def refused(text: str) -> str:
    with pytest.raises(BadFile) as caught:
        read_text(text, path="t.yaml")
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_every_key_and_item_knows_its_line() -> None:
    document = read_text("# tea\na: 1\nb:\n  - x\n  - {c: y}\n", path="t.yaml")
    assert document.data == {"a": 1, "b": ["x", {"c": "y"}]}
    assert list(document.lines.items()) == [
        ((), 2),
        (("a",), 2),
        (("b",), 3),
        (("b", 0), 4),
        (("b", 1), 5),
        (("b", 1, "c"), 5),
    ]
    assert document.where("b", 1, "nothing", "such") == "t.yaml:5"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("010", "010"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        ("=", "="),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("-7", -7),
        ("1e5", 1e5),
        ("-.5", -0.5),
        ("true", True),
        ("", None),
        ("~", None),
        ("'1'", "1"),
        ("9223372036854775807", 2**63 - 1),
        ("!!str 1", "1"),
    ],
)
def test_an_unquoted_value_is_what_it_looks_like(written: str, value: JsonValue) -> None:
    data = read_text(f"a: {written}", path="t.yaml").data
    assert data == {"a": value}
    assert isinstance(data, dict)
    assert type(data["a"]) is type(value)


def test_a_key_is_always_text() -> None:
    assert read_text("no: 1\n2: 2\n~: 3", path="t.yaml").data == {"no": 1, "2": 2, "~": 3}


def test_an_alias_stands_for_the_value_it_names() -> None:
    document = read_text("a: &x {b: 1}\nc: *x", path="t.yaml")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: b: c",
            "t.yaml:1: malformed YAML: expected one 'key: value' to a line; "
            "quote a value with ': '",
        ),
        ("a:\n\tb: 1", "t.yaml:2: malformed YAML: expected spaces, found a tab"),
        ("x: 1\na: [1, 2\n", "t.yaml:2: malformed YAML: expected ',' or the closing bracket"),
        ("x: 1\na: 'b\nc: 2\n", "t.yaml:2: malformed YAML: expected the closing quote"),
        ("a: 1\nb", "t.yaml:2: malformed YAML: expected 'key: value'"),
        (
            "a: 1\n- b",
            "t.yaml:2: malformed YAML: expected a key or an item, indented like those above",
        ),
        (
            "a: @b",
            "t.yaml:1: malformed YAML: expected text; quote what begins with '@', '`' or '%'",
        ),
        (
            "a: 1\n---\nb: 2",
            "t.yaml:2: malformed YAML: expected one document, found a second '---'",
        ),
        ("a: *b", "t.yaml:1: malformed YAML: found undefined alias 'b'"),
        ("a: 1\nb: 2\na: 3", "t.yaml:3: 'a' is there twice, first in line 1"),
        ("? [a]\n: 1", "t.yaml:1: a key must be text"),
        ("a: 1\nb: \x07", "t.yaml:2: expected printable text, found the character U+0007"),
        ('a: "\\ud800"', "t.yaml:1: an escape in the text is no character"),
        ('a: "\\UFFFFFFFF"', "t.yaml:1: an escape in the text is no character"),
        ("a: 1e999", "t.yaml:1: '1e999' cannot be used here"),
        ("a: 9223372036854775808", "t.yaml:1: '9223372036854775808' cannot be used here"),
        ("[" * 40, "t.yaml:1: nested more than 32 deep"),
    ],
)
def test_bad_yaml_is_one_line_with_file_line_and_what_was_expected(text: str, said: str) -> None:
    assert refused(text) == said


@pytest.mark.parametrize(
    "tag",
    ["!!python/object/apply:os.system", "!!python/name:os.system", "!!binary", "!!set", "!mine"],
)
def test_a_tag_is_refused_and_nothing_is_made_of_it(tag: str) -> None:
    wanted = f"t.yaml:2: the tag '{tag}' is not allowed; write the value plainly"
    assert refused(f"a: 1\nb: {tag} x") == wanted


@pytest.mark.parametrize("text", [BOMB, "&a [*a]", f"a: &a {'x' * 9999}\nb: [{'*a, ' * 200}]"])
def test_aliases_that_come_to_a_billion_laughs_are_refused(text: str) -> None:
    assert refused(text).endswith("the aliases ('*name') come to too much; write the values out")


@given(st.text(alphabet="ab: -[]{}&*!|>'\"\\\n\t#%@,?0.1eU~<=\x85\u2028é\ud800", max_size=40))
def test_any_text_is_data_or_one_line(text: str) -> None:
    said = "fine"
    try:
        read_text(text, path="t.yaml")
    except BadFile as error:
        said = str(error)
    assert said.isprintable()


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes("\ufeffa: é".encode())
    assert read(path).data == {"a": "é"}


def test_a_file_that_is_missing_vast_or_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    with pytest.raises(BadFile) as missing:
        read(path)
    assert str(missing.value) == f"{path}: cannot be read: No such file or directory"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(BadFile) as latin:
        read(path)
    assert str(latin.value) == f"{path}:2: expected UTF-8 text"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(BadFile) as vast:
        read(path)
    assert str(vast.value) == f"{path}: is over 256 kB"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.yaml:1: expected 'tea: 1' as the first key, found nothing"),
        ("- a", "t.yaml:1: expected 'tea: 1' as the first key, found a list of 1 item"),
        ("a: 1\ntea: 1", "t.yaml:1: expected 'tea: 1' as the first key, found 'a'"),
        ("#\ntea: 2", "t.yaml:2: tea must be 1, the version of the format, not 2"),
        ("tea: true", "t.yaml:1: tea must be 1, the version of the format, not true"),
        ("tea: '1'", "t.yaml:1: tea must be 1, the version of the format, not '1'"),
    ],
)
def test_a_file_must_begin_with_its_format_and_version(text: str, said: str) -> None:
    with pytest.raises(BadFile) as caught:
        versioned(read_text(text, path="t.yaml"), "tea", 1)
    assert str(caught.value) == said
