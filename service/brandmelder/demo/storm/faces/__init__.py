"""How each platform of the storm speaks: one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.demo.storm.faces.blog import FeedFace, WordPressFace
from brandmelder.demo.storm.faces.bluesky import BlueskyFace
from brandmelder.demo.storm.faces.discourse import DiscourseFace
from brandmelder.demo.storm.faces.facebook import FacebookFace
from brandmelder.demo.storm.faces.hackernews import HackerNewsFace
from brandmelder.demo.storm.faces.instagram import InstagramFace
from brandmelder.demo.storm.faces.jetstream import JetstreamFace
from brandmelder.demo.storm.faces.mastodon import MastodonFace
from brandmelder.demo.storm.faces.reddit import RedditFace
from brandmelder.demo.storm.faces.telegram import TelegramFace
from brandmelder.demo.storm.faces.x import XFace
from brandmelder.demo.storm.faces.youtube import YouTubeFace
from brandmelder.demo.storm.posts import Channel

if TYPE_CHECKING:
    from brandmelder.demo.storm.wire import Face

FACES: dict[Channel, Face] = {
    Channel.WORDPRESS: WordPressFace(),
    Channel.FEED: FeedFace(),
    Channel.MASTODON: MastodonFace(),
    Channel.BLUESKY: BlueskyFace(),
    Channel.DISCOURSE: DiscourseFace(),
    Channel.X: XFace(),
    Channel.FACEBOOK: FacebookFace(),
    Channel.INSTAGRAM: InstagramFace(),
    Channel.REDDIT: RedditFace(),
    Channel.YOUTUBE: YouTubeFace(),
    Channel.HACKERNEWS: HackerNewsFace(),
    Channel.TELEGRAM: TelegramFace(),
    Channel.JETSTREAM: JetstreamFace(),
}
