"""Who takes the brand's side and who threatens: phrases too rare to be learnt, so they are written down.

Looked for in folded text (topic_words.py), German and English, all in one scan. A defence eases the tone it stands in;
a threat says nothing of the tone, it is the highest level of insult and a topic of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ahocorasick_rs import AhoCorasick, MatchKind
from msgspec.structs import replace

from brandmelder.classify.topic_words import pattern
from brandmelder.model import Label, Stance

if TYPE_CHECKING:
    from brandmelder.model import Verdict

THREAT: Final = "threat"
"""The topic of a mention that threatens somebody."""
THREATENED: Final = 0.95
"""The insult level of a threat."""
EASED: Final = 0.65
"""What a defence takes from log(P / (1 - P)) of negative: bench/judgement/defence.py fits it (decision 0039)."""
SPREAD: Final = 1.0
"""Standard deviation of EASED around 0 before any post was seen."""

_DEFENCE: Final = """
hört auf zu jammern, hört auf zu meckern, hört mal auf zu, hört doch auf, was habt ihr alle, was habt ihr denn,
kann die kritik nicht verstehen, verstehe die kritik nicht, verstehe die aufregung nicht, versteh die aufregung nicht,
verstehe den shitstorm nicht, verstehe den hate nicht, versteh den hass nicht, kann die aufregung nicht, regt euch ab,
jetzt mal halblang, lasst die kirche im dorf, können nichts dafür, können doch nichts dafür, kann doch nichts dafür,
kann ja nichts dafür, besser als ihr ruf, besser als sein ruf, großes lob, lob an, ein lob, muss ich in schutz nehmen,
in schutz nehmen, völlig zu unrecht, ganz zu unrecht, zu unrecht kritisiert, unfaire kritik, macht euch nicht verrückt,
bei mir läuft alles, bei uns läuft alles, bei mir alles super, kann mich nicht beschweren, ich bin sehr zufrieden,
bin seit jahren zufrieden, bin seit jahren zufriedener, seit jahren sehr zufrieden, lasst sie doch, lasst sie in ruhe,
doch mal in ruhe, fehler passieren, kann jedem passieren, kann doch mal passieren, isch doch nöd so schlimm,
cut them some slack, give them a break, cut you some slack, stop bashing, stop whining, stop complaining, stop moaning,
don t get the hate, don t understand the hate, do not get the hate, don t get the outrage,
don t understand the outrage, leave them alone,
not their fault, not the staff s fault, it s not their fault, can t blame them, in their defence, in their defense,
in all fairness, to be fair to, people are overreacting, you re all overreacting, unfair criticism, doing their best,
never had a problem with, never had any problems with, no complaints from me, can t fault them, credit where it s due
"""
_THREAT: Final = """
ich weiß wo ihr wohnt, ich weiß wo du wohnst, wissen wo ihr wohnt, zünde den laden an, zünde euch an, zünde euch die,
fackel euch ab, fackle euch ab, fackel den laden, anzünden sollte man euch, euch anzünden, brennen soll euer,
alle erschießen, gehört erschossen, gehören erschossen, erschießen sollte man, aufhängen sollte man, gehört aufgehängt,
gehören aufgehängt, euch umbringen, dich umbringen, mit dem baseballschläger, schlag dem chef, schlage dem chef,
schlag dich tot, schlag euch, schlage euch, hau dir eine rein, hau euch eine rein, euch auf die fresse,
dir auf die fresse, euch in die fresse, dir in die fresse, die fresse ein, die fresse polieren, mach dich kalt,
mach euch kalt, eine bombe legen, ich bring dich um, ich bringe dich um, bring euch um, wünsche euch den tod, verreckt,
verrecken sollt ihr, passt auf eure kinder auf, ihr werdet bluten, euch abstechen, dich abstechen,
i know where you live, we know where you live, burn your office, burn your house, burn down your, burn you alive,
should shoot the ceo, should shoot them, should shoot you, should be shot, will shoot you and, i ll shoot you, kill you,
kill them all, i ll kill the, beat you up, beat the shit out of, punch you in, punch your face, smash your face,
smash your head, bomb your, blow up your, watch your back, hope you die, hope you all die, should be hanged, slit your
"""


def _phrases(text: str) -> list[str]:
    return [pattern(phrase) for phrase in " ".join(text.split()).split(", ")]


_DEFENDING: Final = _phrases(_DEFENCE)
_SCAN: Final = AhoCorasick([*_DEFENDING, *_phrases(_THREAT)], matchkind=MatchKind.Standard)


def heeded(verdict: Verdict, folded: str) -> Verdict:
    """Return the verdict as a defence or a threat in the folded text makes it."""
    found = _SCAN.find_matches_as_indexes(folded, overlapping=True)
    if not found:
        return verdict
    if any(number >= len(_DEFENDING) for number, _, _ in found):
        topics = tuple(dict.fromkeys((*verdict.topics, THREAT)))
        return replace(verdict, insult=max(verdict.insult, THREATENED), topics=topics, stance=Stance.CRITIC)
    return defending(verdict)


def defending(verdict: Verdict) -> Verdict:
    """Return the verdict of somebody who seems to take the brand's side: milder, and no critic below one half.

    What is surely bad stays bad: there the phrase is mockery or quotation.
    """
    before = min(max(verdict.p_negative, 1e-6), 1 - 1e-6)
    after = round(1 / (1 + math.exp(-(math.log(before / (1 - before)) - EASED))), 6)
    neutral = min(round(verdict.p_neutral * (1 - after) / (1 - before), 6), round(1 - after, 6))
    positive = round(max(0.0, 1 - after - neutral), 6)
    label = Label.POSITIVE if positive >= neutral else Label.NEUTRAL
    return replace(
        verdict,
        p_negative=after,
        p_neutral=neutral,
        p_positive=positive,
        label=verdict.label if verdict.label is not Label.NEGATIVE or after >= 0.5 else label,
        stance=Stance.DEFENDER if after < 0.5 else verdict.stance,
    )
