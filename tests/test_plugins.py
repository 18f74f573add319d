from __future__ import annotations

import pytest

from brandmelder import plugins
from brandmelder.errors import PluginError


@pytest.mark.parametrize("group", ["sources", "classifiers", "notifiers"])
def test_the_built_in_ones_come_the_same_way_as_everybodys(group):
    assert plugins.built_in(group)
    assert set(plugins.built_in(group)) <= set(plugins.names(group))
    assert list(plugins.names(group)) == sorted(plugins.names(group))


def test_an_unknown_type_names_the_nearest_one():
    with pytest.raises(PluginError, match="unknown type 'wordpres'; did you mean 'wordpress'"):
        plugins.load("sources", "wordpres")


def test_a_type_far_from_all_names_them_all():
    with pytest.raises(PluginError, match=r"there are apprise, console, .*, slack, "):
        plugins.load("notifiers", "zzz")


def test_options_are_found_with_and_without_the_class():
    assert plugins.options("notifiers", "slack") is plugins.load("notifiers", "slack").Options
    assert plugins.options("sources", "feed") is plugins.load("sources", "feed").Options
