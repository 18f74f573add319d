"""What runs inside the parser child: one job after another from stdin, each answer to stdout, within hard limits.

A job is two lengths (4 bytes each, big-endian), the content type and the body; an answer is one length and JSON.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import BinaryIO

import msgspec

from brandmelder.capture.feed_parser import parse
from brandmelder.capture.source import ParsedFeed

_DESCRIPTORS = 32


def main(memory: int, seconds: int) -> None:
    """Serve until stdin ends. `memory` in bytes for the whole process, `seconds` of CPU for each job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then lets go of us
    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
    ):
        resource.setrlimit(what, (limit, limit))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _send(sink, b"")  # ready
    while (lengths := source.read(8)) and len(lengths) == 8:
        kind = source.read(int.from_bytes(lengths[:4])).decode("utf-8", "replace")
        body = source.read(int.from_bytes(lengths[4:]))
        _renew_cpu(seconds)
        try:
            answer = msgspec.json.encode(parse(body, kind))
        except MemoryError:
            os._exit(os.EX_OSERR)  # a heap that ran out is not trusted with another job
        except RecursionError:
            answer = msgspec.json.encode(ParsedFeed(refusal="a document nested too deeply"))
        _send(sink, answer)


def _send(sink: BinaryIO, answer: bytes) -> None:
    sink.write(len(answer).to_bytes(4) + answer)
    sink.flush()


def _renew_cpu(seconds: int) -> None:
    """Allow `seconds` more: the limit counts the whole life of a process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, resource.RLIM_INFINITY))
