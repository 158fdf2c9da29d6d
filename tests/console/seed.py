"""An invented evening's work for the console: officers, hits with reasons and campaigns, a day of patrol, alarms."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import Connection, insert

from domain.identity import fingerprint, sha256
from store import officers, tables
from store.archive import Archive
from store.engine import Store

PASSWORD = "correct-horse-9"
OFFICERS = (
    ("chen", "陈默", ("reviewer",)),
    ("lin", "林晓", ("reviewer",)),
    ("zhao", "赵审", ("approver",)),
    ("wu", "吴巡", ("patroller",)),
    ("he", "何审计", ("auditor",)),
    ("lian", "连络", ("liaison",)),
)


@dataclass(frozen=True)
class Sample:
    """One invented posting: `marks` are (words, rule, weight, folded reading)."""

    title: str
    body: str
    scheme: str
    level: str
    grade: str
    marks: tuple[tuple[str, str, float, str], ...]


SAMPLES = (
    Sample(
        "稳健财富计划 年化18% 保本保息",
        "金穗堂稳健财富计划火热认购，一万起投，年化收益18%，到期返还本金，国资背景银行托管。"
        "名额有限，咨询电话 13800001234，微信 jinsui_8866。",
        "wealth_mgmt",
        "alert",
        "高危",
        (
            ("保本保息", "illegal_fundraising.guaranteed_return", 2.4, ""),
            ("年化收益18%", "illegal_fundraising.high_rate", 1.8, ""),
            ("国资背景", "illegal_fundraising.state_backing", 1.1, ""),
        ),
    ),
    Sample(
        "里财新风口，葆本葆息",
        "里财老师带你躺赚，葆本葆息月返5%，加薇信：fanli6677 进群领取内部名额，推荐一人奖励300元。",
        "pyramid",
        "alert",
        "高危",
        (
            ("葆本葆息", "illegal_fundraising.guaranteed_return", 2.2, "保本保息"),
            ("里财", "illegal_fundraising.finance_call", 0.9, "理财"),
            ("薇信", "illegal_fundraising.contact_call", 0.4, "微信"),
            ("推荐一人奖励300元", "illegal_fundraising.headcount", 2.0, ""),
        ),
    ),
    Sample(
        "银龄安养公寓 床位预订享补贴",
        "交10万元床位预订费，每月返还800元养老补贴，五年后全额退还本金，参观免费接送，送鸡蛋送米。热线 400-800-1122",
        "eldercare",
        "review",
        "中危",
        (("全额退还本金", "illegal_fundraising.principal_back", 1.6, ""), ("每月返还800元", "illegal_fundraising.monthly_return", 1.4, "")),
    ),
    Sample(
        "云鹿牧场 托管认养一头羊",
        "认养一头羊，托管养殖一年，保底收益12%，到期公司包回收，风险由公司承担。联系 QQ 223344556",
        "coop_farming",
        "review",
        "中危",
        (("保底收益12%", "illegal_fundraising.guaranteed_return", 1.9, ""), ("包回收", "illegal_fundraising.buy_back", 0.8, "")),
    ),
    Sample(
        "购物全返 消费等于赚钱",
        "星悦商城消费多少返多少，满500返500，积分可提现，推荐商家入驻享分红。",
        "rebate",
        "review",
        "一般",
        (("消费多少返多少", "illegal_fundraising.full_rebate", 1.7, ""), ("积分可提现", "illegal_fundraising.points_cash", 0.9, "")),
    ),
    Sample(
        "社区提醒：谨防养老骗局",
        "谨防以床位预订、高额返利为名的骗局，承诺保本付息的都要警惕，如遇可疑情况请拨打反诈电话。",
        "eldercare",
        "review",
        "一般",
        (
            ("谨防", "excuses.warning", -1.5, ""),
            ("承诺保本付息", "illegal_fundraising.guaranteed_return", 1.5, ""),
            ("警惕", "excuses.warning", -0.9, ""),
        ),
    ),
)
PLATFORMS = (
    "demo-portal",
    "demo-forum",
    "demo-classified",
    "demo-weibo",
    "demo-article",
    "demo-video",
    "demo-search",
    "demo-captcha",
    "demo-login",
)
TITLES = {"illegal_fundraising": "涉嫌以承诺还本付息等方式向不特定公众招揽资金", "excuses": "出现提示、警示性用语，已减分"}


def picture(words: str, size: tuple[int, int] = (640, 900)) -> bytes:
    """A PNG that stands for a screenshot."""
    image = Image.new("RGB", size, "#f4efe6")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, size[0] - 20, 140), fill="#2c5c8f")
    for line in range(12):
        draw.rectangle((40, 190 + line * 52, size[0] - 60 - (line * 37) % 200, 214 + line * 52), fill="#c9c2b4")
    draw.text((40, 60), words, fill="white")
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


@cache
def _secret() -> str:
    """The password as kept; made once, since it is made slow on purpose."""
    return officers.hash_password(PASSWORD)


def add_officers(store: Store) -> None:
    rows = [
        {"name": name, "shown": shown, "roles": list(roles), "secret": _secret(), "demo": name == "wu", "active": True}
        for name, shown, roles in OFFICERS
    ]
    with store.write() as conn:
        conn.execute(insert(tables.officers), rows)


def _one(conn: Connection, table: Any, **values: Any) -> int:
    return int(conn.execute(insert(table).values(**values)).inserted_primary_key[0])


def add_hit(
    store: Store,
    *,
    now: datetime,
    sample: Sample = SAMPLES[0],
    serial: int = 1,
    platform: str = "demo-forum",
    screenshot: bytes | None = None,
    age: timedelta = timedelta(minutes=5),
    campaign: int | None = None,
    score: float | None = None,
    publisher: str | None = "金穗堂财富",
) -> int:
    """One open hit, with its sweep, capture, posting and assessment: its id."""
    digest = Archive(store.settings.archive_dir).put_blob(screenshot, ".png") if screenshot else None
    at, url = now - age, f"https://www.example.cn/{platform}/thread-{serial}.html"
    page = f"<html>{sample.title}{serial}</html>".encode()
    text = "\n".join(part for part in (sample.title, sample.body) if part)
    matches = [
        {"rule": rule, "start": text.index(words), "end": text.index(words) + len(words), "weight": weight, "text": words, "fold": fold}
        for words, rule, weight, fold in sample.marks
    ]
    reasons = [
        {
            "text": f"文中“{m['text']}”{TITLES[m['rule'].split('.')[0]]}。",
            "rule": m["rule"],
            "start": m["start"],
            "end": m["end"],
            "articles": ["广告法 第25条", "防范和处置非法集资条例 第11条"] if m["weight"] > 0 else [],
        }
        for m in matches
    ]
    with store.write() as conn:
        sweep = _one(
            conn, tables.sweeps, platform=platform, purpose="patrol", began_at=at, ended_at=at, outcome="ok", counts={"sweep/new": 1}
        )
        capture = _one(
            conn,
            tables.captures,
            sweep_id=sweep,
            platform=platform,
            url=url,
            final_url=url,
            fetched_at=at,
            status=200,
            sha256=sha256(page),
            size=len(page),
            mime="text/html",
            charset="utf-8",
            via="browser" if screenshot else "http",
            screenshot_sha256=digest,
            sealed=True,
        )
        posting = _one(
            conn,
            tables.postings,
            platform=platform,
            url=url,
            fingerprint=fingerprint(platform=platform, url=url, title=sample.title, body=sample.body),
            kind="post",
            title=sample.title,
            body=sample.body,
            publisher=publisher,
            publisher_address="guanli@example.cn",
            first_capture_id=capture,
            last_capture_id=capture,
            first_seen_at=at,
            last_seen_at=at,
            assessed_at=at,
            contacts=[
                {"kind": "phone", "value": "13800001234", "start": 0, "end": 0},
                {"kind": "wechat", "value": "jinsui_8866", "start": 0, "end": 0},
            ],
        )
        value = score if score is not None else {"alert": 0.97, "review": 0.78}[sample.level]
        assessment = _one(
            conn,
            tables.assessments,
            posting_id=posting,
            at=at,
            level=sample.level,
            score=value,
            layer="suspected_fundraising",
            grade=sample.grade,
            schemes=[sample.scheme],
            features=["F2", "F3", "F4"],
            matches=matches,
            reasons=reasons,
            scores=[
                {"classifier": "keyword", "version": "1", "value": value},
                {"classifier": "neural", "version": "1", "value": value - 0.05},
            ],
            codes=["ZH39"],
            authorities=["jrb", "scjg"],
            ruleset="base@0123456789ab",
            model="small-1",
        )
        return _one(
            conn,
            tables.hits,
            posting_id=posting,
            assessment_id=assessment,
            level=sample.level,
            grade=sample.grade,
            score=value,
            opened_at=at,
            campaign_id=campaign,
        )


def add_campaign(store: Store, *, now: datetime, title: str) -> int:
    with store.write() as conn:
        return _one(conn, tables.campaigns, opened_at=now, title=title)


def tie(store: Store, *, hit: int, campaign: int, kind: str, value: str) -> None:
    with store.write() as conn:
        _one(conn, tables.ties, hit_id=hit, campaign_id=campaign, kind=kind, value=value)


def add_queue(store: Store, *, now: datetime, count: int = 40) -> list[int]:
    """Hits over all samples and platforms, seven of them in one campaign."""
    draw = random.Random(7)
    campaign = add_campaign(store, now=now, title="金穗堂稳健财富计划")
    made = []
    for serial in range(1, count + 1):
        sample = SAMPLES[serial % len(SAMPLES)]
        joined = sample.scheme == "wealth_mgmt"
        hit = add_hit(
            store,
            now=now,
            sample=sample,
            serial=serial,
            platform=PLATFORMS[serial % 7],
            age=timedelta(minutes=draw.randint(3, 700)),
            score=round(draw.uniform(0.9, 0.99) if sample.level == "alert" else draw.uniform(0.6, 0.89), 3),
            campaign=campaign if joined else None,
            screenshot=picture(f"page {serial}") if serial % 6 == 0 else None,
            publisher=f"账号{serial:02d}号" if serial % 4 else None,
        )
        if joined:
            tie(store, hit=hit, campaign=campaign, kind="phone", value="13800001234")
            tie(store, hit=hit, campaign=campaign, kind="text", value="a1b2c3")
        made.append(hit)
    return made


def add_day(store: Store, *, now: datetime) -> None:
    """24 hours of sweeps with what goes wrong in a real one, job runs, and open alarms."""
    start = now - timedelta(hours=23, minutes=50)
    with store.write() as conn:
        for number, platform in enumerate(PLATFORMS):
            for step in range(24 * 3):
                at = start + timedelta(minutes=20 * step, seconds=number * 40)
                if at > now or (number == 6 and step < 24) or (number == 3 and 33 <= step < 39):
                    continue
                outcome = "walled" if platform in ("demo-captcha", "demo-login") else "failed" if number == 2 and step % 29 == 4 else "ok"
                outcome = "empty" if number == 5 and step % 11 in (3, 4, 5) else outcome
                counts = {"sweep/new": (step * 7 + number) % 5 if outcome == "ok" else 0, "sweep/pages": 4}
                _one(
                    conn,
                    tables.sweeps,
                    platform=platform,
                    purpose="patrol",
                    began_at=at,
                    ended_at=at + timedelta(seconds=9),
                    outcome=outcome,
                    counts=counts,
                )
        for job in ("assess", "link", "dispatch", "recheck", "retention"):
            for step in range(12):
                at = now - timedelta(hours=2 * step)
                _one(
                    conn,
                    tables.runs,
                    job=job,
                    began_at=at,
                    ended_at=at,
                    outcome="failed" if job == "dispatch" and step == 3 else "ok",
                    counts={},
                )
        for kind, subject, text, times in (
            ("wall", "demo-captcha", "返回验证码页面，本轮取得 0 条内容。", 71),
            ("zero_postings", "demo-video", "连续 3 轮没有取到任何内容，此前每轮约 6 条。", 3),
            ("channel", "email", "邮件服务器 127.0.0.1:2525 无法连接，2 件待发。", 4),
            ("missed_run", "demo-weibo", "11:00 至 13:00 没有巡查记录。", 1),
        ):
            opened = now - timedelta(hours=3, minutes=times)
            _one(
                conn,
                tables.alarms,
                kind=kind,
                subject=subject,
                text=text,
                opened_at=opened,
                last_at=now - timedelta(minutes=4),
                times=times,
            )
