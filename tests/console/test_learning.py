"""学习: labelling by an officer, the list of what would teach most, and how the weights stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from classifiers import promotion
from store import tables, views
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer
from tests.weights import weights

Enter = Callable[[str], Officer]
TEXT = "合作社招社员，年底按股分红，打 13800001234 或加微信 hezuo_7788"


def add_watched(store: Store, clock: Hand, *, count: int = 1, body: str = TEXT) -> list[int]:
    """Texts at watch, without a hit: their posting ids."""
    made = []
    seed.add_hit(store, now=clock(), serial=900)
    with store.write() as conn:
        capture = conn.execute(select(tables.captures.c.id).limit(1)).scalar_one()
        seen = {"first_capture_id": capture, "last_capture_id": capture, "first_seen_at": clock(), "last_seen_at": clock()}
        for number in range(count):
            page = {"platform": "demo-forum", "url": f"https://x.example/{number}", "fingerprint": f"w{number}", "kind": "post"}
            posting = conn.execute(insert(tables.postings).values(**page, **seen, title="", body=body)).inserted_primary_key
            assert posting is not None
            lists: dict[str, Any] = {name: [] for name in ("schemes", "features", "matches", "reasons", "scores", "codes", "authorities")}
            judged = {"posting_id": posting[0], "at": clock(), "level": "watch", "score": 0.3, "ruleset": "r", "model": "m"}
            conn.execute(insert(tables.assessments).values(**judged, **lists))
            made.append(int(posting[0]))
    return made


def test_a_text_is_offered_blind_and_its_contacts_are_hidden(officer: Enter, staffed: Store, clock: Hand) -> None:
    add_watched(staffed, clock)
    page = officer("chen").get("/labels").text
    assert "合作社招社员" in page
    assert "13800001234" not in page
    assert "hezuo_7788" not in page
    assert "0.30" not in page.split("这是哪一类内容")[0]


def test_a_label_is_kept_for_training_and_opens_no_hit(officer: Enter, staffed: Store, clock: Hand) -> None:
    (posting,) = add_watched(staffed, clock)
    reviewer = officer("chen")
    answer = reviewer.post(f"/labels/{posting}", label="fundraising_promo", scheme="coop_farming")
    assert answer.headers["location"] == "/labels?said=labelled"
    with staffed.read() as conn:
        row = conn.execute(select(tables.labels)).one()
        assert (row.label, row.scheme, row.officer) == ("fundraising_promo", "coop_farming", "chen")
        assert [one.action for one in views.audit_of(conn, f"posting:{posting}")] == ["label.give"]
        assert len(conn.execute(select(tables.hits)).all()) == 1
    page = reviewer.get("/labels?said=labelled").text
    assert "已标注，仅用于训练" in page
    assert "今日已标注 1 / 20 条" in page


def test_a_scheme_goes_with_a_promo_alone(officer: Enter, staffed: Store, clock: Hand) -> None:
    (posting,) = add_watched(staffed, clock)
    officer("chen").post(f"/labels/{posting}", label="news", scheme="coop_farming")
    with staffed.read() as conn:
        assert conn.execute(select(tables.labels.c.scheme)).scalar_one() is None


def test_ones_own_label_is_looked_at_again(officer: Enter, staffed: Store, clock: Hand) -> None:
    first, _ = add_watched(staffed, clock, count=2)
    reviewer = officer("chen")
    reviewer.post(f"/labels/{first}", label="news")
    page = reviewer.get(f"/labels?again={first}").text
    assert "重新标注" in page
    assert f'action="/labels/{first}"' in page
    assert f'action="/labels/{first}"' not in officer("lin").get(f"/labels?again={first}").text


@pytest.mark.parametrize("name", ["wu", "he", "lian"])
def test_who_does_not_review_does_not_label(officer: Enter, staffed: Store, clock: Hand, name: str) -> None:
    (posting,) = add_watched(staffed, clock)
    other = officer(name)
    assert "合作社招社员" not in other.get("/labels").text
    assert other.post(f"/labels/{posting}", label="news").status_code == 403


@pytest.mark.parametrize(
    ("path", "label", "status"), [("/labels/1", "nonsense", 422), ("/labels/99999", "news", 409), ("/labels/0", "news", 422)]
)
def test_odd_labels_are_refused(officer: Enter, staffed: Store, path: str, label: str, status: int) -> None:
    answer = officer("chen").post(path, label=label)
    assert answer.status_code == status


def test_a_day_that_is_done_says_so(officer: Enter, staffed: Store, clock: Hand) -> None:
    staffed.settings = staffed.settings.model_copy(update={"label_sample": 1})
    first, _ = add_watched(staffed, clock, count=2)
    reviewer = officer("chen")
    reviewer.post(f"/labels/{first}", label="pass")
    assert "今日标注已完成" in reviewer.get("/labels").text


def test_the_queue_shows_first_what_would_teach_most(officer: Enter, staffed: Store, clock: Hand) -> None:
    hits = [seed.add_hit(staffed, now=clock(), serial=serial, score=0.97) for serial in range(3)]
    with staffed.write() as conn:
        for hit, gap in ((hits[1], 0.7), (hits[2], 0.9)):
            scores = [{"classifier": name, "version": "1", "value": value} for name, value in (("keyword", 0.95), ("neural", 0.95 - gap))]
            mine = select(tables.hits.c.assessment_id).where(tables.hits.c.id == hit).scalar_subquery()
            conn.execute(update(tables.assessments).where(tables.assessments.c.id == mine).values(scores=scores))
    reviewer = officer("chen")
    page = reviewer.get("/queue?state=learn").text
    assert f'data-id="{hits[0]}"' not in page
    assert page.index(f'data-id="{hits[2]}"') < page.index(f'data-id="{hits[1]}"')
    assert "规则 0.95" in page
    assert "共 2 条" in page
    one = reviewer.get(f"/hits/{hits[2]}?state=learn").text
    assert f"/hits/{hits[1]}?state=learn" in one


def test_the_urgent_come_first_by_default(officer: Enter, staffed: Store, clock: Hand) -> None:
    doubtful = seed.add_hit(staffed, now=clock(), serial=1, sample=seed.SAMPLES[2], score=0.5)
    urgent = seed.add_hit(staffed, now=clock(), serial=2, score=0.97)
    page = officer("chen").get("/queue").text
    assert page.index(f'data-id="{urgent}"') < page.index(f'data-id="{doubtful}"')


def test_models_page_shows_what_the_candidate_would_do(officer: Enter, staffed: Store, clock: Hand, tmp_path: Path) -> None:
    seed.add_hit(staffed, now=clock())
    home = promotion.home_of(staffed.settings.dir)
    name = promotion.take_in(weights(tmp_path / "new", "new-1"), home)
    promotion.write(home, promotion.Pointers(candidate=name))
    with staffed.write() as conn:
        row = {"posting_id": 1, "model": "new-1", "at": clock(), "level": "watch", "score": 0.2, "live_model": "m", "live_level": "alert"}
        conn.execute(insert(tables.shadows).values(**row, live_score=0.97, cost_us=1800, live_cost_us=5000))
    page = officer("he").get("/models").text
    assert all(part in page for part in ("new-1", "候选会少进队列", "1.8 毫秒", "随程序提供"))
    assert "13800001234" not in page


def test_models_page_says_what_is_broken(officer: Enter, staffed: Store) -> None:
    home = promotion.home_of(staffed.settings.dir)
    home.mkdir(parents=True)
    (home / promotion.POINTERS).write_text("{", "utf-8")
    assert "指针文件损坏" in officer("he").get("/models").text
