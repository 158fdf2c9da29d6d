"""导入: files that were recorded, exported or photographed elsewhere, handed in for the daemon to take in, and what became of each."""

from __future__ import annotations

import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from console.deps import AtHome, House, Refusal, Visiting, back_to, render, require, same_origin, speaking
from crawlers.imports.registry import EVERY
from pipelines import inbox
from store import views

router = APIRouter()
SHOWN = 50
MAX_FIELD_BYTES = 4096
PATH = "/imports"
TELLS = {
    "har": "巡查手机经代理录制的流量：App、小程序。账户、私信、订单、支付类地址一律不留存。",
    "photos": "传单、报纸、户外广告的照片或扫描件；多张请打成 zip，可附照片信息表（文件名、地点、时间、采集人）。",
    "list": "CSV、TSV 或 XLSX，首行为列名（标题、正文、链接、发布者、发布时间等）。",
    "export": "采集工具导出的 JSON、JSONL 或 CSV。",
    "warc": "网页存档。",
    "wacz": "网页存档包。",
    "eml": "邮件；多封请打成 zip。",
}
"""What an officer reads beside a kind."""


def most_bytes(house: House) -> int:
    return house.store.settings.upload_mb * 1_000_000


@router.get(PATH)
def show(request: Request, house: AtHome, visitor: Visiting) -> Response:
    """The form, and what was handed in before."""
    suffixes = sorted({suffix for one in EVERY for suffix in one.suffixes} | {".zip", ".gz"})
    return render(request, "imports.html", visitor, kinds=EVERY, tells=TELLS, accept=",".join(suffixes), **_listed(house))


@router.get(f"{PATH}/rows")
def show_rows(request: Request, house: AtHome, visitor: Visiting) -> Response:
    """The table alone, for renewal."""
    return render(request, "imports_rows.html", visitor, **_listed(house))


def _listed(house: House) -> dict[str, Any]:
    with house.store.read() as conn:
        names = views.shown_names(conn)
    return {"uploads": inbox.listed(house.store, limit=SHOWN), "names": names, "titles": _titles(), "most": most_bytes(house)}


def _titles() -> dict[str, str]:
    return {"auto": "自动识别", **{one.name: one.title for one in EVERY}}


@router.get(PATH + "/{number}")
def show_one(request: Request, house: AtHome, visitor: Visiting, number: Annotated[str, Path(max_length=40)]) -> Response:
    """One file's report, every reason for which a part of it was refused."""
    found = inbox.one(house.store, number)
    if found is None:
        raise Refusal("没有这个导入文件，或其记录已损坏。", status=404)
    with house.store.read() as conn:
        names, log = views.shown_names(conn), views.audit_of(conn, f"inbox:{number}")
    return render(request, "import.html", visitor, upload=found, names=names, titles=_titles(), log=log)


@router.post(PATH)
async def upload(request: Request, house: AtHome, visitor: Visiting) -> Response:
    """Take a file into the inbox. Rights, origin and room are looked at before the file is read, the token before it is kept."""
    require(visitor, "import")
    same_origin(request)
    _require_room(house, int(request.headers.get("content-length", "0")))
    async with request.form(max_files=1, max_fields=4, max_part_size=MAX_FIELD_BYTES) as form:
        if not house.sessions.fits(str(form.get("csrf", "")), visitor.session):
            raise Refusal("页面已过期，请返回刷新后重试。", status=403)
        kind, file = str(form.get("kind", "")), form.get("file")
        if kind not in _titles():
            raise Refusal("没有这个文件种类，请在页面中选择。", status=422)
        if not isinstance(file, UploadFile) or not file.filename:
            raise Refusal("没有选择文件。", status=422)
        with speaking():
            await run_in_threadpool(
                inbox.receive, house.store, file.file, name=file.filename, kind=kind, officer=visitor.name, now=house.clock(),
                most=most_bytes(house),
            )  # fmt: skip
    return back_to(PATH, said="uploaded")


def _require_room(house: House, size: int) -> None:
    """Raises Refusal where the file would fill the disk: it lies there twice for a moment."""
    settings = house.store.settings
    free = shutil.disk_usage(settings.dir).free
    if free - 2 * size < settings.disk_min_mb * 1_000_000:
        raise Refusal(f"磁盘可用空间不足（剩 {free / 1_000_000:.0f} MB），暂不能上传；请联系维护人员清理。", status=507)
