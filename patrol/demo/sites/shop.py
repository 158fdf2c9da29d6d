"""棠选好物, a small shop. Two of its pages cloak: goods to whoever looks from a desk, a promotion to phones that come from a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.life import Shown
from patrol.demo.postings import Wording
from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "shop"
SIZE = 20
FACE: Mapping[str, Wording] = {
    "g1001": Wording(
        title="免打孔收纳柜 三层带轮",
        body="柜子三层，底下有轮子能锁住，放阳台和厨房夹缝都合适。板材是竹的，拼装要一把螺丝刀，二十分钟。标价169，同城自提。",
    ),
    "g1002": Wording(
        title="高山绿茶 半斤简装",
        body="明前摘的，手工炒，汤色黄绿，耐泡三四道。简装没有礼盒，送人另配罐子。半斤65，两份包邮，喝不惯可以退。",
    ),
}  # fmt: skip
"""What a cloaking page shows to visitors that it does not take for victims, by the posting's id."""

REPORTED = ("g1001",)
"""A cloaking page that citizens reported; the other one is for the patrol to find."""


def sees_promotion(request: Request) -> bool:
    """Whether the shop takes the visitor for one who searched on a phone."""
    agent, referrer = request.headers.get("user-agent", ""), request.headers.get("referer", "")
    return "Mobile" in agent and any(name in referrer for name in ("baidu.", "sogou.", "so.com", "bing."))


def face_of(item: Shown, *, promotion: bool) -> tuple[str, str]:
    """(title, body) as this visitor is shown them."""
    face = FACE.get(item.id)
    return (item.title, item.body) if promotion or face is None else (face.title, face.body)


def application(city: City) -> Starlette:
    """`/` and `/items?page=1` the goods, `/item/1001.html` one of them."""

    async def goods(request: Request) -> Response:
        page = frame.number(request, "page")
        items, pages = frame.part(city.life.shown(SITE), page=page, size=SIZE)
        listed = [(item, face_of(item, promotion=False)[0]) for item in items]
        return frame.html("shop_list", SITE, items=listed, page=page, pages=pages)

    async def one(request: Request) -> Response:
        item = city.life.find(f"g{request.path_params['number']}")
        if item is None:
            return frame.gone(SITE, "商品已下架")
        title, body = face_of(item, promotion=sees_promotion(request))
        return frame.html("shop_item", SITE, item=item, shown=title, body=body)

    return frame.application(SITE, [Route("/", goods), Route("/items", goods), Route("/item/{number:int}.html", one)])
