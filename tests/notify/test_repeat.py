import pytest
from msgspec.structs import replace

from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId
from brandmelder.notify.repeat import marked
from notify.channels.samples import ALERT, START

ONCE = Delivery(
    key="NF-1:open:crisis",
    incident=IncidentId("NF-1"),
    channel=ChannelId("crisis"),
    kind=DeliveryKind.OPEN,
    revision=1,
    state=DeliveryState.DUE,
    due_at=START,
    created_at=START,
)
AGAIN = replace(ONCE, possible_repeat=True)


@pytest.mark.parametrize(
    ("language", "said"), [("de", "Möglicherweise doppelt"), ("en", "Possible repeat"), ("fr", "Possible")]
)
def test_an_alert_sent_again_without_a_look_says_so_first_of_all_limits(language, said):
    message = replace(ALERT, language=language)
    told = marked(message, AGAIN)
    assert told.honest[0].startswith(said)
    assert told.honest[1:] == ALERT.honest


def test_any_other_alert_is_left_alone():
    assert marked(ALERT, ONCE) is ALERT
