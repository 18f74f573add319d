"""One storm for all tests of the API; each has a copy of its own."""

import pytest

from web.api.house import storm_in


@pytest.fixture(scope="session")
def storm_file(tmp_path_factory):
    return storm_in(tmp_path_factory.mktemp("storm"))
