"""What authors of plug-ins test theirs with: the suites that every built-in source passes."""

from brandmelder.testing.faces import Asked, Face, Post, Said
from brandmelder.testing.sources import SourceConformance

__all__ = ["Asked", "Face", "Post", "Said", "SourceConformance"]
