"""Learn (学习): officers' decisions and labels become labelled rows, and texts without a hit are offered for a label.

Nothing here opens a hit, decides, or warns. Only what public pages showed goes out: no tip, no reporter, no officer's name.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from classifiers import near
from classifiers.anonymity import anonymous
from classifiers.dataset import LABELS, PROMOS, SCHEMES
from domain import wholefile
from domain.clock import SHANGHAI
from domain.doubt import doubt
from domain.errors import StoreFault
from domain.identity import sha256
from domain.model import Layer
from rules.loader import RuleSet
from store import audit, lessons
from store.engine import Store

SOURCE = "decisions"
DISMISSED_AS: Mapping[str, str] = {
    "反诈、普法或监管提示宣传": "education",
    "新闻报道、裁判文书或学术讨论": "news",
    "持牌机构合规宣传，含风险提示": "legit_finance",
    "普通商品促销、优惠券或招聘": "other_ad",
    "个人维权、投诉或日常发言，不是广告": "complaint",
    "文字误命中，与资金招揽无关": "other",
}
"""The quick reasons of the console, by which a dismissal begins, and what they say a text is. Any other reason says only what it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    path: Path
    rows: int
    labels: Mapping[str, int]
    sha256: str
    since: str
    """YYYY-MM-DD; empty for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesson:
    """One posting and what officers made of it."""

    posting_id: int
    text: str
    label: str
    scheme: str
    sure: bool
    readers: int
    at: datetime
    date: str
    campaign: int | None
    fingerprint: str


def export(store: Store, path: Path, *, ruleset: RuleSet, since: date | None, now: datetime) -> Exported:
    """Write the rows of `classifiers.dataset`, a posting each, in the order in which they were decided; whole or not at all.

    The same decisions give the same bytes. Raises StoreFault where the file cannot be written.
    """
    found = rows(store, ruleset=ruleset, since=since)
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found).encode("utf-8", "replace")
    digest = sha256(data)
    with store.write() as conn:  # before the file: nothing leaves the store without a trace
        detail = {"rows": len(found), "sha256": digest, "since": since.isoformat() if since else ""}
        audit.append(conn, actor="machine:train", action="decisions.export", subject="decisions", at=now, detail=detail)
    try:
        wholefile.replace(path, data)
    except OSError as error:
        raise StoreFault(f"{path}: cannot be written: {error.strerror or error}; name a folder that is there and has room") from error
    labels = dict(sorted(Counter(row["label"] for row in found).items()))
    return Exported(path=path, rows=len(found), labels=labels, sha256=digest, since=since.isoformat() if since else "")


def rows(store: Store, *, ruleset: RuleSet, since: date | None = None) -> list[dict[str, Any]]:
    """The rows themselves; `since` is the first day, in Shanghai, whose decisions are wanted."""
    with store.read() as conn:
        decided, labelled = lessons.decided(conn), lessons.labelled(conn)
    found = _of_decisions(decided, ruleset) + [_of_label(row) for row in labelled]
    found = sorted((one for one in found if one.text.strip()), key=lambda one: (one.at, one.posting_id))
    # Grouped before any is left out, so that a row bears the same group in every export.
    groups = _groups(found)
    return [
        _row(one, group) for one, group in zip(found, groups, strict=True) if since is None or one.at.astimezone(SHANGHAI).date() >= since
    ]


def _row(one: _Lesson, group: str) -> dict[str, Any]:
    row = {"text": anonymous(one.text), "label": one.label, "scheme": one.scheme or None, "source": SOURCE, "group": group}
    return row | {"date": one.date, "readers": one.readers, "sure": int(one.sure)}


def _of_decisions(decided: Sequence[Any], ruleset: RuleSet) -> list[_Lesson]:
    """One lesson a hit: its last decision stands, and counts as read by two where two officers said the same."""
    by_hit: dict[int, list[Any]] = {}
    for row in decided:
        by_hit.setdefault(row.hit_id, []).append(row)
    found = []
    for own in by_hit.values():
        last = own[-1]
        officers = {row.officer for row in own if row.outcome == last.outcome}
        label, scheme, sure = _confirmed(last, ruleset) if last.outcome == "confirmed" else _dismissed(last.reason)
        found.append(
            _lesson(last, label=label, scheme=scheme, sure=sure, readers=min(len(officers), 2), campaign=last.campaign_id),
        )
    return found


def _of_label(row: Any) -> _Lesson:
    label = row.label if row.label in LABELS else "other"
    return _lesson(row, label=label, scheme=row.scheme or "", sure=row.label in LABELS, readers=1, campaign=None)


def _lesson(row: Any, *, label: str, scheme: str, sure: bool, readers: int, campaign: int | None) -> _Lesson:
    parts = (row.title, row.body, *(image.get("text", "") for image in row.images))
    return _Lesson(
        posting_id=row.posting_id,
        text="\n".join(part for part in parts if part),  # as domain.model.Posting.text joins them: what was judged
        label=label,
        scheme=scheme if scheme in SCHEMES else "",
        sure=sure,
        readers=readers,
        at=row.at,
        date=(row.published_at or row.first_seen_at).astimezone(SHANGHAI).date().isoformat(),
        campaign=campaign,
        fingerprint=row.fingerprint,
    )


def _confirmed(row: Any, ruleset: RuleSet) -> tuple[str, str, bool]:
    """(label, scheme, sure): by the first scheme of the assessment that the officer confirmed; without one, by its layer and unsure."""
    for slug in row.schemes:
        if slug in ruleset.schemes:
            return ("fundraising_promo" if ruleset.schemes[slug].fundraising else "illegal_finance_promo"), slug, True
    return ("illegal_finance_promo" if row.layer == Layer.SUSPECTED_CRIME else "fundraising_promo"), "", False


def _dismissed(reason: str) -> tuple[str, str, bool]:
    """(label, no scheme, sure): what the quick reason says; `other`, unsure, for a reason in the officer's own words."""
    for words, label in DISMISSED_AS.items():
        if reason.startswith(words):
            return label, "", True
    return "other", "", False


def _groups(found: Sequence[_Lesson]) -> list[str]:
    """For each the name of all that must stay on one side of a split: of one campaign, or near-duplicates."""
    ties = near.Ties(len(found))
    ties.tie_equal(str(one.campaign) if one.campaign is not None else "" for one in found)
    for number, first in enumerate(near.clusters([one.text for one in found]) if found else []):
        ties.tie(number, first)
    tops = ties.tops()
    names: dict[int, str] = {}
    campaigns: dict[int, int] = {}
    for one, top in zip(found, tops, strict=True):
        names.setdefault(top, f"{SOURCE}:near-{one.fingerprint[:12]}")
        if one.campaign is not None:
            campaigns[top] = min(campaigns.get(top, one.campaign), one.campaign)
    return [f"{SOURCE}:campaign-{campaigns[top]}" if top in campaigns else names[top] for top in tops]


def offered(store: Store, *, review: float, now: datetime) -> tuple[list[int], int]:
    """(postings to label now, texts done today): the rest of the day's sample, which `label_sample` of the settings bounds.

    Every other one is the next in doubt (`review`: the score from which a hit opens); those between are drawn by chance, so that
    what is learned is not only what was doubted. The same day and texts give the same order.
    """
    most = store.settings.label_sample
    with store.read() as conn:
        done = lessons.given_today(conn, now=now)
        found = lessons.unlabelled(conn, now=now) if done < most else []
    day = now.astimezone(SHANGHAI).date().isoformat()
    doubted = sorted(found, key=lambda row: (-doubt(row.scores, score=row.score, review=review), row.posting_id))
    chance = sorted(found, key=lambda row: hashlib.sha256(f"{day}/{row.posting_id}".encode()).digest())
    mixed = dict.fromkeys(row.posting_id for pair in zip(doubted, chance, strict=True) for row in pair)
    return list(mixed)[: most - done] if done < most else [], done


def give(store: Store, posting_id: int, *, officer: str, label: str, scheme: str = "", now: datetime) -> None:
    """Keep an officer's label on a text without a hit; an empty one passes it over. Raises StoreFault for an unknown label or scheme."""
    if label and label not in LABELS:
        raise StoreFault(f"posting:{posting_id}: {label!r} 不是标注类别，请在页面中选择")
    if scheme and (scheme not in SCHEMES or label not in PROMOS):
        raise StoreFault(f"posting:{posting_id}: {scheme!r} 不能作为此类别的涉嫌类型，请在页面中选择")
    with store.write() as conn:
        lessons.give(
            conn, posting_id, officer=officer, label=label or None, scheme=scheme or None, now=now, most=store.settings.label_sample
        )
