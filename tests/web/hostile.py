"""Texts that want to run, on every field a stranger or a careless colleague can fill."""

from __future__ import annotations

import itertools

from msgspec.structs import replace

from brandmelder.model import Act, Label, Phrase, SourceId, Transition, Verdict
from brandmelder.pipeline.act import Wish, do
from brandmelder.store import incidents, mentions, notes
from pipeline.world import mention
from web.house import INCIDENT

_RUN = "window.hit=1"
_CORES = (
    "<script>{run}</script>",
    "<ScRiPt>{run}</sCrIpT>",
    "<img src=x onerror={run}>",
    "<img/src=x/onerror={run}>",
    "<svg onload={run}>",
    "<svg><animate onbegin={run} attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.{run}</script>'>",
    "<body onload={run}>",
    "<details open ontoggle={run}>",
    "<input autofocus onfocus={run}>",
    "<video><source onerror={run}>",
    "<math><mtext></table></math><img src onerror={run}>",
    "<a href='javascript:{run}'>x</a>",
    "<form action='javascript:{run}'><button>x",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=javascript:{run}'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example';*{{background:url(javascript:{run})}}</style>",
    "<template><script>{run}</script></template>",
    "<object data=javascript:{run}>",
    "<embed src=javascript:{run}>",
    "{{{{ ''.__class__.__mro__ }}}}{run}",
    "{{% print({run}) %}}",
    "${{{run}}}",
    "<%= {run} %>",
    "javascript:{run}//",
    "data:text/html,<script>{run}</script>",
    "\\u003cscript\\u003e{run}\\u003c/script\\u003e",
    "&lt;script&gt;{run}&lt;/script&gt;",
    "&#60;img src=x onerror={run}&#62;",
    "<noscript><p title='</noscript><img src=x onerror={run}>'>",
    "<xmp><img src=x onerror={run}></xmp>",
    "<!--><script>{run}</script>-->",
    "<![CDATA[<script>{run}</script>]]>",
    "<marquee onstart={run}>",
    "<select><option><iframe></select><img src=x onerror={run}>",
    "<button popovertarget=x onclick={run}>x</button>",
    "<p data-part=figure onclick={run}>",
    "<tr><td><script>{run}</script>",
    "<textarea></textarea><script>{run}</script>",
)
_BEFORE = ("", '"', "'", '">', "'>", "--></", "]]>", "</p>", "</title>", "</textarea>", "\x00", "\u202e", "`", "</svg>")
_AFTER = ("", " nordfunk", "\n", "\u2028", "<", "&", "\ufeff", "//", " x='")


def payloads(count):
    """Return so many different texts."""
    made = (
        before + core.format(run=_RUN) + after for before, after, core in itertools.product(_BEFORE, _AFTER, _CORES)
    )
    return list(itertools.islice(dict.fromkeys(made), count))


def hostile_evening(house, texts):
    """Put the texts into every field; returns how many mentions hold one."""
    house.database.run_now(_mentions, house, texts)
    house.database.run_now(_incident, texts)
    for text, act in zip(texts[40:], ("acknowledge", "hand_over", "snooze"), strict=False):
        wish = Wish(incident=INCIDENT, act=Act(act), by=text[:60], note=text)
        house.database.run_now(do, house.parts, wish, house.now)
    return len(texts)


def _mentions(connection, house, texts):
    first = 2_000_000
    found = [
        replace(
            mention(first + place, house.now, angry=True, source="mastodon"),
            text=text,
            context=text,
            url=("javascript:window.hit=1", f"https://x.example/{text}", text)[place % 3],
            author=text,
            source=SourceId("mastodon" if place % 2 else text[:20].replace("\x00", "") or "mastodon"),
        )
        for place, text in enumerate(texts)
    ]
    mentions.insert_mentions(connection, found, [one.external_id for one in found])
    known = mentions.newest(connection, None, house.now.replace(year=2000), len(found))
    verdict = Verdict(
        p_negative=0.9, p_neutral=0.05, p_positive=0.05, label=Label.NEGATIVE, unsure=False, language=texts[3],
        classifier="x", model_version="x", topics=(texts[5], texts[6]),
    )  # fmt: skip
    mentions.save_verdicts(connection, {ident: verdict for ident, one, _ in known if one.text in set(texts)})


def _incident(connection, texts):
    incident, evidence = incidents.find(connection, INCIDENT)
    changed = replace(
        evidence,
        phrases=tuple(Phrase(text=text, count=9) for text in texts[:4]),
        topics=tuple((text, 3) for text in texts[4:8]),
        sources=(*evidence.sources, *((SourceId(text), 1) for text in texts[8:12])),
    )
    step = Transition(
        incident=incident.id, revision=incident.revision + 1, at=incident.changed_at, act=Act.TURN,
        before=incident.state, after=incident.state, by=texts[12], note=texts[13],
    )  # fmt: skip
    incidents.save_incident(
        connection, replace(incident, revision=incident.revision + 1), changed, [step],
        expected_revision=incident.revision,
    )  # fmt: skip
    for text in texts[14:20]:
        notes.add(connection, notes.Note(incident=incident.id, at=incident.changed_at, by=text, text=text))
