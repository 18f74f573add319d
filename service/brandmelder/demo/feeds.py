"""What WordPress puts into its feeds: the ten newest comments or articles as RSS 2.0, with validators."""

from __future__ import annotations

import hashlib
import html
import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.demo import markup
from brandmelder.demo.wordpress import Article, Comment, Reply, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

ITEMS = 10
RSS_TYPE = "application/rss+xml; charset=UTF-8"

_OPEN = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
	xmlns:content="http://purl.org/rss/1.0/modules/content/"
	xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:atom="http://www.w3.org/2005/Atom"
	xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"
	>
<channel>
	<title>{title}</title>
	<atom:link href="{address}" rel="self" type="application/rss+xml" />
	<link>{url}</link>
	<description></description>
	<lastBuildDate>{built}</lastBuildDate>
	<language>de-DE</language>
	<sy:updatePeriod>
	hourly	</sy:updatePeriod>
	<sy:updateFrequency>
	1	</sy:updateFrequency>
	<generator>https://wordpress.org/?v=6.1.9</generator>
"""

_ITEM = """	<item>
		<title>{title}</title>
		<link>{link}</link>

		<dc:creator><![CDATA[{author}]]></dc:creator>
		<pubDate>{at}</pubDate>
		<guid isPermaLink="false">{guid}</guid>

					<description><![CDATA[{text}]]></description>
			<content:encoded><![CDATA[{rendered}]]></content:encoded>

			</item>
"""


class Channel(Struct, frozen=True, kw_only=True):
    """A feed before it is written down."""

    title: str
    path: str
    modified: datetime
    items: tuple[str, ...]


def comment_feed(site: Site, asked: Mapping[str, str]) -> Reply:
    """Answer `/comments/feed/`. `asked` holds the request's headers, names in lower case."""
    newest = sorted(site.comments, key=lambda each: (each.at, each.id), reverse=True)[:ITEMS]
    moments = [*(each.at for each in site.comments), *(each.at for each in site.articles)]
    channel = Channel(
        title=f"Kommentare für {site.title}",
        path="comments/feed/",
        modified=max(moments, default=site.now),
        items=tuple(_comment(site, each) for each in newest),
    )
    return _feed(site, channel, asked)


def article_feed(site: Site, asked: Mapping[str, str]) -> Reply:
    """Answer `/feed/`. `asked` holds the request's headers, names in lower case."""
    newest = sorted(site.articles, key=lambda each: (each.at, each.id), reverse=True)[:ITEMS]
    channel = Channel(
        title=site.title,
        path="feed/",
        modified=max((each.at for each in site.articles), default=site.now),
        items=tuple(_article(site, each) for each in newest),
    )
    return _feed(site, channel, asked)


def _feed(site: Site, channel: Channel, asked: Mapping[str, str]) -> Reply:
    stamp = format_datetime(channel.modified.astimezone(UTC), usegmt=True)
    tag = f'"{hashlib.md5(stamp.encode(), usedforsecurity=False).hexdigest()}"'
    headers = {"Content-Type": RSS_TYPE, "Last-Modified": stamp, "ETag": tag}
    if _is_unchanged(asked, modified=channel.modified, tag=tag):
        return Reply(status=304, headers=headers)
    head = _OPEN.format(
        title=html.escape(channel.title, quote=False),
        address=re.sub(r":\d+(?=/|$)", "", site.url, count=1) + "/" + channel.path,  # WordPress loses the port here
        url=site.url,
        built=_stamp(channel.modified),
    )
    return Reply(status=200, headers=headers, body=(head + "".join(channel.items) + "</channel>\n</rss>\n").encode())


def _is_unchanged(asked: Mapping[str, str], *, modified: datetime, tag: str) -> bool:
    """Compare validators as class-wp.php does: both must agree when both are sent, else the one that is."""
    is_same = asked.get("if-none-match") == tag
    since = _parsed(asked.get("if-modified-since", ""))
    is_newer = since is not None and since >= modified
    if asked.get("if-none-match") and asked.get("if-modified-since"):
        return is_same and is_newer
    return is_same or is_newer


def _parsed(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _comment(site: Site, comment: Comment) -> str:
    article = site.article(comment.post)
    return _ITEM.format(
        title=f"Kommentar zu {html.escape(article.title, quote=False)} von {markup.author(comment.author)}",
        link=site.link(comment),
        author=_numeric(markup.author(comment.author)),
        at=_stamp(comment.at),
        guid=f"{site.url}/?p={article.id}#comment-{comment.id}",
        text=_inert(html.escape(_reply_to(site, comment, end="\n\n")) + html.escape(comment.text, quote=False)),
        rendered=_inert(_reply_to(site, comment, begin="<p>", end="</p>\n") + markup.rendered(comment.text)),
    )


def _reply_to(site: Site, comment: Comment, *, begin: str = "", end: str) -> str:
    """Return what WordPress puts before an answer in a feed (get_comment_text): whom it answers."""
    parent = next((one for one in site.comments if one.id == comment.parent), None)
    if parent is None:
        return ""
    return f'{begin}In reply to <a href="{site.link(parent)}">{markup.author(parent.author)}</a>.{end}'


def _article(site: Site, article: Article) -> str:
    return _ITEM.format(
        title=html.escape(article.title, quote=False),
        link=f"{site.url}/{article.slug}/",
        author=markup.author(article.author),
        at=_stamp(article.at),
        guid=f"{site.url}/?p={article.id}",
        text=_inert(html.escape(article.text, quote=False)),
        rendered=_inert("\n" + markup.rendered(article.text)),
    )


def _numeric(text: str) -> str:
    """Write named entities as numbers, as ent2ncr does for the creator of a comment."""
    return text.replace("&amp;", "&#38;").replace("&lt;", "&#60;").replace("&gt;", "&#62;")


def _inert(text: str) -> str:
    return text.replace("]]>", "]]&gt;")


def _stamp(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))
