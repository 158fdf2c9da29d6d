"""What a lead's dossier (卷宗) holds. Contents after 法发〔2016〕22号 arts 11-15 and the SAMR rules on electronic data of 2024: cause,
object, content, time, method, with a list of types and check values.
"""

from __future__ import annotations

import platform as machine
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import Connection, Row

from domain.clock import for_people
from pipelines.packet.sealed import as_json, pack
from store import leads, notices
from store.archive import Archive
from store.engine import Store
from store.moves import writing

POSTING = (
    "platform",
    "url",
    "kind",
    "title",
    "body",
    "images",
    "publisher",
    "publisher_address",
    "advertiser",
    "contacts",
    "links",
    "published_at",
    "marked_ad",
    "fingerprint",
    "first_seen_at",
    "last_seen_at",
    "seen",
)
ASSESSMENT = (
    "level",
    "grade",
    "score",
    "layer",
    "schemes",
    "features",
    "matches",
    "reasons",
    "scores",
    "codes",
    "authorities",
    "ruleset",
    "model",
    "assessed_at",
)
NOTICE = (
    "id",
    "number",
    "state",
    "addressee",
    "channel",
    "address",
    "url",
    "drafted_by",
    "approved_by",
    "approved_at",
    "sent_at",
    "down_at",
    "answer",
)
LEAD = ("id", "number", "kind", "suspect", "authority", "grade", "summary", "prepared_by", "second_preparer", "opened_at", "submitted_at")
"""Which columns of a row go into its part."""
README = """本卷宗为线索材料，不是行政处罚证据，也不对任何主体是否违法犯罪作出认定。
所有内容来自公开网络页面；研判由程序作出，由工作人员复核；有权机关应按法定程序另行固定证据。

目录
  lead.json            线索概要、承办与批准
  timeline.txt/.json   办理经过（北京时间），附审计链校验值
  versions.json        程序、规则、模型版本
  hits/<编号>/         发布内容、研判及理由、复核决定、页面原始记录（WARC）、截图
  notices/<编号>/      有关预警提示函
  manifest.json        各部分的 SHA-256 清单
  manifest.sha256      清单自身的 SHA-256，与线索通报函所载一致

核验：wangxun dossier verify 文件；或解压后逐一比对 sha256sum 与 manifest.json。
"""


def seal(store: Store, lead_id: int, *, now: datetime) -> str:
    """Gather and seal one lead's dossier in the archive: its SHA-256, set on the lead as long as nobody signed it.

    A signed lead keeps the dossier whose manifest its letter names; a later one lies in the archive beside it.
    Every body is read back and checked on the way. Raises EvidenceAltered where kept bytes no longer match their hash, StoreFault
    where there is no such lead.
    """
    archive = Archive(store.settings.archive_dir)
    with store.read() as conn:
        parts = _parts(conn, archive, lead_id, now=now)
    name = archive.put_blob(pack(parts, about={"lead": lead_id, "sealed_at": now.isoformat()}), ".zip")
    with writing(store) as conn:
        if leads.lead(conn, lead_id).approved_by is None:
            leads.put(conn, lead_id, dossier_sha256=name)
    return name


def _parts(conn: Connection, archive: Archive, lead_id: int, *, now: datetime) -> dict[str, bytes]:
    lead = leads.lead(conn, lead_id)
    hit_ids = leads.hit_ids(conn, lead_id)
    hits = [leads.whole_hit(conn, hit_id) for hit_id in hit_ids]
    letters = [row for row in notices.of_hits(conn, hit_ids) if row.number and row.approved_at]
    parts = {
        "README.txt": README.encode(),
        "lead.json": as_json({**_picked(lead, *LEAD), "hits": hit_ids}),
        "versions.json": as_json(_versions(hits)),
    }
    subjects = [f"lead:{lead_id}", *(f"hit:{hit_id}" for hit_id in hit_ids), *(f"notice:{row.id}" for row in letters)]
    parts |= _timeline(conn, subjects)
    for hit in hits:
        parts |= _hit_parts(conn, archive, hit)
    for row in letters:
        parts |= _notice_parts(archive, row)
    return parts


def _hit_parts(conn: Connection, archive: Archive, hit: Row[Any]) -> dict[str, bytes]:
    under = f"hits/{hit.id}"
    parts = {
        f"{under}/posting.json": as_json(_picked(hit, *POSTING)),
        f"{under}/posting.txt": f"{hit.title}\n\n{hit.body}\n".encode("utf-8", "replace"),
        f"{under}/assessment.json": as_json({"nature": "程序研判，涉嫌，非认定", **_picked(hit, *ASSESSMENT)}),
        f"{under}/decisions.json": as_json([dict(row._mapping) for row in leads.decisions_of(conn, hit.id)]),
    }
    for capture in leads.captures_of_hit(conn, hit.id):
        parts[f"{under}/capture-{capture.id}.json"] = as_json(dict(capture._mapping))
        if capture.warc is not None:
            archive.read(capture.warc, capture.warc_offset, capture.warc_length, capture.sha256)
            parts[f"{under}/capture-{capture.id}.warc.gz"] = archive.members(capture.warc, capture.warc_offset, capture.warc_length)
        if capture.screenshot_sha256:
            parts[f"{under}/capture-{capture.id}.png"] = archive.read_blob(capture.screenshot_sha256)
    return parts


def _notice_parts(archive: Archive, row: Row[Any]) -> dict[str, bytes]:
    parts = {f"notices/{row.id}/notice.json": as_json(_picked(row, *NOTICE))}
    for suffix, name in (("docx", row.docx_sha256), ("pdf", row.pdf_sha256)):
        if name:
            parts[f"notices/{row.id}/letter.{suffix}"] = archive.read_blob(name)
    return parts


def _timeline(conn: Connection, subjects: list[str]) -> dict[str, bytes]:
    rows = leads.history(conn, subjects)
    lines = [f"{for_people(row.at, seconds=True)}  {row.actor}  {row.action}  {row.subject}" for row in rows]
    return {"timeline.json": as_json([dict(row._mapping) for row in rows]), "timeline.txt": ("\n".join(lines) + "\n").encode()}


def _versions(hits: list[Row[Any]]) -> dict[str, Any]:
    try:
        program = version("wangxun")
    except PackageNotFoundError:
        program = "unknown"
    return {
        "program": f"wangxun {program}",
        "python": sys.version.split()[0],
        "system": machine.system(),
        "rulesets": sorted({hit.ruleset for hit in hits}),
        "models": sorted({hit.model for hit in hits}),
    }


def _picked(row: Row[Any], *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
