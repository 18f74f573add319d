"""The configuration: one YAML file becomes frozen Settings, or a list of everything that is wrong with it."""

from brandmelder.settings.reading import parse_settings, read_settings
from brandmelder.settings.shape import AlertSettings, MonitorSettings, Settings

__all__ = ["AlertSettings", "MonitorSettings", "Settings", "parse_settings", "read_settings"]
