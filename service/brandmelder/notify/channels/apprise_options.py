"""What an Apprise channel's block may hold."""

from __future__ import annotations

from brandmelder.options import ChannelOptions, SecretText


class AppriseOptions(ChannelOptions):
    """One of the many services that Apprise knows, by its address; needs the extra `apprise`."""

    url: SecretText
    """The address as Apprise writes it, as in `tgram://token/chat`; it holds the service's secrets."""
