"""Brandmelder: a fire alarm for brands. Read the folders from top to bottom and you have read the way of a mention."""

__version__ = "0.1.0"
