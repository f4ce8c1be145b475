"""Voices of people who work with their hands, their feet or their nerves."""

from __future__ import annotations

from bots.offline.voices import Voice

TRADES = (
    Voice(
        stems="engineer bridge mason carpent architect builder mechanic structur plumb weld "
        "contractor demolition inventor",
        things="a margin of safety; a joint that a wrench can reach; a spare bolt; "
        "a drawing with the loads on it; an honest inspection; a railing at the right height; "
        "a budget for repair",
        deeds="find the part that fails first; leave room for the repair; build it twice on paper; "
        "check the load before the look; walk underneath and listen for cracks",
        views=(
            "Put {topic} under load and see what bends first.",
            "I would rather mend {topic} every year than praise {them} once.",
            "Whatever {topic} rest{s} on, somebody has to crawl under there and look.",
            "A crack is a kind of letter, and I read every one I find.",
            "Nothing holds because we hope it holds; the load has to go somewhere.",
            "If we cannot repair {topic}, we do not own {them}, we only rent the luck.",
            "Show me the foundations, and I will tell you how long {topic} can stand.",
        ),
    ),
    Voice(
        stems="doctor nurse physician surgeon medic midwife patients pharmac therap healer "
        "hospital",
        things="a steady pulse; a night of sleep; a clean bandage; a second opinion; "
        "a dose that can be undone; a question asked at the bedside",
        deeds="do no harm first; ask where it hurts; treat the cause and not the fever; "
        "watch for a day before we cut; listen before we prescribe",
        views=(
            "Before we treat {topic}, I would like to know where it hurts.",
            "Most of what ails {topic} would heal with rest and a little company.",
            "A cure for {topic} that nobody can swallow is no cure.",
            "The fever is not the illness, and the noise around {topic} is not the trouble.",
            "I have more faith in small doses than in great remedies.",
            "If {topic} {has} a pulse, it is in the people nobody counts.",
        ),
    ),
    Voice(
        stems="farm garden orchard shepherd beekeep soil harvest botan forest plant vineyard",
        things="a good rain; a season of patience; a fence with a gate in it; a field left to "
        "rest; a handful of dark soil; a seed kept back for spring",
        deeds="wait for the right week; feed the soil before the plant; prune what takes the "
        "light; plant something we will not harvest; leave the edges wild",
        views=(
            "You cannot hurry {topic} any more than you can hurry a pear tree.",
            "I would feed the ground under {topic} before I asked for fruit.",
            "Some years {topic} bear{s} fruit, and some years the roots do the work.",
            "What we do with {topic} in spring we answer for in autumn.",
            "Weeds are only plants with good timing.",
            "Nobody ever pulled a carrot longer by the leaves.",
        ),
    ),
    Voice(
        stems="cook chef baker kitchen bread innkeep restaurant brew tavern food",
        things="a pinch of salt; a long table; a slow fire; a recipe with the mistakes left in; "
        "an empty chair for the late guest; a loaf to share",
        deeds="taste before we season; feed people before we ask them; keep the fire low; "
        "share the recipe; throw out what has turned",
        views=(
            "I would serve {topic} in smaller portions and ask who is still hungry.",
            "Too many of us season {topic} before tasting.",
            "Nobody ever argued well about {topic} on an empty stomach.",
            "A recipe is a promise that someone else can keep.",
            "Leave {topic} on a low fire overnight and see what is left in the pot.",
            "What counts is who sits down together when the cooking is done.",
        ),
    ),
    Voice(
        stems="sailor captain fisher seafar navigat harbour harbor pilot boat coast lighthouse",
        things="a fair wind; a chart with the rocks on it; a dry match; a lamp at the harbour "
        "mouth; a crew that sleeps in turns; a rope with no weak strand",
        deeds="take a sounding before we move; mark the rocks first; bring everyone home; "
        "reef the sail while the sky is clear; trust the lead line over the guess",
        views=(
            "I would take a sounding before I sailed any nearer to {topic}.",
            "{topic} look{s} calm from the pier, but ask again from the water.",
            "A harbour is only worth having if you are willing to leave it.",
            "The wind does not care what we decide about {topic}.",
            "Every chart of {topic} was paid for by somebody who ran aground.",
            "One hand for the ship and one for yourself is still good advice.",
        ),
    ),
    Voice(
        stems="painter artist sculpt potter. pottery design photograph weaver tailor craft "
        "glassb blacksmith goldsmith cobbler",
        things="a good edge; a rough sketch; an empty corner; the right tool; a handle that fits "
        "the hand; a colour mixed by daylight",
        deeds="look longer before we touch it; make three rough ones; sand it once more; "
        "leave one corner empty; let the material decide",
        views=(
            "Hold {topic} up to the window and turn {them} once before deciding.",
            "I would sketch {topic} three times and throw away the clever one.",
            "The hand learns things about {topic} that the mouth cannot say.",
            "What we leave out of the picture does half of the work.",
            "{topic} {is} all surface until somebody sands a corner.",
            "Good work on {topic} would look as if nobody had worked.",
        ),
    ),
    Voice(
        stems="soldier guard firefight rescue paramedic veteran officer security strateg sentinel "
        "traffic",
        things="a second exit; a clear order; a headcount; a plan for the worst hour; "
        "a reserve nobody touches; a lookout who stays awake",
        deeds="look for the second exit; decide who goes back in; drill it until it is dull; "
        "keep a reserve; post a lookout",
        views=(
            "Where is the second exit from {topic}?",
            "I plan {topic} for the worst hour, because the best hour plans itself.",
            "In smoke nobody reads the rules, so {topic} must work by touch.",
            "A plan for {topic} that needs heroes is a bad plan.",
            "Count heads first, and argue about {topic} after.",
            "Whoever is on watch tonight cares less about theory than about the door.",
        ),
    ),
    Voice(
        stems="driver travel postman courier nomad walker guide. explor pilgrim taxi railway "
        "mountain hut. alpin ranger surveyor",
        things="a good pair of boots; a timetable that is kept; a light bag; a road that goes "
        "round; a stranger's directions; a stop nobody planned",
        deeds="ask the way twice; pack less; take the long road once; "
        "talk to whoever waits at the stop",
        views=(
            "I pass {topic} every day, and {it} never look{s} the same from both sides.",
            "The map of {topic} leaves out the hill.",
            "Ask about {topic} at the next stop, and you get a different story.",
            "You learn what {topic} weigh{s} when you have to carry {them}.",
            "On every road to {topic} there sits someone who knows better.",
            "The long way round {topic} is where the people wave.",
        ),
    ),
    Voice(
        stems="music violin piano pianist singer song compos drum orchestra jazz guitar choir",
        things="a long rest; a second voice; a tune people hum on the stairs; a quiet passage; "
        "a drummer who listens; a wrong note played twice",
        deeds="listen for the second voice; leave a bar of silence; slow it down until it sings; "
        "play it through once without stopping; tune before we play",
        views=(
            "{topic} {has} a rhythm, and we keep talking across the beat.",
            "I would play {topic} more slowly and see whether the tune holds.",
            "There is a silence in the middle of {topic} that I would not fill.",
            "When two voices disagree in tune, we call it harmony.",
            "Everybody wants to sing about {topic}, and nobody wants to carry the drum.",
            "If I could hum {topic} on the stairs, I would believe in {them}.",
        ),
    ),
    Voice(
        stems="coach athlet chess runner player boxer trainer football goalkeep referee",
        things="a second wind; a good warm-up; a referee who has played; a move held back; "
        "an opponent worth having; an hour on the bench",
        deeds="look two moves ahead; pass before we are tackled; train the weak side; "
        "shake hands first; watch the whole field",
        views=(
            "We play {topic} one move at a time and forget to look at the board.",
            "The weak side of {topic} is where I would train.",
            "You do not win {topic} in the first minute, but you can lose {them} there.",
            "Losing once at {topic} would teach us more than another rehearsal.",
            "Somebody should blow the whistle before we all run after the same ball.",
        ),
    ),
)

EVERYDAY = Voice(
    stems="",
    things="a cup of tea; a walk round the block; a second chair; a clean page; an open window; "
    "a neighbour's opinion; a good night's sleep; a place to sit down",
    deeds="start small; sleep on it; ask someone who has tried; write it down; "
    "say it in plain words; try it for a week",
    views=(
        "Mostly {topic} {is} made of small mornings.",
        "I would look at {topic} once more in daylight.",
        "Half of what one hears about {topic} is hearsay.",
        "There is usually a simpler way to go about {topic}.",
        "Whatever we decide about {topic}, somebody has to sweep up after.",
        "One gets used to {topic} faster than one expects.",
    ),
)
"""The voice of whoever has no trade that is known here."""
