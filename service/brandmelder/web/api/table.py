"""Every operation of the API: gate, reader, schema and tests go by this table."""

from __future__ import annotations

from typing import Final

from brandmelder.model import Scope
from brandmelder.pipeline.take_in import Taken
from brandmelder.web.api import incidents, labels, mentions, monitors, silences, sources, webhooks
from brandmelder.web.api.operation import Operation

_INCIDENT: Final = {"id": incidents.Ident}
_MONITOR: Final = {"id": monitors.Ident}

OPERATIONS: Final = (
    Operation(
        method="POST", path="/mentions", name="createMentions", scope=Scope.MENTIONS_WRITE,
        says="Bring a batch of mentions; they stand in the database once this is answered.",
        handler=mentions.create, body=mentions.NewMentions, answers=Taken, status=201,
        headers=("idempotency-key",), refusals=(200, 404, 409),
    ),
    Operation(
        method="GET", path="/mentions", name="listMentions", scope=Scope.MENTIONS_READ,
        says="List a monitor's mentions, newest first.",
        handler=mentions.list_, query=mentions.ListQuery, answers=mentions.MentionPage, refusals=(404,),
    ),
    Operation(
        method="GET", path="/incidents", name="listIncidents", scope=Scope.INCIDENTS_READ,
        says="List incidents, newest first.",
        handler=incidents.list_, query=incidents.ListQuery, answers=incidents.IncidentPage, refusals=(404,),
    ),
    Operation(
        method="GET", path="/incidents/{id}", name="readIncident", scope=Scope.INCIDENTS_READ,
        says="Show one incident with what stands behind it.",
        handler=incidents.read, answers=incidents.IncidentWhole, path_types=_INCIDENT,
        headers=("if-none-match",), refusals=(304, 404),
    ),
    Operation(
        method="GET", path="/incidents/{id}/timeline", name="readTimeline", scope=Scope.INCIDENTS_READ,
        says="Show every change of an incident.",
        handler=incidents.timeline, answers=incidents.Timeline, path_types=_INCIDENT, refusals=(404,),
    ),
    Operation(
        method="POST", path="/incidents/{id}/acts", name="act", scope=Scope.INCIDENTS_ACT,
        says="Acknowledge, hand over, snooze, dismiss, undo, resolve or reopen.",
        handler=incidents.act, body=incidents.Asked, answers=incidents.IncidentWhole, path_types=_INCIDENT,
        headers=("if-match",), refusals=(404, 409, 412),
    ),
    Operation(
        method="GET", path="/monitors", name="listMonitors", scope=Scope.MONITORS_READ,
        says="List monitors.", handler=monitors.list_, answers=monitors.MonitorList,
    ),
    Operation(
        method="GET", path="/monitors/{id}", name="readMonitor", scope=Scope.MONITORS_READ,
        says="Show one monitor.", handler=monitors.read, answers=monitors.MonitorShown,
        path_types=_MONITOR, refusals=(404,),
    ),
    Operation(
        method="GET", path="/monitors/{id}/series", name="readSeries", scope=Scope.MONITORS_READ,
        says="Show a monitor's bins, with what is usual and how much could be seen.",
        handler=monitors.read_series, query=monitors.SeriesQuery, answers=monitors.Series,
        path_types=_MONITOR, refusals=(404,),
    ),
    Operation(
        method="GET", path="/silences", name="listSilences", scope=Scope.SILENCES_READ,
        says="List the silences that hold.",
        handler=silences.list_, query=silences.ListQuery, answers=silences.SilenceList,
    ),
    Operation(
        method="POST", path="/silences", name="createSilence", scope=Scope.SILENCES_WRITE,
        says="Keep people from being told for a while.",
        handler=silences.create, body=silences.NewSilence, answers=silences.SilenceShown, status=201,
        headers=("idempotency-key",), refusals=(200, 404, 409),
    ),
    Operation(
        method="POST", path="/silences/{id}/expire", name="expireSilence", scope=Scope.SILENCES_WRITE,
        says="End a silence now.", handler=silences.expire, answers=silences.SilenceShown,
        path_types={"id": silences.Number}, refusals=(404, 409),
    ),
    Operation(
        method="POST", path="/labels", name="createLabels", scope=Scope.LABELS_WRITE,
        says="Say what mentions say of the brand; the judge learns from it.",
        handler=labels.create, body=labels.NewLabels, answers=labels.Learnt, status=201, refusals=(404,),
    ),
    Operation(
        method="DELETE", path="/labels/{mention}", name="removeLabel", scope=Scope.LABELS_WRITE,
        says="Take the label of a mention back.", handler=labels.remove, answers=labels.Learnt,
        path_types={"mention": silences.Number}, refusals=(404,),
    ),
    Operation(
        method="GET", path="/sources", name="listSources", scope=Scope.SOURCES_READ,
        says="Show how the sources are.", handler=sources.list_, answers=sources.SourceList,
    ),
    Operation(
        method="GET", path="/webhooks", name="listWebhooks", scope=Scope.WEBHOOKS_READ,
        says="List the addresses that are told of alerts.",
        handler=webhooks.list_, answers=webhooks.WebhookList,
    ),
    Operation(
        method="POST", path="/webhooks", name="createWebhook", scope=Scope.WEBHOOKS_WRITE,
        says="Have alerts posted to an address, signed after Standard Webhooks.",
        handler=webhooks.create, body=webhooks.NewWebhook, answers=webhooks.WebhookMade, status=201,
        refusals=(404, 409, 503),
    ),
    Operation(
        method="POST", path="/webhooks/{id}/secret", name="rotateWebhookSecret", scope=Scope.WEBHOOKS_WRITE,
        says="Replace the secret of an address; the one before signs beside it for 24 hours.",
        handler=webhooks.rotate, answers=webhooks.WebhookMade,
        path_types={"id": webhooks.Ident}, refusals=(404, 503),
    ),
    Operation(
        method="DELETE", path="/webhooks/{id}", name="removeWebhook", scope=Scope.WEBHOOKS_WRITE,
        says="Tell an address no more.", handler=webhooks.remove, status=204,
        path_types={"id": webhooks.Ident}, refusals=(404,),
    ),
)  # fmt: skip
