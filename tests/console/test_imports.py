"""导入: who may hand in a file, what is refused at the door, and that the page tells what became of it."""

from __future__ import annotations

import errno
import io
import json
import socket
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from domain.clock import utc_now
from domain.errors import DiskFull
from patrol import inbox as job
from patrol.work import open_work
from pipelines import inbox
from store import views
from store.engine import Store
from tests.console.conftest import Officer

LIST = "标题,正文,链接\r\n旧车转让,整备过的二手电动车转让，价格面议，可以试骑。,https://qtrx.example/1\r\n,,https://qtrx.example/2\r\n"


def send(
    who: Officer, data: bytes, *, name: str = "清单.csv", kind: str = "auto", token: str | None = None, origin: str | None = None
) -> httpx.Response:
    fields = {"csrf": who.token() if token is None else token, "kind": kind}
    headers = {"origin": who.base if origin is None else origin}
    return who.client.post("/imports", data=fields, files={"file": (name, data)}, headers=headers)


def audit(store: Store, subject: str) -> list[tuple[str, str]]:
    with store.read() as connection:
        return [(row.actor, row.action) for row in views.audit_of(connection, subject)]


def test_upload_is_taken_in_and_its_report_shown(staffed: Store, officer: Callable[[str], Officer]) -> None:
    who = officer("wu")
    assert send(who, LIST.encode("gb18030")).status_code == 303
    assert "等待导入" in who.get("/imports").text
    work = open_work(staffed.settings)
    counts = job.take_in(work)
    work.close()
    assert (counts["taken"], counts["captures"], counts["refused"]) == (1, 1, 1)
    (upload,) = inbox.listed(staffed)
    assert (upload.state, upload.officer, upload.name) == ("done", "wu", "清单.csv")
    rows, report = who.get("/imports/rows").text, who.get(f"/imports/{upload.id}").text
    assert "已导入" in rows and "CSV 或 XLSX 清单" in rows
    assert "没有标题、正文和图片" in report and upload.sha256 in report
    assert sorted(audit(staffed, f"inbox:{upload.id}")) == [("machine:inbox", "inbox.taken"), ("wu", "inbox.upload")]
    assert not inbox.file_of(staffed, upload).exists()


def test_same_file_again_adds_nothing(staffed: Store, officer: Callable[[str], Officer]) -> None:
    who = officer("chen")
    work = open_work(staffed.settings)
    for _ in range(2):
        send(who, LIST.encode())
        job.take_in(work)
    work.close()
    reports = [upload.report for upload in inbox.listed(staffed)]
    assert sorted((report["captures"], report["repeated"], report["new"]) for report in reports) == [(0, 1, 0), (1, 0, 1)]
    assert "另有 1 项已在库" in who.get("/imports").text


def test_archive_of_photos_is_known_by_its_content(staffed: Store, officer: Callable[[str], Officer]) -> None:
    photo, packed = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (80, 60), (90, 120, 60)).save(photo, "JPEG")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jpg", photo.getvalue())
    send(officer("zhao"), packed.getvalue(), name="传单.zip")
    work = open_work(staffed.settings)
    job.take_in(work)
    work.close()
    assert inbox.listed(staffed)[0].report["kind"] == "photos"


@pytest.mark.parametrize("name", ["he", "lian"])
def test_other_roles_see_and_may_not_upload(staffed: Store, officer: Callable[[str], Officer], name: str) -> None:
    who = officer(name)
    page = who.get("/imports")
    assert page.status_code == 200 and 'type="file"' not in page.text
    assert send(who, b"x").status_code == 403
    assert inbox.listed(staffed) == []


def test_form_from_elsewhere_is_refused(staffed: Store, officer: Callable[[str], Officer]) -> None:
    who = officer("wu")
    assert send(who, b"x", token="0" * 64).status_code == 403
    assert send(who, b"x", origin="https://elsewhere.example").status_code == 403
    assert inbox.listed(staffed) == []


def test_visitor_is_sent_to_the_login(visitor: httpx.Client, base: str) -> None:
    answer = visitor.post("/imports", data={"kind": "auto"}, files={"file": ("a.csv", b"x")}, headers={"origin": base})
    assert answer.status_code == 303 and answer.headers["location"].startswith("/login")


@pytest.mark.parametrize(("data", "kind", "said"), [(b"", "auto", "文件是空的"), (b"x", "exe", "没有这个文件种类")])
def test_unfit_upload_is_refused_with_its_reason(
    staffed: Store, officer: Callable[[str], Officer], data: bytes, kind: str, said: str
) -> None:
    answer = send(officer("wu"), data, kind=kind)
    assert answer.status_code in (409, 422) and said in answer.text
    assert [path.name for path in inbox.folder_of(staffed).glob("*")] == []


def test_form_without_a_file_is_refused(staffed: Store, officer: Callable[[str], Officer]) -> None:
    who = officer("wu")
    assert "没有选择文件" in who.post("/imports", kind="auto").text


def test_other_forms_stay_small(officer: Callable[[str], Officer]) -> None:
    assert officer("wu").post("/alarms/clear", kind="x" * 70_000).status_code == 413


def test_declared_size_above_the_limit_is_refused_unread(staffed: Store, officer: Callable[[str], Officer]) -> None:
    who = officer("wu")
    size = staffed.settings.upload_mb * 1_000_000 + 100_000
    address = urlsplit(who.base)
    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall(f"POST /imports HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_file_above_the_limit_leaves_nothing_behind(staffed: Store) -> None:
    with pytest.raises(inbox.TooLarge, match="超过上限"):
        inbox.receive(staffed, io.BytesIO(b"x" * 11), name="a.csv", kind="auto", officer="wu", now=utc_now(), most=10)
    assert list(inbox.folder_of(staffed).iterdir()) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\演示\\清单.csv", "清单.csv"),
        ("gpj.\u202eexe.csv", "gpj.exe.csv"),
        ("<img src=x onerror=alert(1)>.csv", "<img src=x onerror=alert(1)>.csv"),
        ("", "未命名文件"),
        ("长" * 500, "长" * 120),
    ],
)
def test_hostile_name_is_only_words(staffed: Store, given: str, kept: str) -> None:
    number = inbox.receive(staffed, io.BytesIO(b"x"), name=given, kind="auto", officer="wu", now=utc_now(), most=10)
    found = inbox.one(staffed, number)
    assert found is not None and found.name == kept
    assert inbox.file_of(staffed, found).parent.parent == inbox.folder_of(staffed)


def test_name_is_escaped_on_the_page(staffed: Store, officer: Callable[[str], Officer]) -> None:
    who = officer("wu")
    send(who, b"x", name="<img src=x>.csv")
    assert "<img src=x>" not in who.get("/imports").text
    assert "&lt;img src=x&gt;" in who.get("/imports").text


def test_file_of_no_kind_fails_with_the_reason(staffed: Store, officer: Callable[[str], Officer]) -> None:
    who = officer("wu")
    send(who, b"\x00\x01" * 400, name="x.bin")
    work = open_work(staffed.settings)
    assert job.take_in(work)["failed"] == 1
    work.close()
    (upload,) = inbox.listed(staffed)
    assert upload.state == "failed" and inbox.file_of(staffed, upload).exists()
    assert "认不出文件类型" in who.get("/imports").text and "认不出文件类型" in who.get(f"/imports/{upload.id}").text


def test_import_that_ended_the_program_is_tried_again_and_then_left(staffed: Store) -> None:
    number = inbox.receive(staffed, io.BytesIO(LIST.encode()), name="a.csv", kind="list", officer="wu", now=utc_now(), most=1000)
    upload = inbox.one(staffed, number)
    assert upload is not None
    inbox.note_progress(staffed, upload, done=10, whole=20, attempts=job.ATTEMPTS_MOST - 1)
    (half,) = inbox.waiting(staffed)
    assert (half.state, half.share) == ("running", 50)
    work = open_work(staffed.settings)
    assert job.take_in(work)["taken"] == 1
    again = inbox.one(staffed, inbox.receive(staffed, io.BytesIO(b"x,y"), name="b.csv", kind="list", officer="wu", now=utc_now(), most=9))
    assert again is not None
    inbox.note_progress(staffed, again, done=0, whole=1, attempts=job.ATTEMPTS_MOST)
    assert job.take_in(work)["failed"] == 1
    work.close()
    left = inbox.one(staffed, again.id)
    assert left is not None and left.state == "failed" and "异常终止" in left.report["why"]


def test_broken_note_hides_its_folder_alone(staffed: Store, officer: Callable[[str], Officer]) -> None:
    who = officer("wu")
    send(who, LIST.encode())
    broken = inbox.folder_of(staffed) / "20260101T000000000000-00000000"
    broken.mkdir()
    (broken / "upload.json").write_text('{"id": "202', encoding="utf-8")
    assert who.get("/imports").status_code == 200 and len(inbox.listed(staffed)) == 1
    assert who.get("/imports/20260101T000000000000-00000000").status_code == 404
    assert who.get("/imports/..%2F..%2Fwangxun.toml").status_code == 404


def test_upload_that_broke_off_is_cleared_after_a_day(staffed: Store) -> None:
    half = inbox.folder_of(staffed) / ".20260101T000000000000-00000000"
    half.mkdir(parents=True)
    (half / "file").write_bytes(b"x")
    now = utc_now()
    assert inbox.clear_stale(staffed, now=now) == 0
    assert inbox.clear_stale(staffed, now=now + timedelta(days=2)) == 1
    assert not half.exists()


class FullDisk(io.BytesIO):
    """A file that is copied until the disk is full."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().read(1)


def test_full_disk_is_told_and_leaves_nothing_behind(staffed: Store) -> None:
    with pytest.raises(DiskFull, match="磁盘已满"):
        inbox.receive(staffed, FullDisk(b"xxx"), name="a.csv", kind="auto", officer="wu", now=utc_now(), most=10)
    assert list(inbox.folder_of(staffed).iterdir()) == []


def test_failed_file_goes_after_a_month_and_its_report_stays(staffed: Store) -> None:
    number = inbox.receive(staffed, io.BytesIO(b"\x00" * 900), name="x.bin", kind="auto", officer="wu", now=utc_now(), most=1000)
    work = open_work(staffed.settings)
    job.take_in(work)
    work.close()
    upload = inbox.one(staffed, number)
    assert upload is not None and upload.state == "failed"
    assert inbox.clear_stale(staffed, now=utc_now()) == 0
    assert inbox.clear_stale(staffed, now=utc_now() + timedelta(days=31)) == 1
    assert not inbox.file_of(staffed, upload).exists() and inbox.one(staffed, number) == upload


def test_report_is_json_that_people_can_keep(staffed: Store) -> None:
    number = inbox.receive(staffed, io.BytesIO(LIST.encode()), name="a.csv", kind="list", officer="wu", now=utc_now(), most=1000)
    work = open_work(staffed.settings)
    job.take_in(work)
    work.close()
    path: Path = inbox.folder_of(staffed) / number / "report.json"
    assert json.loads(path.read_text(encoding="utf-8"))["outcome"] == "ok"
