"""The page of one incident, and the list of all: what the alert says and more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from brandmelder.model import Act, Label, State
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import figures, figures_in, peak_in
from brandmelder.notify.picture import chart_of as alert_chart
from brandmelder.notify.replies import Speaker
from brandmelder.store import incidents
from brandmelder.web import course, fate, sayings
from brandmelder.web.charts import DESKTOP, PHONE, chart_of, drawn, rows
from brandmelder.web.names import RANGE_NAMES
from brandmelder.web.posts import Filter, choices, chosen
from brandmelder.web.render import page
from brandmelder.web.sheet import Sheet, read_sheet

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.model import Incident
    from brandmelder.notify.chart import Chart
    from brandmelder.notify.story import Story
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

BUTTONS = {
    State.OPEN: (Act.ACKNOWLEDGE, Act.SNOOZE, Act.DISMISS),
    State.ACKNOWLEDGED: (Act.HAND_OVER, Act.SNOOZE, Act.RESOLVE),
    State.RESOLVED: (Act.REOPEN,),
    State.DISMISSED: (Act.REOPEN,),
}
"""What is offered at once; what else is legal stands behind “…”."""
MORE = {State.ACKNOWLEDGED: (Act.DISMISS,), State.DISMISSED: (Act.UNDO,)}
PER_PAGE = 50


async def show(site: Site, request: Request, reader: Reader) -> Response:
    """Show an incident; whoever comes by a signed link alone sees its summary."""
    ident, query = request.path_params["ident"], request.query_params
    links = site.parts.links
    is_let_in = reader.role is not None or (
        links is not None and links.opens(ident, query.get("until", ""), query.get("sign", ""), reader.now)
    )
    if not is_let_in:
        return page(site, reader, "sign-in.html", status=401, next=request.url.path, has_accounts=True,
                    trouble=reader.say("This link is no longer valid. Sign in to see the incident.")
                    if "sign" in query else "", name="")  # fmt: skip
    sheet = await site.parts.database.look(
        read_sheet,
        site.parts,
        ident,
        bands=site.bands,
        now=reader.now,
        language=reader.language,
        zone=reader.zone,
        wish=query.get("range", ""),
        is_brief=reader.role is None,
    )
    if sheet is None:
        return page(site, reader, "error.html", status=404, code=404, path=request.url.path)
    if reader.role is None:
        link = f"{request.url.path}?{request.url.query}"
        return page(site, reader, "summary.html", link=link, **_head(site, reader, sheet))
    return page(site, reader, "incident.html", **_head(site, reader, sheet), **_more(site, request, reader, sheet))


def _head(site: Site, reader: Reader, sheet: Sheet) -> dict[str, Any]:
    """Return what everybody sees who may see the incident at all."""
    story, people = sheet.story, {str(ident): one.name for ident, one in site.parts.duty.people.items()}
    incident = story.incident
    chart = _chart(reader, sheet)
    return {
        "incident": incident,
        "story": story,
        "title": inert(story.context.title or story.context.brand, 60),
        "state": sayings.STATES[incident.state],
        "age": sayings.age(story, reader),
        "severity": sayings.severity(story, reader),
        "figure": sayings.figure(story, reader),
        "snoozed": reader.voice.moment(incident.snooze.until) if incident.snooze else "",
        "phone": drawn(chart, PHONE) if chart is not None else "",
        "desktop": drawn(chart, DESKTOP) if chart is not None else "",
        "rows": rows(sheet.bars, reader) if sheet.bars is not None else (),
        "width": reader.voice.duration(sheet.bars.frame.width) if sheet.bars is not None else "",
        "real": sayings.real(story, reader),
        "who": sayings.who(sheet, reader, people),
        "replies": sayings.replies(story, reader),
        "missing": sayings.missing(story, reader),
        "read_until": sayings.read_until(story, reader),
        "as_of": reader.clock,
    }


def _chart(reader: Reader, sheet: Sheet) -> Chart | None:
    story = sheet.story
    if sheet.bars is None:
        return alert_chart(story)  # a monitor that the configuration has no more
    told = alert_chart(story)
    alt = told.alt if told is not None else figures(story)
    return chart_of(sheet.bars, reader, alert=story.incident.opened_at, name=story.source, alt=alt)


class Shown(Struct, frozen=True, kw_only=True):
    """One post as the page shows it; its text and address are strangers'."""

    id: int
    source: str
    when: str
    reach: str
    text: str
    url: str
    language: str
    copies: int
    state: str
    note: str
    is_answered: bool
    topics: str
    label: Label
    is_corrected: bool


def _more(site: Site, request: Request, reader: Reader, sheet: Sheet) -> dict[str, Any]:
    """Return what those see beside who are signed in."""
    story = sheet.story
    wanted = Filter.of(request.query_params)
    found = chosen(sheet.posts, wanted)
    classes = {ident: place.source_class for ident, place in site.parts.places.items()}
    negatives = [post for post in sheet.posts if post.label is Label.NEGATIVE]
    cases = {case.id: case for case in story.context.cases}
    return {
        "about": sayings.about(story),
        "limits": sayings.limits(story),
        "timeline": course.timeline(sheet, reader),
        "skala": sayings.skala(story, reader),
        "skala_name": story.words.skala_names[max(story.evidence.community, 0)],
        "skala_level": story.evidence.community,
        "skala_inputs": sayings.skala_inputs(story),
        "similar": [cases[ident] for ident in story.evidence.similar if ident in cases],
        "case_facts": lambda case: sayings.case_facts(story, case),
        "posts": [_shown(post, story, reader, classes) for post in found[: wanted.most]],
        "posts_found": len(found),
        "posts_total": story.evidence.negatives or len(negatives),
        "filter": wanted,
        "choices": choices(sheet.posts, story, reader),
        "more_posts": wanted.query(most=wanted.most + PER_PAGE) if len(found) > wanted.most else "",
        "ranges": [(name, reader.say(shown), wanted.query(range=name)) for name, shown in RANGE_NAMES.items()],
        "range": sheet.range,
        "notes": sheet.notes,
        "buttons": BUTTONS.get(story.incident.state, ()),
        "more_acts": MORE.get(story.incident.state, ()),
        "primary": Act.ACKNOWLEDGE,
        "labels": story.words.buttons | {"undo": reader.say("Take back"), "snooze": reader.say("Mute 1 h")},
        "reasons": story.words.reasons,
        "people": sorted(inert(one.name, 40) for one in site.parts.duty.people.values()),
        "said": _said(request, reader, story.incident),
        "revision": story.incident.revision,
        "runbook": story.context.runbook_url,
        "statement": story.context.holding_statement,
        "rule": story.context.rule,
        "query": story.context.query,
    }


def _shown(post: Any, story: Story, reader: Reader, classes: dict[Any, Any]) -> Shown:
    state, note = fate.answer_of(post, story, reader)
    return Shown(
        id=post.id,
        source=story.source(post.mention.source),
        when=reader.voice.moment(post.mention.published_at),
        reach=fate.reach_of(post, story, reader, classes),
        text=post.mention.text,
        url=post.mention.url,
        language=post.verdict.language if post.verdict.language in {"de", "en"} else "",
        copies=post.copies,
        state=state,
        note=note,
        is_answered=post.answered_at is not None,
        topics=fate.topics_of(post, story),
        label=post.label,
        is_corrected=post.staff is not None,
    )


def _said(request: Request, reader: Reader, incident: Incident) -> str:
    """Say what came of an act: who was faster, or that it is done where the page does not show it at once."""
    came, act = request.query_params.get("came", ""), request.query_params.get("act", "")
    speaker = Speaker(language=reader.language, zone=reader.zone, now=reader.now)
    if act not in set(Act):
        return ""
    if came == "refused":
        return speaker.refused(incident, Act(act)).text
    answer = speaker.done(incident, Act(act), is_spoken=False) if came == "done" else None
    return answer.text if answer is not None else ""


# ----------------------------------------------------------------------- the list


class Line(Struct, frozen=True, kw_only=True):
    """One incident in the list."""

    id: str
    icon: str
    state: str
    title: str
    figures: str
    since: str
    who: str
    is_open: bool


async def all_of_them(site: Site, _request: Request, reader: Reader) -> Response:
    """List the incidents, running ones first, then the newest."""
    found = await site.parts.database.look(incidents.all_incidents, limit=200)
    lines = [_line(site, reader, incident) for incident, _ in found if incident.state is not State.DISCARDED]
    running = [line for line, (one, _) in zip(lines, _told(found), strict=True) if one.closed_at is None]
    running.sort(key=lambda line: not line.is_open)
    ended = [line for line, (one, _) in zip(lines, _told(found), strict=True) if one.closed_at is not None]
    return page(site, reader, "incidents.html", running=running, ended=ended)


def _told(found: list[Any]) -> list[Any]:
    return [pair for pair in found if pair[0].state is not State.DISCARDED]


def _line(site: Site, reader: Reader, incident: Incident) -> Line:
    watch, voice = site.parts.watches.get(incident.monitor), reader.voice
    icon, state = sayings.STATES[incident.state]
    sources = {ident: place.title for ident, place in site.parts.places.items()}
    if incident.closed_at is not None:
        time = voice.duration(incident.closed_at - incident.opened_at)
        said = reader.say("{peak}, lasted {time}", peak=peak_in(incident, voice, sources), time=time)
    else:
        said = figures_in(incident, voice, sources)
    by = incident.acknowledged_by or (incident.closed_by if incident.closed_by != sayings.ENGINE else None)
    nobody = reader.say("nobody yet") if incident.closed_at is None else ""
    return Line(
        id=incident.id,
        icon=icon,
        state=reader.say(state),
        title=inert(watch.title if watch else incident.monitor, 60),
        figures=said,
        since=voice.moment(incident.opened_at),
        who=inert(by, 40) if by else nobody,
        is_open=incident.state is State.OPEN,
    )
