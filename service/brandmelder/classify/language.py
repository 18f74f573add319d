"""Which language a text is in: German (with its dialects), English or undetermined; small words and letters decide."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

UNDETERMINED: Final = "und"
_WORDS = 120
_MEMORY = 50_000
_GERMAN, _ENGLISH, _OTHER, _LIKE_GERMAN, _LIKE_ENGLISH = 1, 2, 4, 8, 16

_SMALL_WORDS: Final[dict[int, str]] = {
    _GERMAN: """
        aber alle alles als am auch auf aus bei beim bin bis bist da damit dann das dass dein dem den denn der des die
        diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines einfach er es etwas euch
        euer eure eurem euren eurer fuer gar gegen geht gerade gestern gibt habe haben habt hallo hat hatte heute hier
        ich ihm ihn ihr ihre ihrem ihren ihrer im immer ist ja jede jeden jeder jemand jetzt kann kein keine keinen
        keiner koennen koennt leider mal man mehr mein meine meinem meinen meiner mich mir mit morgen muss nach nein
        nicht nichts nie niemand noch nun nur ob oder ohne schon sehr seid sein seine seit selbst sich sie sind so soll
        ueber um und uns unser unsere unter viel vom von vor war waren warum was weil welche welcher wenn wer werde
        werden wie wieder wieso wir wird wo wurde wurden zu zum zur zwei bitte danke endlich doof habs gibts wegen
        isch ned noed nid nuet nuet het haet hend haend haett gsi gaht goht chunnt chan wott wett bi sit kei keis kes
        oeppis oepper niemer niemert waenn mer dr uf vo gaeg nume eifach wuerkli scho au nomal dii mini miis vilmal
        musste mussten sollte sollten wollte wollen wollt sagt sagen macht machen gemacht kommt kommen gekommen neue
        neuen neuer neues lange jahr jahre jahren tag tage tagen woche wochen uhr euro herr frau irgendwo irgendwie
        irgendwas wirklich eigentlich gesehen bitteschoen seinen statt trotz laut beide beiden waere haette wuerde
        in will is nix davon dabei dazu daran ordnung
        des hob hod ham mia wos koa nimmer oiso bissl heit gehd jo moin dat wat ook
    """,
    _ENGLISH: """
        a about after again all am an and any are as at be because been before being but by can can't could did didn't
        do does doesn't doing don't down else even ever every everyone for from get gets getting give got had has have
        he her here hers him his how i i'm i've if in into is isn't it it's its just know like me more most my never no
        nobody not nothing now of off on one only or our out over own please really same she should since so some still
        such than that that's the their them then there these they this those through to too two under until up us very
        was wasn't we were what when where which while who why will with won't would wouldn't yes yet you you're your
        anyone anything been everything hello keeps kept makes thank thanks they're week year years you've
    """,
    _OTHER: """
        le la les une et est dans pour pas que qui avec sur cette nous vous je il elle mais aux du tres etre sont c'est
        n'est j'ai ne ce ces votre notre lo gli che non per una di della sono questo anche come piu el los las y por
        para con del esta pero muy su mi es lo het een van niet voor zijn ik je op te aan maar naar wordt hebben er nog
        geen dit deze ben nie jest sie na to ze jak do tak ale czy bir bu icin cok ne degil ile ama och det som jag inte
        pa av den er ikke og nao uma com os um mais isso foi se no da em
    """,
}
_FOREIGN: Final = frozenset(
    """tout tous suis avez fait plus leur merci bonjour toujours depuis encore jamais rien personne vos todo todos pero
    porque cuando donde gracias hola nunca nada tengo tiene hay siempre servicio estoy hanno perche quando grazie ciao
    mai niente sempre dopo tutto tutti questa servizio avete deze jullie heb heeft waarom altijd nooit niks goed slecht
    bedankt mijn onze veel weer jest dla przez bardzo dlaczego dziekuje zawsze nigdy moje wasza juz tylko jestem czy
    icin neden tesekkurler hic yok var benim kadar daha sonra oldu hizmet obrigado voce tem muito ainda meu minha inte
    mycket varfor tack aldrig alltid hade fran hvorfor tak aldri mig yang tidak ini itu saya kamu untuk dengan sudah aku
    gak banget este pentru foarte sunt jsem proc dekuji neni bylo egy hogy van koszonom miksi kiitos olen
    """.split()  # noqa: SIM905
)
"""Words of languages that nobody judges here, beyond the small ones above: they decide only where those do not."""
_LETTERS = (
    (
        _LIKE_GERMAN,
        re.compile(
            r"[^\W\d_]*(?:sch|tz|pf[^f]|cht|zw|aeu|ue[cbdfhmnrst]|oe[cdfhlnrst]|ae[cdhlmnrstu])[^\W\d_]*"
            r"|[^\W\d_]*(?:ung|ungen|keit|heit|lich\w*|isch\w*|nnt|ieren|iert|stelle|burg|haus|rt|lt|nd|ft)"
            r"|ge\w+t|(?:ver|ent|zer|auf|aus|ein|vor|ab)\w{4,}|\w{14,}"
        ),
    ),
    (
        _LIKE_ENGLISH,
        re.compile(
            r"[^\W\d_]*(?:th|wh|oo|ea[^u]|ow|igh|ou[lgst]|sh|ay)[^\W\d_]*"
            r"|[^\W\d_]*(?:ing|tion|ness|ful|ment|ack|y|ed|nd|rt|'s)"
        ),
    ),
)


class _Votes(dict[str, int]):
    """What each word says, as a sum of the flags above; words once seen are remembered, up to 50,000."""

    def __init__(self) -> None:
        super().__init__()
        for flag, words in _SMALL_WORDS.items():
            for word in words.split():
                self[word] = self.get(word, 0) | flag

    def __missing__(self, word: str) -> int:
        if not 4 <= len(word) <= 40:
            return 0
        vote = sum(flag for flag, letters in _LETTERS if letters.fullmatch(word))
        if len(self) < _MEMORY:
            self[word] = vote
        return vote


_VOTES = _Votes()
_ADDRESS = re.compile(r"(?:https?://|www\.|@)\S+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def identify(text: str) -> str:
    """Return `de`, `en`, or `und`; Swiss German and the other dialects are `de`."""
    return identify_words(_words(text))


def is_foreign(text: str) -> bool:
    """Say whether a text that `identify` leaves undetermined speaks another language or is in no Latin letters."""
    words = _words(text)
    german, english, other = _count(words)
    other += sum(word in _FOREIGN for word in words)
    letters = "".join(words)
    latin = sum(letter < "\u0250" or "\u1e00" <= letter < "\u1f00" for letter in letters)
    return other >= max(0.8, german, english) or 2 * latin < len(letters)


def _words(text: str) -> list[str]:
    folded = text[:1_000].lower().replace("ß", "ss").replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return _WORD.findall(_ADDRESS.sub(" ", folded))


def _count(words: Iterable[str]) -> tuple[float, float, float]:
    """Return the votes for German, English and any other language."""
    german = english = other = 0.0
    for vote, count in Counter(map(_VOTES.__getitem__, islice(words, _WORDS))).items():
        german += count * (bool(vote & _GERMAN) + 0.4 * bool(vote & _LIKE_GERMAN))
        english += count * (bool(vote & _ENGLISH) + 0.4 * bool(vote & _LIKE_ENGLISH))
        other += count * bool(vote & _OTHER)
    return german, english, other


def identify_words(words: Iterable[str]) -> str:
    """Return the language of words in lower case, with ä, ö, ü, ß written as ae, oe, ue, ss.

    A small word counts one vote for each language that has it, typical letters two fifths of one; the first 120 words
    vote. It takes 0.8 votes, and a third more than any other language has.
    """
    german, english, other = _count(words)
    if german >= max(0.8, 4 / 3 * english, 4 / 3 * other):
        return "de"
    if english >= max(0.8, 4 / 3 * german, 4 / 3 * other):
        return "en"
    return UNDETERMINED
