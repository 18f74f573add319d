"""What a reader's browser shows: the front page, and an article with the comments an alert links to."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from brandmelder.demo import markup
from brandmelder.demo.wordpress import Reply

if TYPE_CHECKING:
    from brandmelder.demo.wordpress import Article, Comment, Site

_PAGE = """<!DOCTYPE html>
<html lang="de-DE">
<head>
<meta charset="UTF-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>{title}</title>
<link rel="https://api.w.org/" href="{url}/wp-json/" />
<link rel="alternate" type="application/rss+xml" title="{name} &raquo; Feed" href="{url}/feed/" />
<style>body {{ font: 1rem/1.5 sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }}</style>
</head>
<body>
<p><a href="{url}/">{name}</a></p>
{body}
</body>
</html>
"""


def shown(site: Site, path: str) -> Reply:
    """Answer `/` with the newest articles, `/<slug>/` with an article and its comments, anything else with 404."""
    slug = path.strip("/")
    if not slug:
        newest = sorted(site.articles, key=lambda each: each.at, reverse=True)[:10]
        return _reply(site, 200, site.title, "\n".join(_teaser(site, each) for each in newest))
    article = next((each for each in reversed(site.articles) if each.slug == slug), None)
    if article is None:
        return _reply(site, 404, "Seite nicht gefunden", "<h1>Seite nicht gefunden</h1>")
    comments = sorted((each for each in site.comments if each.post == article.id), key=lambda each: each.at)
    body = [f"<h1>{html.escape(article.title)}</h1>", markup.rendered(article.text)]
    return _reply(site, 200, article.title, "\n".join(body + [_comment(site, each) for each in comments]))


def _teaser(site: Site, article: Article) -> str:
    link = f'<a href="{site.url}/{article.slug}/">{html.escape(article.title)}</a>'
    return f"<h2>{link}</h2>\n{markup.rendered(article.text)}"


def _comment(site: Site, comment: Comment) -> str:
    head = f"<b>{markup.author(comment.author)}</b> {site.local(comment.at).replace('T', ' ')}"
    return f'<article id="comment-{comment.id}"><p>{head}</p>\n{markup.rendered(comment.text)}</article>'


def _reply(site: Site, status: int, title: str, body: str) -> Reply:
    text = _PAGE.format(title=html.escape(title), name=html.escape(site.title), url=site.url, body=body)
    headers = {"Content-Type": "text/html; charset=UTF-8", "Link": f'<{site.url}/wp-json/>; rel="https://api.w.org/"'}
    return Reply(status=status, headers=headers, body=text.encode())
