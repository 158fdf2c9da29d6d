"""The web sites of the demo city. Each module gives the routes of one site; addresses of postings are made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from patrol.demo.life import Shown

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from patrol.demo.city import City

PATHS: Mapping[str, str] = {
    "portal": "/news/{number}.html",
    "forum": "/thread-{number}-1-1.html",
    "classified": "/info/{number}.html",
    "microblog": "/status/{number}",
    "article": "/s/{number}",
    "video": "/v/{number}",
    "search": "/go/{number}.html",
    "shop": "/item/{number}.html",
    "bbs": "/thread-{number}-1-1.html",
    "county": "/article/{number}.html",
    "feed": "/p/{number}.html",
    "landing": "/lp/{number}.html",
}
"""Where a posting of a site stands."""

FLOOR = "/forum.php?mod=redirect&goto=findpost&ptid={thread}&pid={number}"
"""Where a reply of the forum stands."""

LETTERS: Mapping[str, str] = {
    "portal": "n",
    "forum": "tp",
    "classified": "c",
    "microblog": "m",
    "article": "a",
    "video": "v",
    "search": "s",
    "shop": "g",
    "bbs": "br",
    "county": "k",
    "feed": "f",
    "landing": "l",
    "captcha": "",
    "login": "",
}
"""First letters of the ids of a site's postings."""


def path_of(item: Shown) -> str:
    """The path of a posting on its site."""
    if item.site == "bbs":  # as its make has it: a page a thread, a mark a floor
        thread = item.post.reply_to[1:] if item.post.reply_to else item.number
        return f"{PATHS[item.site].format(number=thread)}#post_{item.number}"
    if item.post.reply_to:
        return FLOOR.format(thread=item.post.reply_to[1:], number=item.number)
    return PATHS[item.site].format(number=item.number)


def applications(city: City) -> dict[str, ASGIApp]:
    """One application a site, by site."""
    from patrol.demo.sites import article, bbs, classified, county, feed, forum, landing, microblog, portal, search, shop, video, walls

    return {
        "portal": portal.application(city),
        "forum": forum.application(city),
        "classified": classified.application(city),
        "microblog": microblog.application(city),
        "article": article.application(city),
        "video": video.application(city),
        "search": search.application(city),
        "shop": shop.application(city),
        "bbs": bbs.application(city),
        "county": county.application(city),
        "feed": feed.application(city),
        "landing": landing.application(city),
        "captcha": walls.captcha(city),
        "login": walls.login(city),
    }
