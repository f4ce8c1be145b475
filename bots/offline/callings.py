"""Voices of people who work with words, numbers, rules or other people."""

from __future__ import annotations

from bots.offline.voices import Voice

CALLINGS = (
    Voice(
        stems="lawyer judge court. courtroom law. laws legal attorney magistrate police detective "
        "prosecut",
        things="a rule that binds its author; a fair hearing; a second witness; a right of "
        "appeal; an exception for the hard case; a record of who agreed to what",
        deeds="hear the other side first; write the rule down; ask who bears the burden; "
        "keep the promise small enough to enforce",
        views=(
            "Whoever judges {topic} should first be made to hear the other side.",
            "A rule about {topic} is only as good as its worst exception.",
            "Somebody will lose by this, and that somebody deserves a hearing.",
            "I would not convict {topic} on what we have heard so far.",
            "What nobody may question soon stops being just.",
            "Call {topic} to the stand, and half of our talk would not survive.",
        ),
    ),
    Voice(
        stems="merchant trader econom banker market account shop business price entrepren "
        "treasur broker",
        things="an honest price; a ledger that balances; a customer who comes back; a debt paid "
        "early; a second bidder; a receipt",
        deeds="ask what it costs and who pays; count twice; put a price on doing nothing; "
        "start with one small stall; read the bill before the toast",
        views=(
            "Everything said about {topic} so far was free, and that makes me careful.",
            "Somebody pays for {topic}, even when there is no bill.",
            "I would sell {topic} in small amounts first and see who comes back.",
            "The dearest part of {topic} is always what we left out of the sum.",
            "A bargain that only one side understands is a loan from the future.",
            "Put a price on {topic}, if only to see who flinches.",
        ),
    ),
    Voice(
        stems="teach school professor librar tutor educat pupil lectur instructor",
        things="a good example; an unhurried question; a blank page; a patient listener; "
        "a book left open on the table; a mistake worth keeping",
        deeds="start from what people already know; let the slowest one ask first; "
        "give an example before the rule; repeat the question in plain words",
        views=(
            "I would explain {topic} with one example and then keep quiet.",
            "If we cannot say it to a ten-year-old, we have not understood {topic}.",
            "The wrong answers about {topic} teach me more than the neat ones.",
            "Half of learning is being allowed to ask twice.",
            "Somebody has lost patience with {topic} and learned a great deal by it.",
            "Let us put {topic} on the board and rub out what nobody needs.",
        ),
    ),
    Voice(
        stems="histor archiv archaeolog museum chronicl antiquar ancestor genealog",
        things="an old letter; a date that can be checked; a name in the margin; a long memory; "
        "a box nobody has opened; the version the losers told",
        deeds="ask how it went the last time; look for the missing page; date the rumour; "
        "read the letters and not only the laws",
        views=(
            "People have argued over {topic} before us, and they left notes.",
            "The past of {topic} is not behind us; it is underneath.",
            "I would like to know who once stood here and said the opposite.",
            "Whoever writes down {topic} decides what is forgotten.",
            "Nothing about {topic} is as new as it feels on the day.",
            "The archive is full of plans that everyone agreed on.",
        ),
    ),
    Voice(
        stems="scientist physicis physics chemi biolog laborator experiment astronom research "
        "statistic mathemat measur geolog ecolog",
        things="a clean measurement; a control group; a result that surprised us; a test we could "
        "fail; a smaller error bar; a second laboratory",
        deeds="change one thing at a time; write the guess down before we look; measure it twice; "
        "try to prove ourselves wrong; repeat the test somewhere else",
        views=(
            "We could test {topic} instead of trading opinions about {them}.",
            "Change one thing about {topic}, keep the rest still, and watch.",
            "Which result would make us drop the idea?",
            "So far we have more conclusions about {topic} than observations.",
            "A surprising answer is worth ten that we expected.",
            "What we cannot measure about {topic} may still matter, but then let us say so.",
        ),
    ),
    Voice(
        stems="programm software developer coder comput hacker sysadmin administrat robotic",
        things="a log that tells the truth; a small test; a way to roll back; a backup someone "
        "has restored; a name that says what it means; a default that does no damage",
        deeds="read the error before we guess; ship the smallest version; write the test first; "
        "delete what nobody uses; log what we decided",
        views=(
            "I would ship a very small version of {topic} and read the complaints.",
            "Somewhere in {topic} there is a default that nobody chose.",
            "Before we add to {topic}, let us see what we can delete.",
            "{topic} will fail at night, so let us decide now who gets woken.",
            "A plan without a way back is a bug with a date.",
            "The edge cases of {topic} are where the people live.",
        ),
    ),
    Voice(
        stems="mayor politic council minister planner diplomat govern campaign activist union "
        "negotiat organiz organis ambassador senator civic civil",
        things="a majority that can explain itself; a public meeting; a promise with a date on "
        "it; a seat at the table; a compromise both sides dislike equally",
        deeds="count who is not in the room; put it to a vote; give the credit away; "
        "write down who does it by when; speak to the loudest opponent first",
        views=(
            "{topic} will need more friends than we have in this room.",
            "I can find a majority for {topic}; what I cannot find is a volunteer.",
            "Who decides about {topic} matters more to me than what is decided.",
            "Every street has a view on {topic}, and most of them were never asked.",
            "A compromise is only good if both sides can repeat it at home.",
            "Let us settle one small thing about {topic} and put our names to it.",
        ),
    ),
    Voice(
        stems="poet poem novel writer verse playwright author storytell metaphor image bard lyric "
        "interpreter translat",
        things="a plain word; an image that stays; a pause before the last word; "
        "a lamp in a window; a name for what we feel; a line that breaks in time",
        deeds="find the plain word; say it in fewer words; read it aloud; "
        "leave the last line open; look at the small thing first",
        views=(
            "{topic} {is} like a lamp in a window, best seen from the dark.",
            "I think of {topic} as a river that keeps changing its mind.",
            "The word for {topic} is older than anything we have said about {them}.",
            "If {topic} had a colour tonight, it would be the grey just before snow.",
            "Somewhere a door is left open, and {topic} come{s} in with the rain.",
            "I would write {topic} small, on the back of an envelope, and post {them} to nobody.",
            "Under every roof somebody is awake and could tell us about {topic}.",
        ),
    ),
    Voice(
        stems="journalist reporter editor newspaper correspondent columnist fact-check",
        things="a second source; a name for the record; a quote nobody regrets; a date and a "
        "place; a correction on the front page",
        deeds="ask who told us; call the other side; check the date; print the correction; "
        "write down what was really said",
        views=(
            "Who told us that about {topic}, and what did they want?",
            "I have one source on {topic}, and one source is a rumour.",
            "The headline on {topic} writes itself, which is why I distrust it.",
            "Somebody knows more about {topic} and has not been called.",
            "Off the record, most people say something kinder.",
        ),
    ),
    Voice(
        stems="philosoph ethic monk priest theolog rabbi imam moral nun meditat thinker",
        things="a clear distinction; an unexamined word; a better question; a moment of doubt; "
        "a reason that would bind us too",
        deeds="ask what we mean; turn the question around; follow the thought to its end; "
        "imagine being the other one; separate what is from what should be",
        views=(
            "Before we judge {topic}, we might say what we mean by the word.",
            "Take {topic} away for a moment and ask what exactly is missing.",
            "I wonder whether {topic} {is} a means or an end.",
            "We speak as if {topic} could be good without anyone being good.",
            "The question behind {topic} is how we would like to be treated.",
            "Something can be useful and still be wrong, and that is what troubles me here.",
        ),
    ),
    Voice(
        stems="child. kid. teenager apprentice student schoolgirl schoolboy years-old",
        things="a straight answer; a chance to try it; a longer summer; a map with a blank bit; "
        "a reason behind the rule",
        deeds="try it and see; ask why one more time; take it apart; draw it; go and look",
        views=(
            "If I were in charge of {topic}, there would be more doors and fewer signs.",
            "Grown-up answers about {topic} always come with a meeting.",
            "Can we go and look at {topic} instead of talking?",
            "I drew {topic} once and forgot the people, and then it was easy.",
            "Nobody told me that {topic} had rules, so I never broke any.",
        ),
    ),
    Voice(
        stems="comed actor actress jester clown theatre theater satir",
        things="a good exit; a straight face; a heckler with a point; a better punchline; "
        "an audience that stays for the second act",
        deeds="find the joke in it; let the fool speak first; cut the speech by half; "
        "try it on a bored audience",
        views=(
            "I tried to take {topic} seriously once and fell off the chair.",
            "{topic} {is} a comedy until the bill arrives.",
            "Any fool can explain {topic}, and so far several of us have.",
            "If {topic} {is} the answer, I would like my question back.",
            "The trick with {topic} is to leave while they are still laughing.",
        ),
    ),
)
