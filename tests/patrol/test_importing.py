"""`wangxun import`: what an officer sees, and an import that is broken by the disk, by another one, or by one piece of many."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from crawlers.imports.listed import workbook
from crawlers.imports.mail import written
from domain.errors import DiskFull, PatrolError
from domain.model import Harvest
from domain.settings import Settings
from patrol import importing
from patrol.cli import main
from patrol.process import ROOT
from store import captures, repeats, tables
from store.archive import Archive
from store.engine import Store
from tests.conftest import MakeHarvest
from tests.crawlers.imports.conftest import grown_by

NOW = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)


def wangxun(*words: str, settings: Settings) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANGXUN_")}
    command = [sys.executable, "-m", "patrol.cli", *words]
    return subprocess.run(command, cwd=ROOT, env=kept | settings.environment(), capture_output=True, text=True, check=False)


def rows_file(folder: Path, *, rows: int, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_text("标题,正文\n" + "".join(f"第{n}条,内容{n}\n" for n in range(rows)), encoding="utf-8")
    return path


def take(path: Any, settings: Settings, **options: Any) -> dict[str, Any]:
    return importing.import_file(path, kind=options.pop("kind", "auto"), settings=settings, now=lambda: NOW, **options)


def count(store: Store, table: Any) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture
def officer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """officer("import", PATH): the command line in this process, and what it showed."""
    monkeypatch.setenv("WANGXUN_DIR", str(settings.dir))
    return lambda *words: CliRunner().invoke(main, list(map(str, words)))


def test_an_officer_imports_a_list_and_reads_what_was_refused(officer: Callable[..., Any], settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "线索清单.csv"
    path.write_bytes("甲,乙\n欢迎来,https://a.example/1\n,https://a.example/2\n".encode("gb18030"))
    asked = ["import", path, "--map", "text=甲,url=乙"]
    tried = officer(*asked, "--dry-run")
    assert tried.exit_code == 0 and "试运行，未写入" in tried.stdout and not (settings.dir / "wangxun.db").exists()
    done = officer(*asked, "--refused", tmp_path / "refused.jsonl")
    assert done.exit_code == 0, done.output
    assert "线索清单.csv（list）：取证页面 1，已有 0，拒收 1，站点 1，内容 1（新增 1）" in done.stdout
    assert "第 3 项：没有标题、正文和图片" in done.stdout
    assert json.loads((tmp_path / "refused.jsonl").read_text(encoding="utf-8"))["number"] == 3
    again = json.loads(officer(*asked, "--json").stdout)
    assert (again["captures"], again["repeated"], again["new"], again["refused"]) == (0, 1, 0, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["import"], "Missing argument"),
        (["import", "warc"], "no such file"),
        (["import", "cd", "x"], "cd is no kind: auto, warc"),
        (["import", "a", "b", "c"], "one PATH"),
        (["import", "list", ".", "--map", "nothing"], "write FIELD=column"),
        (["import", "list", ".", "--map", "foo=a"], "fields: title"),
    ],
)
def test_misuse_says_what_to_write(words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WANGXUN_DIR", str(tmp_path))
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2 and told in done.output


def test_a_file_of_no_kind_is_one_message_and_exit_1(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"\x7fELF" + b"\x00" * 5000)
    done = wangxun("import", str(tmp_path / "noise"), settings=settings)
    assert done.returncode == 1 and "认不出文件类型" in done.stderr and "Traceback" not in done.stderr


def test_a_pipe_and_a_folder_are_named_at_once(officer: Callable[..., Any], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "不是普通文件" in str(officer("import", tmp_path / "pipe").exception)
    done = officer("import", "har", tmp_path)
    assert done.exit_code == 1 and "这是文件夹" in done.stdout


def test_an_upload_of_the_console_is_imported_as_a_path_is(settings: Settings, store: Store) -> None:
    seen: list[tuple[int, int]] = []
    upload = io.BytesIO(workbook([["标题", "正文"], ["一", "甲"]]))
    report = take(upload, settings, name="清单.xlsx", watch=lambda done, all_: seen.append((done, all_)))
    assert (report["kind"], report["file"], report["captures"], report["new"]) == ("list", "清单.xlsx", 1, 1)
    assert seen and not upload.closed


def test_the_sweeps_row_tells_what_the_import_did(settings: Settings, store: Store, tmp_path: Path) -> None:
    take(rows_file(tmp_path, rows=3), settings)
    with store.read() as connection:
        row = connection.execute(select(tables.sweeps)).mappings().one()
    assert (row["platform"], row["purpose"], row["outcome"], row["pid"]) == ("import_list", "import", "ok", os.getpid())
    assert row["counts"]["sweep/captures"] == 3 and row["counts"]["sweep/new"] == 3


def test_one_piece_that_cannot_be_kept_costs_no_other(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = captures.keep

    def keep(store: Store, harvests: Sequence[Harvest], **given: Any) -> Any:
        if any("内容5" in one.body.decode() for one in harvests):
            raise ValueError("this one breaks the batch")
        return real(store, harvests, **given)

    monkeypatch.setattr(captures, "keep", keep)
    report = take(rows_file(tmp_path, rows=12), settings)
    assert (report["captures"], report["refused"], report["repeated"]) == (11, 1, 0)
    assert "this one breaks" in report["reasons"][0]


def test_a_broken_store_ends_the_import_and_its_row_says_so(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(*_: Any, **__: Any) -> Any:
        raise ValueError("broken")

    monkeypatch.setattr(captures, "keep", keep)
    with pytest.raises(ValueError, match="broken"):
        take(rows_file(tmp_path, rows=30), settings)
    with store.read() as connection:
        assert connection.execute(select(tables.sweeps.c.outcome)).scalar_one() == "failed"


_FULL = """
import resource, sys
from pathlib import Path
from domain.clock import utc_now
from domain.errors import DiskFull
from domain.settings import Settings
from patrol import importing
importing.BATCH_PIECES = 10
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    importing.import_file(Path(sys.argv[1]), kind="eml", settings=Settings(dir=Path(sys.argv[2])), now=utc_now)
except DiskFull as error:
    print("FULL", error)
"""


def test_a_full_disk_ends_the_import_and_the_next_one_goes_on(settings: Settings, store: Store, tmp_path: Path) -> None:
    """A limit on files stands for the disk: the archive's file fills it. Then there is room, and the rest comes, nothing twice."""
    folder = tmp_path / "letters"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number}.eml").write_bytes(written(f"第{number}封", os.urandom(24_000).hex()))
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(folder), str(settings.dir)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout.startswith("FULL"), done.stderr[-800:]
    assert "import" in done.stdout or "no room" in done.stdout
    kept = count(store, tables.captures)
    assert 0 < kept < 30
    report = take(folder, settings)
    assert (report["repeated"], report["captures"], count(store, tables.captures)) == (kept, 30 - kept, 30)
    archive = Archive(settings.archive_dir)
    with store.read() as connection:
        outcomes = list(connection.execute(select(tables.sweeps.c.outcome).order_by(tables.sweeps.c.id)).scalars())
        for row in connection.execute(select(tables.captures)):
            assert archive.read(row.warc, row.warc_offset, row.warc_length, row.sha256)
    assert outcomes[-1] == "ok" and outcomes[0] in ("disk_full", "killed")


def test_two_imports_of_one_file_at_once_add_it_once(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = rows_file(tmp_path, rows=1000)
    store.close()
    monkeypatch.setattr(importing, "BATCH_PIECES", 50)
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                take(path, settings)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert (count(store, tables.captures), count(store, tables.postings)) == (1000, 1000)


def test_the_same_pages_in_another_file_are_known_and_a_later_visit_is_not(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    """By address, hash and moment: a page that was seen again an hour later is another capture, whoever brings it."""

    def keep(*pages: Harvest) -> int:
        return captures.keep_once(any_store, pages, sweep_id=sweep_id, archive=archive, undated=fixed_now + timedelta(days=1)).captures

    assert keep(make_harvest(1), make_harvest(2), make_harvest(1)) == 2
    assert keep(make_harvest(1), make_harvest(1, minutes=60), make_harvest(3)) == 2
    assert keep(make_harvest(1), make_harvest(1, minutes=60), make_harvest(3)) == 0


def test_a_piece_without_a_moment_is_known_whenever_it_comes(
    any_store: Store, archive: Archive, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    def imported(*pages: Harvest, at: datetime) -> int:
        with any_store.write() as connection:
            number = captures.begin_sweep(connection, platform="import_list", purpose="import", at=at, pid=None)
        return captures.keep_once(any_store, pages, sweep_id=number, archive=archive, undated=at).captures

    later = fixed_now + timedelta(days=2)
    assert imported(make_harvest(1), at=fixed_now) == 1  # its moment is the import's own: it has none
    assert imported(make_harvest(1, minutes=2 * 24 * 60), at=later) == 0
    assert imported(make_harvest(1, minutes=30), at=later) == 0  # and one with a moment is the same piece
    with any_store.read() as connection:
        assert repeats.postings_known(connection, []) == 0


def test_reasons_are_bounded_and_say_how_many_are_left_out(settings: Settings, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("标题,正文,备注\n" + ",,x\n" * 5000, encoding="utf-8")
    report = take(path, settings)
    assert (report["refused"], len(report["reasons"]), report["reasons_left_out"]) == (5000, 200, 4800)


def test_memory_does_not_grow_with_the_file(settings: Settings, store: Store, tmp_path: Path) -> None:
    """A quarter of the pieces and all of them: the peak is that of a batch."""
    store.close()
    path = tmp_path / "list.csv"

    def work(rows: int) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.write("标题,正文\n")
            file.writelines(f"第{n}条,{n}{'欢迎来' * 300}\n" for n in range(rows))
        assert take(path, settings, dry_run=True)["captures"] == rows

    few, many = (grown_by(partial(work, rows)) for rows in (2000, 8000))
    assert many - few < 10, (few, many)


def test_a_refusal_of_the_file_itself_names_the_file(settings: Settings, store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.har").write_bytes(b"{}")
    report = take(tmp_path / "a.har", settings, kind="har")
    assert report["captures"] == 0 and report["reasons"][0].startswith("a.har：")
    (tmp_path / "b").write_bytes(b"\x00" * 100)
    with pytest.raises(PatrolError, match="认不出"):
        take(tmp_path / "b", settings)


def test_disk_full_is_not_mistaken_for_a_broken_piece(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(*_: Any, **__: Any) -> Any:
        raise DiskFull("var: no room left")

    monkeypatch.setattr(captures, "keep", keep)
    with pytest.raises(DiskFull):
        take(rows_file(tmp_path, rows=3), settings)
    with store.read() as connection:
        assert connection.execute(select(tables.sweeps.c.outcome)).scalar_one() == "disk_full"
