"""Which earlier incidents looked like this one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.incident.similar import ALIKE, Likeness, most_similar, similarity
from brandmelder.model import IncidentId, SourceId

EVENING = datetime(2026, 12, 15, 20, 0, tzinfo=UTC)
NOW = Likeness(
    id=IncidentId("NF-2026-042"),
    phrases=("Rückruf", "Filiale Kiel"),
    sources=((SourceId("blog"), 20), (SourceId("x"), 10)),
    size=38,
    onset=EVENING,
)


def earlier(number, **changes):
    return replace(NOW, id=IncidentId(f"NF-2025-{number:03d}"), onset=EVENING - timedelta(days=100), **changes)


def test_an_incident_is_most_like_itself():
    assert similarity(NOW, NOW) == 1.0


def test_the_likest_come_first_and_the_unlike_not_at_all():
    alike = earlier(1, phrases=("Rückrufe", "Filiale Kiel"))
    less = earlier(2, phrases=("Rückruf",), size=20)
    other = earlier(3, phrases=("Preise",), sources=((SourceId("mail"), 4),), size=400)
    assert most_similar(NOW, [other, less, alike]) == ("NF-2025-001", "NF-2025-002")
    assert most_similar(NOW, [alike, less], most=1) == ("NF-2025-001",)


def test_nothing_is_similar_without_a_common_word():
    assert most_similar(NOW, [earlier(1, phrases=()), earlier(2, phrases=("Preise",))]) == ()


def test_an_incident_is_not_its_own_predecessor():
    assert most_similar(NOW, [NOW]) == ()


_likeness = st.builds(
    Likeness,
    id=st.just(IncidentId("x")),
    phrases=st.lists(st.sampled_from(["Rückruf", "Preise", "Filiale Kiel"])).map(tuple),
    sources=st.dictionaries(st.sampled_from([SourceId("blog"), SourceId("x")]), st.integers(0, 99)).map(
        lambda counts: tuple(counts.items())
    ),
    size=st.integers(0, 10_000),
    onset=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)


@given(_likeness, _likeness)
def test_similarity_is_between_0_and_1_and_the_same_both_ways(one, other):
    assert 0 <= similarity(one, other) <= 1.0000001
    assert abs(similarity(one, other) - similarity(other, one)) < 1e-9
    assert 0 < ALIKE < 1
