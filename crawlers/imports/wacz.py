"""WACZ files -> Harvests: a zip of WARC files that lists the digest of each of them. Source: the WACZ specification 1.1.1."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from crawlers.imports import warc
from crawlers.imports.base import Asked, Example, Look, OneFile, Refused
from crawlers.imports.zips import BadZip, members, open_zip, whole
from domain.model import Harvest

LIST_MOST = 32_000_000
"""Bytes of datapackage.json or pages.jsonl."""
MISSING_MOST = 100
"""Pages that are listed and not there, named one by one."""


class Wacz(OneFile):
    """A web archive as Browsertrix and ArchiveWeb.page save it."""

    name, title, suffixes = "wacz", "WACZ 网页存档包", (".wacz",)

    def knows(self, look: Look) -> bool:
        return "datapackage.json" in look.names and any(name.startswith("archive/") for name in look.names)

    def pieces(self, file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
        try:
            with open_zip(file) as archive:
                yield from _package(archive, asked)
        except BadZip as error:
            yield Refused(0, asked.name, str(error))

    def examples(self) -> tuple[Example, ...]:
        pages = [(f"https://city.example/{n}.html", _page(n), "text/html") for n in range(2)]
        files = {
            "archive/a.warc.gz": warc.written(pages),
            "archive/b.warc.gz": warc.written([("https://town.example/", _page(9), "text/html")]),
        }
        listed = "\n".join(json.dumps({"url": url, "title": "页"}) for url, _, _ in pages)
        files["pages/pages.jsonl"] = ('{"format": "json-pages-1.0"}\n' + listed).encode()
        whole_file, altered = packed(files), packed(files, alter="archive/b.warc.gz")
        return (Example(files={"site.wacz": whole_file}, captures=3, postings=3, broken={"site.wacz": altered}),)


def _package(archive: zipfile.ZipFile, asked: Asked) -> Iterator[Harvest | Refused]:
    digests, fault = _digests(archive)
    if fault:
        yield Refused(0, "datapackage.json", fault)
        return
    seen: set[str] = set()
    for info, why_not in members(archive):
        if not info.filename.startswith("archive/"):
            if why_not:
                yield Refused(0, info.filename, why_not)
            continue
        fault = why_not or _altered(archive, info, digests.get(info.filename, ""))
        if fault:
            yield Refused(0, info.filename, fault)
            continue
        with archive.open(info) as file:
            for found in warc.records(file, asked, via="wacz"):  # type: ignore[arg-type]
                if isinstance(found, Harvest):
                    seen.add(found.capture.url)
                yield found
    yield from _missing(archive, seen, set(digests))


def _digests(archive: zipfile.ZipFile) -> tuple[dict[str, str], str]:
    """Name -> digest of each part, and what is wrong with the list of them."""
    try:
        data = whole(archive, archive.getinfo("datapackage.json"), largest=LIST_MOST)
        listed = json.loads(data)["resources"]
        found = {str(one["path"]): str(one["hash"]) for one in listed if isinstance(one, dict) and "path" in one and "hash" in one}
    except KeyError:
        return {}, "包内没有 datapackage.json 或其中没有 resources，无法核对摘要；请重新导出"
    except (BadZip, ValueError, TypeError, RecursionError) as error:
        return {}, f"datapackage.json 读不了（{str(error)[:100]}），无法核对摘要；请重新导出"
    return found, _package_altered(archive, data)


def _package_altered(archive: zipfile.ZipFile, data: bytes) -> str:
    """Whether the list itself was altered, where the package says what its digest was."""
    if "datapackage-digest.json" not in archive.namelist():
        return ""
    try:
        told = json.loads(whole(archive, archive.getinfo("datapackage-digest.json"), largest=LIST_MOST))["hash"]
    except (BadZip, ValueError, TypeError, KeyError, RecursionError):
        return "datapackage-digest.json 读不了；请重新导出"
    made = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return "" if told == made else "datapackage.json 与其摘要不符，存档包可能被改动过；请向提供者重新索取"


def _altered(archive: zipfile.ZipFile, info: zipfile.ZipInfo, told: str) -> str:
    """Why a part cannot be trusted: empty where its digest is the one that is listed."""
    if not told:
        return "datapackage.json 没有列出它的摘要，不予采信"
    name, _, wanted = told.partition(":")
    if name not in ("sha256", "sha512", "sha1", "md5"):
        return f"摘要算法 {name[:20]} 不认识，无法核对"
    made = hashlib.new(name, usedforsecurity=False)
    try:
        with archive.open(info) as file:
            while block := file.read(1 << 18):
                made.update(block)
    except Exception as error:  # zipfile, zlib, lzma and bz2 have errors of their own
        return f"压缩数据已损坏（{str(error)[:100] or type(error).__name__}）；请重新下载"
    return "" if made.hexdigest() == wanted else "内容与 datapackage.json 所列摘要不符，可能被改动过，不予采信；请向提供者重新索取"


def _missing(archive: zipfile.ZipFile, seen: set[str], listed: set[str]) -> Iterator[Refused]:
    """Pages that the package lists and does not hold."""
    if "pages/pages.jsonl" not in listed or "pages/pages.jsonl" not in archive.namelist():
        return
    try:
        lines = whole(archive, archive.getinfo("pages/pages.jsonl"), largest=LIST_MOST).splitlines()
    except BadZip as error:
        yield Refused(0, "pages/pages.jsonl", str(error))
        return
    missing = 0
    for number, text in enumerate(lines, 1):
        try:
            url = str(json.loads(text).get("url") or "")
        except (ValueError, AttributeError, RecursionError):
            continue
        if url and url.partition("#")[0] not in seen and missing < MISSING_MOST:
            missing += 1
            yield Refused(number, url, "页面清单列了它，存档里却没有")


def packed(files: dict[str, bytes], *, alter: str = "") -> bytes:
    """A WACZ of these files, for examples; `alter` names one that is changed after its digest was taken."""
    buffer = io.BytesIO()
    listed = [{"name": name.rpartition("/")[2], "path": name, "hash": f"sha256:{hashlib.sha256(data).hexdigest()}", "bytes": len(data)}
              for name, data in files.items()]  # fmt: skip
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data + b"\n" if name == alter else data)
        archive.writestr("datapackage.json", json.dumps({"profile": "data-package", "wacz_version": "1.1.1", "resources": listed}))
    return buffer.getvalue()


def _page(number: int) -> bytes:
    text = f"这是为示例写的第{number}页，讲城里的一个集市。" * 8
    return f"<html><head><title>第{number}页</title></head><body><h1>第{number}页</h1><div>{text}</div></body></html>".encode()
