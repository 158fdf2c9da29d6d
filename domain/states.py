"""The one table of states. `store.moves` is the only writer of a state column.

Sources: Hit and Lead follow 行政执法机关移送涉嫌犯罪案件的规定 (国令310) arts 5-10 and the feedback loop of the
city notice; Notice follows the right to answer of 行政处罚法 arts 7 and 44.
"""

from __future__ import annotations

from domain.errors import IllegalMove

Table = dict[str, dict[str, str]]
"""state -> {event: next state}; a state that maps to {} is final."""

HIT: Table = {
    "open": {"claim": "claimed"},
    "claimed": {"confirm": "confirmed", "confirm_first": "seconding", "dismiss": "dismissed", "release": "open", "lapse": "open"},
    "seconding": {"confirm": "confirmed", "dismiss": "dismissed", "disagree": "open"},
    "confirmed": {"close": "closed", "reopen": "open"},
    "dismissed": {"reopen": "open"},
    "closed": {},
}
NOTICE: Table = {
    "draft": {"approve": "approved", "discard": "withdrawn"},
    "approved": {"queue": "queued", "withdraw": "withdrawn"},
    "queued": {"deliver": "sent", "fail": "failed", "withdraw": "withdrawn"},
    "failed": {"requeue": "queued", "withdraw": "withdrawn"},
    "sent": {"acknowledge": "acknowledged", "appeal": "appealed", "rectify": "rectified", "persist": "persists", "withdraw": "withdrawn"},
    "acknowledged": {"appeal": "appealed", "rectify": "rectified", "persist": "persists", "withdraw": "withdrawn"},
    "appealed": {"reject": "sent", "withdraw": "withdrawn"},
    "rectified": {"come_back": "persists"},
    "persists": {"requeue": "queued", "escalate": "escalated", "rectify": "rectified", "withdraw": "withdrawn"},
    "escalated": {},
    "withdrawn": {},
}
LEAD: Table = {
    "draft": {"submit": "submitted", "discard": "closed"},
    "submitted": {"approve": "approved", "decline": "declined"},
    "declined": {"redraft": "draft"},
    "approved": {"refer": "referred"},
    "referred": {"receipt": "received"},
    "received": {"verify": "verifying", "file": "filed", "return": "returned", "elsewhere": "elsewhere"},
    "verifying": {"file": "filed", "return": "returned", "elsewhere": "elsewhere"},
    "returned": {"administrative": "administrative"},
    "administrative": {"close": "closed"},
    "filed": {"close": "closed"},
    "elsewhere": {"close": "closed"},
    "closed": {},
}
DELIVERY: Table = {
    "due": {"lease": "sending", "cancel": "cancelled"},
    "sending": {"deliver": "delivered", "retry": "due", "die": "dead", "lapse": "due", "doubt": "uncertain"},
    "uncertain": {"deliver": "delivered", "revive": "due", "cancel": "cancelled"},
    "dead": {"revive": "due", "cancel": "cancelled"},
    "delivered": {},
    "cancelled": {},
}
RULE: Table = {
    "draft": {"try": "background"},
    "background": {"go_live": "live", "withdraw": "draft"},
    "live": {"retire": "retired", "demote": "background"},
    "retired": {"revive": "background"},
}
MACHINES: dict[str, Table] = {"hit": HIT, "notice": NOTICE, "lead": LEAD, "delivery": DELIVERY, "rule": RULE}
INITIAL = {"hit": "open", "notice": "draft", "lead": "draft", "delivery": "due", "rule": "draft"}

CHINESE: dict[str, dict[str, str]] = {
    "hit": {
        "open": "待复核",
        "claimed": "复核中",
        "seconding": "待二次复核",
        "confirmed": "已确认",
        "dismissed": "已排除",
        "closed": "已办结",
    },
    "notice": {
        "draft": "拟稿",
        "approved": "已签发",
        "queued": "待送达",
        "failed": "送达失败",
        "sent": "已送达",
        "acknowledged": "已签收",
        "appealed": "申诉中",
        "rectified": "已整改",
        "persists": "仍在发布",
        "escalated": "已升级",
        "withdrawn": "已撤回",
    },
    "lead": {
        "draft": "拟稿",
        "submitted": "待审批",
        "declined": "未批准",
        "approved": "已批准",
        "referred": "已推送",
        "received": "已签收",
        "verifying": "核查中",
        "filed": "已立案",
        "returned": "不予立案",
        "elsewhere": "转外地",
        "administrative": "行政处理",
        "closed": "已办结",
    },
    "delivery": {
        "due": "待发",
        "sending": "发送中",
        "delivered": "已送达",
        "uncertain": "待查证",
        "dead": "无法送达",
        "cancelled": "已取消",
    },
    "rule": {
        "draft": "草稿",
        "background": "试运行",
        "live": "启用",
        "retired": "停用",
    },
}


def move(machine: str, state: str, event: str) -> str:
    """The state that `event` leads to from `state`.

    Raises IllegalMove, which names the state, the event and what is allowed.
    """
    allowed = MACHINES[machine].get(state, {})
    if event not in allowed:
        raise IllegalMove(machine=machine, state=state, event=event, allowed=sorted(allowed))
    return allowed[event]
