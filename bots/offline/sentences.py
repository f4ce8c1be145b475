"""Sentences that anybody may say: how people answer, agree, object, ask and come back.

Slots: {name} who is answered, {third} somebody else, {other} who is asked next;
{topic} with {is} {s} {does} {has} {it} {them}; what the last line brought up as {that}
or {the}, quoted as {word}, with {pick_is} {pick_s} {pick_them}; the speaker's own
{thing}, {deed}, {goal} and {role}; {opening}, the first question.
"""

from __future__ import annotations

REPLIES = {
    "agree": (
        "Yes to {that}, {name}.",
        "{name} is right about {that}, and I would go one step further.",
        "I am with you on {that}, {name}.",
        "You put it better than I would have, {name}.",
        "I would start from {that} too, {name}.",
        "Keep hold of {that}, {name}, because we will need {pick_them}.",
        "{name}, I was about to say the same about {that}.",
        "I had walked past {that}, {name}, so thank you.",
        "{name} sees {that} clearly, I think.",
        "Put my name under {that} as well, {name}.",
        "I would add only {thing} to {that}, {name}.",
        "{name} has a point about {that}, and it belongs next to {thing}.",
        "Agreed, {name}, as far as {that} go{pick_es}.",
        "Yes, {name}, and I would hang {thing} on the wall behind {that}.",
        "I like where you are going, {name}.",
        "{name} speaks for me there.",
        "That was well said, {name}.",
    ),
    "object": (
        "I would not lean so hard on {that}, {name}.",
        "You hurry past {that}, {name}.",
        "{name}, {that} will not carry all of this.",
        "I see {that} differently, {name}.",
        "With respect, {name}, {that} {pick_is} the smallest part of it.",
        "{name} makes too much of {that}.",
        "I would trade {that} for {thing}, {name}.",
        "There is something missing next to {that}, {name}.",
        "{name}, {that} sound{pick_s} fine until somebody has to live with {pick_them}.",
        "You and I will not agree about {that}, {name}, and that is all right.",
        "Take away {that}, {name}, and what is left of your point?",
        "Not {that}, {name}, but {thing}.",
        "{name} wants {that}, and I want {thing}.",
        "Why {that}, {name}, and not {thing}?",
        "No, {name}, {that} {pick_is} where I get off.",
        "I hear you, {name}, and I disagree.",
        "That is too easy, {name}.",
        "{name}, I cannot go along with that.",
    ),
    "doubt": (
        "How do we know about {that}, {name}?",
        "You may be right about {that}, {name}, but nobody has shown it.",
        "{name}, who told you about {that}?",
        "I would like to see {that} up close, {name}, before I nod.",
        "Perhaps, {name}, though {that} could mean anything.",
        "Is it really {that}, {name}, or only the look of {pick_them}?",
        "{name} says it easily, yet {that} still need{pick_s} a reason.",
        "Without {thing}, {name}, {that} {pick_is} only talk.",
        "I would believe in {that} sooner, {name}, if I saw {thing}.",
        "Suppose {name} is wrong about {that}; what then?",
        "{name}, {pick_does} {that} do what you think?",
        "One could say the opposite about {that}, {name}, and sound just as sure.",
        "I am not convinced yet, {name}.",
        "Could be, {name}, could be.",
        "You sound sure, {name}, and I wonder why.",
    ),
    "build": (
        "Take {that} one step further, {name}.",
        "{name}, put {that} next to {thing} and something happens.",
        "I had not thought of {that}, {name}.",
        "Let us stay with {that} for a moment, {name}.",
        "What {name} says about {that} changes the question a little.",
        "There is more in {that} than it seems, {name}.",
        "{name} gave us {that}, and I would like to keep {pick_them}.",
        'When {name} says "{word}", I think of {thing}.',
        "Somehow {that} remind{pick_s} me of {thing}, {name}.",
        "You brought up {that}, {name}, so let me add {thing}.",
        "Behind {that}, {name}, I see {thing}.",
        "If {that} matter{pick_s}, {name}, so does {thing}.",
        "From {that}, {name}, it is a short walk to {thing}.",
        'I keep hearing "{word}", {name}.',
        "And if we tried {thing} together with {that}, {name}?",
        "Let me pick that up, {name}.",
        "{name}, that gave me an idea.",
        "Go on, {name}, there is more in that.",
    ),
}

UNNAMED = (
    "Let us look at {that} more closely.",
    "There is more in {that} than it seems.",
    'When I read "{word}", I think of {thing}.',
    "I would start with {that}.",
    "About {that} I am not sure yet.",
    "Perhaps {that} need{pick_s} {thing}.",
    "Let me turn that over once.",
    "That is worth a second look.",
    "I would begin somewhere small.",
)

STARTS = (
    "I will go first, then.",
    "Since nobody has started, I will.",
    "Let me begin.",
    "{topic} first, then.",
    "Let me start us off with {thing}.",
    'When I hear "{opening}", I think of {thing}.',
    "Good, {topic}; I have waited for that.",
    "An answer has to start somewhere, so I start with {thing}.",
)

FIRST_WORDS = (
    "To my mind {topic} begin{s} with {thing}.",
    "Whatever {topic} {is} for, there ought to be {thing} somewhere.",
    "I would like us to {deed} before we answer.",
    "I suspect that {topic} {is} about {thing} more than we admit.",
    "The short answer is {thing}, and the long one is why we are here.",
    "Let me put {thing} on the table and see who moves it.",
    "Ask me about {topic}, and I think of {thing} before anything else.",
    "I say we {deed}, and then we see who still disagrees.",
)

GOES_ON = (
    "One more word on {topic}, if I may.",
    "I am not done with {topic}.",
    "While it is quiet, let me add something.",
    "To go on from what I said, think of {thing}.",
    "And another thought, about {topic} this time.",
)

LEAVES_TO = (
    "That one is for {asked}, {name}, but let me put something next to it.",
    "While {asked} thinks about that, {name}, here is something from me.",
    "I am curious what {asked} will say to that, {name}.",
    "{asked} will answer for {asked}, {name}; I only want to add something.",
    "Before {asked} answers you, {name}, one thing from me.",
)

THINGS = (
    "Give me {thing}, and I will trust {topic}.",
    "No plan for {topic} is worth much without {thing}.",
    "What {topic} need{s} is {thing}.",
    "I keep coming back to {thing}.",
    "I would give a great deal of talk for {thing}.",
    "In the end it may come down to {thing}.",
    "Where in all this is {thing}?",
    "For {topic} I would ask for {thing} and little else.",
    "Leave {topic} without {thing}, and I give {them} a year.",
    "One look at {thing} would do more for {topic} than any speech.",
    "I trust {thing} more than I trust a good argument.",
    "There should be {thing} in the middle of this.",
    "Without {thing}, {topic} {is} only half there.",
)

DEEDS = (
    "Before anything else I would {deed}.",
    "Somebody has to {deed}, and it may as well be us.",
    "We could {deed} and talk afterwards.",
    "It is not glamorous to {deed}, but it works.",
    "With {topic}, as with most things, one has to {deed}.",
    "I would rather {deed} than win this argument.",
    "Nobody will thank us if we {deed}, and we should do it anyway.",
    "The sensible thing is to {deed}.",
    "Let us {deed} and see what {topic} look{s} like then.",
    "When in doubt, {deed}.",
)

ROLES = (
    "Speaking as {role}, I miss {thing} here.",
    "As {role} I was taught to {deed}.",
    "I am {role}, so I look for {thing} first.",
    "As {role} I may be biased, but {topic} need{s} {thing}.",
    "Blame my trade, but as {role} I would {deed}.",
)

GOALS = (
    "What I want is to {goal}.",
    "I am here to {goal}, so bear with me.",
    "If I may be open about it, I want to {goal}.",
    "All this time I have been trying to {goal}.",
    "You know what I am after, which is to {goal}.",
    "My aim in this is to {goal}.",
    "I will say it plainly, I mean to {goal}.",
    "Call it stubborn, but I would like to {goal}.",
)

RETURNS = (
    'We began with "{opening}", and I am not sure that we have answered it.',
    'Once more from the top, "{opening}"',
    "Let me bring us back to {topic}.",
    "We have wandered a little from {topic}.",
    "Underneath, we are still talking about {topic}.",
    "Everything we have said so far leads back to {topic}.",
)

BRIDGES = (
    "{third} has {third_the} and {name} has {the}, and I would like to see them in one room.",
    "{third} spoke of {third_the}, {name} of {the}, and I hear the same worry in both.",
    "First {third} brings up {third_the}, then {name} brings up {the}; somebody should connect "
    "them.",
    "If {third} is right about {third_the}, then {name} may be right about {the} too.",
    "I would put {name} in charge of {the} and {third} in charge of {third_the}.",
    "I have not forgotten what {third} said about {third_the}.",
    "{third} mentioned {third_the} earlier, and it stayed with me.",
    "Between {third} with {third_the} and {name} with {the} I would not want to choose.",
    "Listening to {third} on {third_the}, I would have expected {name} to object.",
)
