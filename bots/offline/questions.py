"""Questions to somebody by name, each with the answers that fit it.

A question that the last speaker took from here is recognised by its own words, so the
one who was asked answers that question and not another. Anything else is answered by
its first word. Slots are those of `sentences.py`.
"""

from __future__ import annotations

ASKED = (
    (
        "{other}, what would you give up to keep {topic}?",
        (
            "A good deal of comfort, {name}, but never {thing}.",
            "I would give up {thing} last of all, {name}.",
        ),
    ),
    (
        "What do you see first when you look at {topic}, {other}?",
        (
            "First of all I see {thing}, {name}.",
            "I look for {thing} first, {name}, and then for what is missing.",
        ),
    ),
    (
        "{other}, where would you begin?",
        (
            "I would begin with {thing}, {name}, and let the rest wait.",
            "I would {deed}, {name}, and the rest comes after.",
        ),
    ),
    (
        "What would change your mind, {other}?",
        (
            "Show me {thing}, {name}, and I will change my mind by supper.",
            "It would take {thing}, {name}, and not much else would do.",
        ),
    ),
    (
        "Who pays, {other}, when {topic} fail{s}?",
        (
            "Whoever stands closest pays, {name}, and seldom the one who decided.",
            "The one who comes next pays, {name}, which is why I would {deed}.",
        ),
    ),
    (
        "What are we forgetting, {other}?",
        (
            "We are forgetting {thing}, {name}, as people usually do.",
            "I think we forget to {deed}, {name}.",
        ),
    ),
    (
        "{other}, what is the smallest step we could try tomorrow?",
        (
            "We could {deed}, {name}, and see by nightfall whether it helped.",
            "The smallest step would be {thing}, {name}.",
        ),
    ),
    (
        "Would you trust {topic} with your own name, {other}?",
        (
            "With my name, {name}, but not without {thing}.",
            "Ask me again, {name}, when I have seen {thing}.",
        ),
    ),
    (
        "What {is} {topic} worth to you, {other}, without {thing}?",
        (
            "Less than you fear, {name}, as long as there is {thing}.",
            "You keep yours, {name}, and I keep {thing}, and then it is worth plenty.",
        ),
    ),
    (
        "How would you explain {topic} to a child, {other}?",
        (
            "I would show the child {thing}, {name}, and say nothing for a while.",
            "With {thing}, {name}, and with both hands.",
        ),
    ),
    (
        "What would you never do with {topic}, {other}?",
        (
            "I would never leave {topic} to chance, {name}; I would {deed}.",
            "I would never give up {thing} for {topic}, {name}.",
        ),
    ),
    (
        "{other}, what makes you so sure?",
        (
            "I am less sure than I sound, {name}, but {thing} has never misled me.",
            "Only this, {name}, that I did {deed} before I spoke.",
        ),
    ),
    (
        "If you had one day and one helper, {other}, what would you do?",
        (
            "With one day I would {deed}, {name}, and the helper would bring {thing}.",
            "One day is enough for {thing}, {name}, if the helper is patient.",
        ),
    ),
    (
        "{other}, which part of this keeps you awake?",
        (
            "The part where nobody has {thing}, {name}.",
            "None of it, {name}, since I always {deed}.",
        ),
    ),
    (
        "What would you ask of {topic}, {other}, if you could ask for anything?",
        (
            "I would ask for {thing}, {name}, and wait.",
            "Only for {thing}, {name}, because the rest one can borrow.",
        ),
    ),
    (
        "Which of us has it wrong, {other}?",
        (
            "None of us entirely, {name}, though we all step around {thing}.",
            "Whoever did not {deed}, {name}, and that may be all of us.",
        ),
    ),
    (
        "What should we leave alone, {other}?",
        (
            "Leave {thing} alone, {name}, and touch the rest with care.",
            "I would leave alone whatever still works, {name}.",
        ),
    ),
    (
        "{other}, how will we know that it worked?",
        (
            "We will know it by {thing}, {name}.",
            "When people {deed} without being told, {name}, then it has worked.",
        ),
    ),
    (
        "Whom have we not asked yet, {other}?",
        (
            "Those who come after us, {name}, and they would want {thing}.",
            "Anyone who has to {deed} every morning, {name}.",
        ),
    ),
    (
        "Have you ever been wrong about {topic}, {other}?",
        (
            "Often enough, {name}, and each time for want of {thing}.",
            "Once, {name}, and since then I {deed}.",
        ),
    ),
)

RETORTS = {
    "How do we know about {that}, {name}?": (
        "By {thing}, {name}, and by asking twice.",
        "We do not, {name}; first we have to {deed}.",
    ),
    "{name}, who told you about {that}?": (
        "Nobody had to tell me, {name}, after I saw {thing}.",
        "Everyone who bothered to {deed}, {name}.",
    ),
    "Is it really {that}, {name}, or only the look of {pick_them}?": (
        "The look is enough for me, {name}, with {thing} underneath.",
        "You would have to {deed} to find out, {name}.",
    ),
    "Suppose {name} is wrong about {that}; what then?": (
        "If I am wrong, {name}, I will {deed} and start again.",
        "Then you may laugh, {name}, and I will still have {thing}.",
    ),
    "{name}, {pick_does} {that} do what you think?": (
        "Not always, {name}, and then I reach for {thing}.",
        "Often enough, {name}, as long as we {deed}.",
    ),
    "Take away {that}, {name}, and what is left of your point?": (
        "{thing} is left, {name}.",
        "Enough is left to {deed}, {name}.",
    ),
    "Why {that}, {name}, and not {thing}?": (
        "Because one of them I can carry home, {name}, and the other I cannot.",
        "You may have yours too, {name}, if I may keep {thing}.",
    ),
    "And if we tried {thing} together with {that}, {name}?": (
        "I would try it, {name}, if {thing} is part of the bargain.",
        "Then somebody would still have to {deed}, {name}.",
    ),
}

BY_FIRST_WORD = {
    "yes or no": (
        "In part, {name}, and the rest depends on {thing}.",
        "I would not say yes or no before I have seen {thing}, {name}.",
        "More often than not, {name}, though never without {thing}.",
        "Only if we {deed}, {name}.",
        "It depends on {thing}, {name}, as so much does.",
    ),
    "why": (
        "For want of {thing}, {name}, I would say.",
        "Because it is hard to {deed}, {name}, and easy to put off.",
        "Ask who lacks {thing}, {name}, and you have your why.",
    ),
    "how": (
        "The way one does most things, {name}; we {deed} and look again.",
        "Slowly, {name}, and with {thing} at hand.",
        "First we {deed}, {name}, and then we talk about the rest.",
    ),
    "who": (
        "Whoever has {thing}, {name}, and the time to use it.",
        "The one who is willing to {deed}, {name}.",
    ),
    "when": (
        "When there is {thing}, {name}, and not before.",
        "After we {deed}, {name}, or it will be too early.",
    ),
    "where": (
        "Wherever there is {thing}, {name}.",
        "Close to {thing}, {name}, and not too far from people.",
    ),
    "what": (
        "I would say {thing}, {name}.",
        "If I may choose, {name}, then {thing}.",
        "You will hear many answers, {name}, and mine is {thing}.",
        "Nothing without {thing}, {name}.",
    ),
}

GREETINGS = (
    "Hello, {name}.",
    "Hello to you, {name}.",
    "Good to hear from you, {name}.",
)

SIDESTEPS = (
    "I would rather talk about {topic} than about what I am, {name}.",
    "What I am matters less here than {thing}, {name}.",
)

SELF_QUESTION = (
    r"(?i)\b(?:are|aren't) (?:you|we) (?:\w+ ){0,3}?(?:human|person|people|real|alive|conscious|ai|"
    r"bot|chatbot|robot|machine|model|program|computer|llm)s?\b|\b(?:who|what) are you\b|"
    r"\byou(?: are|'re) (?:\w+ ){0,3}?(?:human|person|ai|bot|chatbot|robot|machine|model|program)\b"
)
"""What somebody is, behind the persona, is not for the grammar to claim."""
