"""Nouns found in running text, and the English that is needed to use them again.

No dictionary and no tagger: a word counts as a noun when it stands where English
puts nouns (behind an article, between a preposition and a comma), or when it is one
of a few hundred common ones. What is not sure is left alone, because a wrong noun
reads worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\w\s]")

FUNCTION_WORDS = frozenset(
    """a about above across after again against all almost along already also although always am
    among an and another any anybody anyone anything are around as at away back be because been
    before behind being below beside besides between beyond both but by can cannot could did do
    does doing done down during each either else enough even ever every everybody everyone
    everything except few for from further had has have having he hence her here hers herself
    him himself his how however i if in indeed instead into is it its itself just least less let
    like many may maybe me might mine more most much must my myself near neither never next no
    nobody none nor not nothing now of off often on once one only onto or other others our ours
    ourselves out over own perhaps quite rather same seldom several shall she should since so
    some somebody someone something somewhere soon still such than that the their theirs them
    themselves then there therefore these they this those though through throughout thus till to
    together too toward towards two three under underneath unless until up upon us very was we
    well were what whatever when whenever where wherever whether which while who whoever whole
    whom whose why will with within without would yes yet you your yours yourself""".split()
)
DETERMINERS = frozenset("a an the this that these those my your our his her its their no".split())
DETERMINERS |= frozenset("every each another some any".split())
PREPOSITIONS = frozenset(
    """about above across after against along among around at before behind below beside between
    beyond by for from in into like near of off on onto over through toward towards under upon
    with within without to""".split()
)
AUXILIARIES = frozenset("is are was were do does did can could should would will must may".split())
ADJECTIVES = frozenset(
    """good better best bad worse worst big small large little long short old new young free full
    empty own real true false right wrong sure clear hard easy high low great first last second
    third next later early late left whole half main ready able likely certain different kind
    same such open closed dark quiet loud slow fast possible impossible honest fair plain clever
    blank brass clean deep dry general grey red blue black white happy heavy human light modern
    narrow patient poor rich rough sharp shared spare steady straight strong weak wide wild wise
    cheap dear cold warm common modest rare safe strange sweet stone night""".split()
)
ADJECTIVE_ENDINGS = ("al", "ic", "ous", "ful", "less", "ive", "able", "ible", "ed", "ing", "ant")
NOT_NOUNS = ADJECTIVES | frozenset(
    """said says say make makes made take takes took taken give gives gave given get gets got go
    goes went gone come comes came know knows knew known think thinks thought see sees saw seen
    want wants need needs keep keeps kept hold holds held stand stands stood ask asks put puts
    tell tells told find finds found feel feels felt seem seems look looks use uses mean means
    begin begins began become becomes became bring brings brought write writes wrote written
    read reads speak speaks spoke talk talks fall falls fell build builds built pay pays paid
    hear hears heard leave leaves let lets lose loses lost grow grows grew live lives lived
    matter matters happen happens work works carry carries decide decides wait waits die dies
    break breaks broke turn turns start starts stop stops run runs ran call calls learn learns
    remember forget forgets please thanks thank hello today tomorrow yesterday tonight really
    probably exactly simply settle settles arrives balances binds cares costs cross depends fits
    hum hurry hurts longer nearer older younger smaller bigger higher lower overnight shy sleeps
    stays twice wild worth sooner round inside outside opposite act acts""".split()
)
SELF_NAMING = frozenset(["as", "am", "i'm"])
"""Before an article: "as a poet" names the speaker and not a topic."""
VAGUE = frozenset(
    """thing things part parts way ways kind kinds sort bit lot lots place time times day days year
    years week hour end rest side point case fact example moment matter one ones number step
    steps question questions answer answers idea word words reason middle beginning start same
    nothing everything half use mind sense while something anything deal chance somebody nobody
    who life conversation channel talk message sentence evening line lines others people person
    look turn course room table pair cup pinch top minute weeks night nights morning mornings
    afternoon occasion respect name names trade heart thread gap bargain helper supper aim home
    care summer winter month months hours minutes order sake""".split()
)
MASS = frozenset(
    """advice art attention bread care cash change coffee comfort courage damage democracy earth
    energy equality evidence faith fire food freedom friendship furniture gold grief happiness
    harmony health help history home honesty hope ice information justice kindness knowledge
    land language laughter law light love loyalty luck memory mercy money music nature news
    noise order pain paper patience peace poetry power pride progress proof rain respect rice
    risk safety salt sand science silence sleep smoke snow soil space speed steel stone sugar
    tea technology traffic trouble trust truth violence wealth weather wisdom wood work
    automation gossip gravity electricity housing water air privacy responsibility education
    ethics physics politics mathematics economics""".split()
)
COUNT = frozenset(
    """archive artist beam bell bird boat bolt book border box bridge budget building captain chair
    chart child church citizen city clock compromise contract council country crack crowd debt
    desk dog door dream engine error factory family farm fence field fire-brigade fish
    foundation friend future game garden gate ghost government guest habit harbour harvest heart
    hill hospital house joke judge key king kitchen ladder lamp law library load machine map
    market meeting mill mind mirror mistake mountain neighbour neighbor newspaper number
    orchestra owner park picture plan planet poem poet port price promise record recipe repair
    rescue river road robot roof rope rule rumour school sea season secret ship shop shore
    signal singer soldier song square stage star station storm story stranger street student
    system teacher test theatre tool tower town train tree tune valley village voice vote wall
    weed well wheel wind window winter witness""".split()
)
ALSO_VERBS = frozenset(
    """art attention care change cash comfort damage fire grief help home hope laughter light love
    noise order pain power progress rain respect risk salt sand sleep smoke snow sound speed
    stone traffic trouble trust water work gossip""".split()
)
PLURALS = frozenset("children people men women feet mice teeth data police folk".split())
SINGULAR_ENDINGS = ("ss", "us", "is", "news", "ics", "lens", "series", "gas")
VOWEL_SOUND = re.compile(r"(?i)(?:honest|hour|heir|honou?r|(?!uni|use|usu|eu|one\b|once\b)[aeiou])")


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun as it may be said again.

    Args:
        word: The noun alone, in lower case.
        number: "one" for what can be counted, "many" for a plural, "mass" for the rest.
        definite: Whether it came with "the" or an owner, so that it is known already.
        described: The noun with the adjectives it came with; the noun alone without any.
    """

    word: str
    number: str
    definite: bool = False
    described: str = ""

    @property
    def plural(self) -> bool:
        """Whether verbs after it stand in the plural."""
        return self.number == "many"

    def generic(self) -> str:
        """Name it as a subject of talk: "a town", "the mill", "bridges", "trust"."""
        phrase = self.described or self.word
        if self.definite:
            return f"the {phrase}"
        return with_article(phrase) if self.number == "one" else phrase

    def that(self) -> str:
        """Point back at it: "that town", "those bridges"."""
        return f"{'those' if self.plural else 'that'} {self.word}"

    def the(self) -> str:
        """Name it as known: "the town", but bare "trust"."""
        return self.word if self.number == "mass" else f"the {self.word}"


def with_article(phrase: str) -> str:
    """Put "a" or "an" before a phrase.

    Example:
        >>> [with_article(word) for word in ("hour", "town", "engineer", "university")]
        ['an hour', 'a town', 'an engineer', 'a university']
    """
    return f"{'an' if VOWEL_SOUND.match(phrase) else 'a'} {phrase}"


def nouns_in(text: str, *, names: Iterable[str] = (), loosely: bool = False) -> list[Noun]:
    """Find the nouns that are worth talking about, in their order, each once.

    Args:
        text: Running text from anybody; only its first 2,000 characters are read.
        names: Names of participants, which are never topics.
        loosely: Whether any plural will do, for a text that must have a topic.

    Example:
        >>> [noun.generic() for noun in nouns_in("What is a town for, if not its bridges?")]
        ['a town', 'the bridges']
        >>> [noun.generic() for noun in nouns_in("Should machines be trusted with justice?")]
        ['machines', 'justice']
    """
    banned = {part for name in names for part in name.casefold().split()} | VAGUE
    found: dict[str, Noun] = {}
    tokens = [token.replace("’", "'") for token in TOKEN.findall(text[:2000])]
    for index, token in enumerate(tokens):
        noun = _noun_at(tokens, index, loosely=loosely)
        if noun and noun.word not in banned and token.islower():
            found.setdefault(noun.word, noun)
    return list(found.values())


def _noun_at(tokens: list[str], index: int, *, loosely: bool) -> Noun | None:
    word = tokens[index].casefold()
    if not _may_be_noun(word):
        return None
    start = index
    while start and index - start < 3 and _describes(tokens[start - 1].casefold()):
        start -= 1
    before = tokens[start - 1].casefold() if start else ""
    following = tokens[index + 1].casefold() if index + 1 < len(tokens) else "."
    ends_phrase = not following[0].isalpha() or following in FUNCTION_WORDS
    if start > 1 and tokens[start - 2].casefold() in SELF_NAMING:
        return None
    known = word in COUNT or word in MASS or word in PLURALS or word.removesuffix("s") in COUNT
    if before in DETERMINERS and (ends_phrase or known):
        number = _number(word) if before not in {"a", "an", "every", "each"} else "one"
        described = " ".join([*tokens[start:index], word])
        definite = before not in {"a", "an", "no", "some", "any", "every", "each", "another"}
        return Noun(word, number, definite, described)
    if before in AUXILIARIES and start == 1 and (index == start or _number(word) == "many"):
        return Noun(word, _bare_number(word))
    bare = _number(word) == "many" or word in MASS
    if not bare or not ends_phrase or before in {"to", "who", "what", "which", "it"}:
        return None
    if loosely or before in PREPOSITIONS or (known and word not in ALSO_VERBS):
        return Noun(word, _number(word))
    return None


def _may_be_noun(word: str) -> bool:
    if (
        not 3 <= len(word) <= 24
        or not word.isalpha()
        or word in FUNCTION_WORDS
        or word in NOT_NOUNS
    ):
        return False
    if word in COUNT or word in MASS or word in PLURALS:
        return True
    return not word.endswith(("ly", "ing", "ed", "est", "ful", "ous", "ive", "able", "less"))


def _describes(word: str) -> bool:
    """Whether it can stand between an article and its noun."""
    if len(word) < 3 or not word.isalpha() or word in FUNCTION_WORDS:
        return False
    return word in ADJECTIVES or (word.endswith(ADJECTIVE_ENDINGS) and word not in COUNT)


def _number(word: str) -> str:
    if word in MASS:
        return "mass"
    if word in PLURALS:
        return "many"
    return "many" if word.endswith("s") and not word.endswith(SINGULAR_ENDINGS) else "one"


def _bare_number(word: str) -> str:
    number = _number(word)
    return "mass" if number == "one" else number
