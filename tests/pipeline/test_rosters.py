"""A calendar's copy is read through once a day, however often it is asked who is on call."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from brandmelder.model import Person, PersonId, RotaId
from brandmelder.notify.rota import Rota
from brandmelder.pipeline import duty as duties
from brandmelder.pipeline.duty import Duty, on_call
from brandmelder.store import rotas
from brandmelder.store.rotas import Copy
from notify.test_ical import WEEKLY, calendar
from pipeline.world import STORM, World

BERLIN = ZoneInfo("Europe/Berlin")
ANNA = Person(id=PersonId("anna"), name="Anna Berg", zone=BERLIN.key)
ROTAS = [Rota(id=RotaId(f"team {number}"), zone=BERLIN) for number in range(8)]
LATER = timedelta(minutes=3, seconds=7, microseconds=5)


def test_a_second_look_of_the_day_reads_no_calendar_again():
    world = World([])
    duty = Duty(people={ANNA.id: ANNA}, places={one.id: "duty.ics" for one in ROTAS})
    weekly = calendar(WEEKLY.replace("INTERVAL=2", "INTERVAL=1"))
    for one in ROTAS:
        copy = Copy(rota=one.id, place="duty.ics", content=weekly, tried_at=STORM)
        world.database.run_now(rotas.keep_copy, copy)

    def look(now):
        for one in ROTAS:
            assert world.database.run_now(on_call, duty, one, now) == ("anna",)
            world.database.run_now(duties.plan_of, duty, one, since=now - duties.BACK, until=now + duties.AHEAD)
            world.database.run_now(duties.roster_of, duty, one, since=now, until=now + timedelta(days=7))

    look(STORM)
    read = duties._roster.cache_info().misses
    look(STORM + LATER)
    assert duties._roster.cache_info().misses == read
