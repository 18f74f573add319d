"""What reaches out of the process, lent to sources and channels: opened lazily, closed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from brandmelder import __version__
from brandmelder.capture.source import Tools
from brandmelder.notify.notifier import Tools as Lent
from brandmelder.options import WebChannelOptions

if TYPE_CHECKING:
    from brandmelder.capture.child import ParserChild
    from brandmelder.capture.http import HttpClient
    from brandmelder.capture.imap import Mailboxes
    from brandmelder.capture.websocket import WebSockets
    from brandmelder.model import SourceId
    from brandmelder.options import ChannelOptions


@dataclass(kw_only=True)
class Outside:
    """What reaches out of the process: opened lazily, closed once."""

    http: HttpClient
    child: ParserChild
    mailboxes: Mailboxes
    streams: WebSockets

    def tools(self, source: SourceId, *, allow_private: bool) -> Tools:
        """Return what the house lends one source."""
        return Tools(
            fetch=self.http.bind(source=source, allow_private=allow_private),
            parse_feed=self.child.parse_feed,
            mailboxes=self.mailboxes,
            connect=self.streams.bind(source=source, allow_private=allow_private),
            left=partial(self.http.meter.left, source),
        )

    def lent(self, options: ChannelOptions) -> Lent:
        """Return what the house lends one channel."""
        from brandmelder.clock import SystemClock

        allow_private = isinstance(options, WebChannelOptions) and options.allow_private
        return Lent(exchange=self.http.exchange(allow_private=allow_private), now=SystemClock().now)

    async def close(self) -> None:
        """Close connections and the parser's process."""
        await self.http.close()
        await self.child.close()
        self.mailboxes.close()


def outside() -> Outside:
    """Build the egress client and the parser child."""
    from brandmelder.capture.child import ParserChild
    from brandmelder.capture.http import HttpClient
    from brandmelder.capture.imap import Mailboxes
    from brandmelder.capture.websocket import WebSockets

    agent = f"Brandmelder/{__version__} (+https://github.com/brandmelder/brandmelder)"
    http = HttpClient(user_agent=agent)
    return Outside(http=http, child=ParserChild(), mailboxes=Mailboxes(), streams=WebSockets(http))
