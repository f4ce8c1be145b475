"""Read a chat request as a scene: who speaks, to whom, and what was said last.

The prompt is a template that users may change, so nothing here is required to be
there. What is missing stays empty, and the grammar does without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

LINES_READ = 120
"""How far back a scene reaches, in lines; a prompt may be much longer."""

SYSTEM_CHARS, LINE_CHARS, COMPANY_SIZE = 20_000, 4_000, 64
"""What is read of a system prompt, of a line and of a list of names."""

NAME = r"(?:[^\W\d_][\w'.-]{0,40}(?: [A-Z][\w'.-]{0,40})?|[a-z0-9][a-z0-9_-]{0,63})"
NOT_NAMES = frozenset(
    """a q ps note notes question answer task example system user assistant hint warning todo
    summary http https step input output context write reply remember""".split()
)
SPOKEN = re.compile(rf"(?:\[(?P<channel>[^\]\n]{{1,64}})\] )?(?P<name>{NAME}): ?(?P<text>.*)")
ANNOUNCED = re.compile(r"(?:\[[^\]\n]{1,64}\] )?\(announcement\) ?(?P<text>.*)")
OPENING = re.compile(r"(?:\[[^\]\n]{1,64}\] )?\(opening\) ?(?P<text>.*)")
ROLE = re.compile(r"^You are ([^.,\n]{1,80})(?:, ([^.\n]{1,200}))?", re.MULTILINE)
COMPANY = re.compile(
    r'(?:You are )?talking with ([^.\n]{1,2000}?)(?: in the channel "?([^".\n]+)"?)?[.\n]'
)
WRITER = re.compile(
    rf"^(?:Now )?[Ww]rite ({NAME})(?:'s|’s) (?:next )?(?:message|line|reply|turn)\b", re.MULTILINE
)
TRAITS = ("open", "conscientious", "extraver", "agreeable", "neurotic")
TRAIT = re.compile(rf"\b({'|'.join(TRAITS)})\w*[ :=]+([01](?:\.\d+)?)\b", re.IGNORECASE)
HEADED = re.compile(r"^(?:[-*] |(?:How you|What you|What others|Temperament)\b).*$", re.MULTILINE)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]+")
NOT_ROLES = re.compile(
    r"\b(?:assistant|AI|model|chat ?bot|bot|human|person|agent)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat request: its role and its text."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Persona:
    """Who speaks, as far as the system prompt tells."""

    name: str = ""
    role: str = ""
    character: str = ""
    style: str = ""
    goals: tuple[str, ...] = ()
    traits: tuple[tuple[str, float], ...] = ()

    def trait(self, name: str) -> float:
        """Return one of `TRAITS` in [0, 1], 0.5 when nothing was said."""
        return dict(self.traits).get(name, 0.5)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said. `speaker` is empty when nobody was named."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the grammar may use of a request."""

    persona: Persona = Persona()
    others: tuple[str, ...] = ()
    opening: str = ""
    lines: tuple[Line, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody in the room, the speaker included."""
        return tuple(name for name in (self.persona.name, *self.others) if name)


def read_scene(messages: Sequence[Message]) -> Scene:
    r"""Read the messages of a request.

    Args:
        messages: As they came: system first, then user and assistant turns.

    Returns:
        The scene. The closing instruction ("Write Ada's next message") is not in it.

    Example:
        >>> scene = read_scene(
        ...     (
        ...         Message("system", "You are Ada, an engineer. You are talking with Bo."),
        ...         Message("user", "(opening) Why?\nBo: Because.\n\nWrite Ada's next message."),
        ...     )
        ... )
        >>> scene.persona.name, scene.others, scene.opening, scene.lines
        ('Ada', ('Bo',), 'Why?', (Line(speaker='Bo', text='Because.'),))
    """
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    persona, others = read_system(system[:SYSTEM_CHARS])
    asked = [message.content for message in messages if message.role == "user"]
    if not persona.name and asked and (writer := WRITER.search(asked[-1])):
        persona = replace(persona, name=writer[1])
    opening, lines = "", list[Line]()
    for message in messages[-LINES_READ:]:
        if message.role == "assistant" and message.content.strip():
            own = re.sub(r"(?m)^\[[^\]\n]{1,64}\] ", "", message.content)
            lines.append(Line(persona.name or "(self)", one_line(own[:LINE_CHARS])))
        elif message.role == "user":
            found, said = _read_user(message.content, (persona.name, *others))
            opening, lines = opening or found, lines + said
    heard = [line.speaker for line in lines[-LINES_READ:]]
    others = _unique([*others, *heard], but=(persona.name, "(self)", ""))
    return Scene(persona, others, opening, tuple(lines[-LINES_READ:]))


def read_system(text: str) -> tuple[Persona, tuple[str, ...]]:
    """Read a system prompt: the persona, and the names of the company."""
    who = ROLE.search(text)
    name, role = (who[1].strip(), (who[2] or "").strip()) if who else ("", "")
    if re.match(r"(?:an?|the) ", name) or name.count(" ") > 2 or not re.fullmatch(NAME, name):
        name, role = "", name
    company = COMPANY.search(text)
    others = re.split(r", and |, | and ", company[1]) if company else []
    style = re.search(r"^How you speak: *(.+)$", text, re.MULTILINE)
    traits = tuple((found[1].lower(), min(1.0, float(found[2]))) for found in TRAIT.finditer(text))
    bare = re.sub(r"^[. ]+", "", ROLE.sub("", COMPANY.sub("", text)), flags=re.MULTILINE)
    return Persona(
        name,
        "" if NOT_ROLES.search(role) else one_line(role),
        one_line(HEADED.sub("", bare)),
        one_line(style[1]) if style else "",
        _read_goals(text),
        traits,
    ), _unique((one.strip() for one in others if re.fullmatch(NAME, one.strip())), but=(name,))


def _read_goals(text: str) -> tuple[str, ...]:
    listed = re.search(
        r"^.{0,80}\b(?:want|goal).{0,80}:[ \t]*\n((?:[-*] [^\n]*\n?)+)", text, re.MULTILINE
    )
    goals = re.findall(r"(?m)^[-*] (.+)$", listed[1]) if listed else []
    return tuple(one_line(goal).rstrip(".;!") for goal in goals[:8])


def _read_user(content: str, known: Sequence[str]) -> tuple[str, list[Line]]:
    opening, lines, loose = "", list[Line](), list[str]()
    into, raws = "loose", content.split("\n")
    for raw in (whole[:LINE_CHARS] for whole in (*raws[:20], *raws[20:][-4 * LINES_READ :])):
        spoken = _spoken(raw, known)
        if WRITER.match(raw):
            break
        if found := OPENING.match(raw):
            opening, into = one_line(found["text"]), "opening"
        elif spoken:
            lines.append(spoken)
            into = "line"
        elif raw.startswith("  ") and into == "line":
            lines[-1] = replace(lines[-1], text=one_line(f"{lines[-1].text} {raw}"[:LINE_CHARS]))
        elif raw.startswith("  ") and into == "opening":
            opening = one_line(f"{opening} {raw}"[:LINE_CHARS])
        else:
            into = "loose"
            loose.append(raw)
    if not lines and not opening and (text := one_line(" ".join(loose)[-LINE_CHARS:])):
        lines.append(Line("", text))
    return opening, lines


def _spoken(raw: str, known: Sequence[str]) -> Line | None:
    """Parse `Name: text`. A known name may hold what an unknown one may not."""
    if announced := ANNOUNCED.match(raw):
        return Line("", one_line(announced["text"]))
    for name in sorted(filter(None, known), key=len, reverse=True):
        head = re.match(rf"(?:\[[^\]\n]{{1,64}}\] )?{re.escape(name)}: ?(.*)", raw)
        if head:
            return Line(name, one_line(head[1]))
    spoken = SPOKEN.fullmatch(raw)
    if not spoken or spoken["name"].casefold() in NOT_NAMES:
        return None
    return Line(spoken["name"], one_line(spoken["text"]))


def one_line(text: str) -> str:
    """Make one line of any text: control characters and runs of space become a space."""
    return " ".join(CONTROL.sub(" ", text).split())


def _unique(names: Iterable[str], *, but: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name not in but))[:COMPANY_SIZE]
