"""A sync that failed: what was acknowledged before and after it survives a power cut, in this life and in the next."""

from faults.failed_syncs import judge, live
from faults.failing_disk import made_in


def test_what_is_acknowledged_after_failed_syncs_survives_power_cuts_in_this_life_and_in_the_next(tmp_path):
    trace = tmp_path / "trace"
    disk = made_in(tmp_path, files="store.db", trace=trace)
    for number, each in enumerate((0, 7, 0)):  # every so many syncs fail; the last of each life does
        disk.fail_each(each)
        live(tmp_path / "store.db", disk, 1 + number * 25, 25)
    assert disk.syncs_failed >= 3
    found = judge(tmp_path, trace, draws=80, seed=1)
    assert (found.lost, found.corrupt) == (0, 0)
    assert found.cuts == 80
