"""What the pages call things, in Chinese. Names of schemes and authorities come from the rule pack."""

from __future__ import annotations

from datetime import datetime

from domain import contacts
from domain.states import CHINESE

LEVELS = {"alert": "重点", "review": "待查", "watch": "关注", "clear": "无"}
GRADES = ("高危", "中危", "一般")
LAYERS = {"ad_defect": "涉嫌违反广告管理规定", "suspected_fundraising": "涉嫌非法集资广告", "suspected_crime": "涉嫌犯罪线索"}
FEATURES = {"F1": "非法性（待核）", "F2": "公开性", "F3": "利诱性", "F4": "社会性", "M": "传销性", "X": "虚假或冒用"}
KINDS = {"ad": "广告", "post": "帖文", "article": "文章", "listing": "分类信息", "live": "直播", "app": "应用", "leaflet": "单页"}
OUTCOMES = {"confirmed": "确认涉嫌", "dismissed": "排除"}
CHANNELS = {"email": "电子邮件", "webhook": "接口推送", "folder": "文件夹", "police": "公安接收端"}
LEAD_KINDS = {"clue": "线索通报", "case": "案件移送"}
TIES = {
    "text": "文字相近",
    "phone": "同一电话",
    "wechat": "同一微信",
    "qq": "同一QQ",
    "group": "同一群号",
    "domain": "同一域名",
    "link": "同一链接",
    "qr": "同一二维码",
    "payee": "同一收款户",
    "account": "同一账户",
    "icp": "同一备案号",
    "email": "同一邮箱",
    "image": "同一图片",
    "phash": "图片相近",
    "crypto": "同一钱包地址",
}
CONTACTS = contacts.NAMES
ROLES = {"patroller": "巡查员", "reviewer": "复核员", "approver": "审批人", "liaison": "联络员", "auditor": "审计员", "admin": "管理员"}
VIEWS = {"desktop": "电脑直接访问", "desktop-search": "电脑从搜索进入", "phone": "手机直接访问", "phone-search": "手机从搜索进入"}
IMPORTED = {
    "warc": "导入 WARC 网页存档",
    "wacz": "导入 WACZ 网页存档包",
    "har": "导入手机流量录制",
    "eml": "导入邮件",
    "photos": "导入照片或扫描件",
    "export": "导入采集工具文件",
    "list": "导入清单",
}
"""Importer -> how what it brought was captured."""
VIA = {"http": "网页抓取", "browser": "浏览器抓取", **VIEWS, **IMPORTED}
BROUGHT = {"offline": "线下（照片、扫描件）", "mail": "邮件", "list": "清单导入", "unknown": "来源不明（导入）"}
"""Platforms that only imports know -> their name; other material of theirs stands under its host."""
PHOTO = {
    "Place": "拍摄地点",
    "Time": "拍摄时间",
    "Officer": "采集人",
    "Carrier": "载体",
    "Note": "备注",
    "Position": "拍摄位置",
    "File": "照片文件",
}
"""What an officer wrote down about an imported photo."""

QUICK_REASONS = {
    "confirmed": (
        "承诺保本或固定高收益，面向不特定公众，涉嫌非法集资广告",
        "公开招揽投资并留联系方式，未见资质与风险提示",
        "以消费返利、养老、加盟等名义承诺还本付息",
        "设入门费、拉人头、多级返利，涉嫌传销式集资",
        "冒用国家机关、国企或持牌机构名义招揽资金",
        "用变形字、谐音、图片规避审查，实为招揽投资",
    ),
    "dismissed": (
        "反诈、普法或监管提示宣传",
        "新闻报道、裁判文书或学术讨论",
        "持牌机构合规宣传，含风险提示",
        "普通商品促销、优惠券或招聘",
        "个人维权、投诉或日常发言，不是广告",
        "文字误命中，与资金招揽无关",
    ),
}
"""Reasons that officers give most; a pick fills the field and can be edited."""

LABELS = {
    "fundraising_promo": ("涉嫌非法集资宣传", "承诺还本付息或回报，向公众招揽资金"),
    "illegal_finance_promo": ("涉嫌其他非法金融宣传", "黑贷、荐股、跑分、代理退保等招揽"),
    "adlaw_defect": ("涉嫌广告用语不当", "有资质，但保证收益、缺风险提示等"),
    "legit_finance": ("持牌机构合规宣传", "有资质、有风险提示"),
    "education": ("反诈普法、监管提示", "告诫公众，不是招揽"),
    "news": ("新闻报道、裁判文书", "报道或讨论他人之事"),
    "complaint": ("维权、投诉、求助", "本人遭遇，不是招揽"),
    "other_ad": ("其他广告", "商品、招聘、培训等，与资金招揽无关"),
    "other": ("其他内容", "闲谈、通知等"),
}
"""Label of a training text -> (name, what belongs there)."""
WEIGHT_ACTS = {
    "weights.propose": "设为候选模型",
    "weights.withdraw": "撤下候选模型",
    "weights.promote": "启用模型",
    "weights.rollback": "恢复此前模型",
    "weights.propose_failed": "设为候选模型未成",
    "weights.withdraw_failed": "撤下候选模型未成",
    "weights.promote_failed": "启用模型未成，原模型继续使用",
    "weights.rollback_failed": "恢复此前模型未成，原模型继续使用",
}

SWEEP_CELLS = {
    "ok": "正常",
    "empty": "无内容",
    "walled": "受阻",
    "failed": "失败",
    "missed": "未巡查",
    "running": "进行中",
    "rest": "未到时",
    "before": "尚未纳入",
}
SWEEP_OUTCOMES = {
    "ok": "ok",
    "empty": "empty",
    "walled": "walled",
    "drifted": "failed",
    "failed": "failed",
    "killed": "failed",
    "timed_out": "failed",
    "too_big": "failed",
    "disk_full": "failed",
    "running": "running",
}
OUTCOME_WORDS = {
    "ok": "正常",
    "empty": "无内容",
    "walled": "受阻（验证码或登录墙）",
    "drifted": "页面结构变化",
    "failed": "失败",
    "killed": "被中止",
    "timed_out": "超时",
    "too_big": "内存超限",
    "disk_full": "磁盘已满",
    "running": "进行中",
}
ALARM_KINDS = {
    "zero_postings": ("巡查无内容", "打开该平台公开页面核对是否有新内容；有内容而未取到，检查平台文件的选择器。"),
    "drift": ("页面结构变化", "网站改版或字段缺失：用平台检查命令核对该平台文件并更新选择器。"),
    "wall": ("受阻（验证码/登录墙）", "不得绕过。降低频次，或与平台联系取得合法访问方式；期间该平台视为未覆盖。"),
    "dead_job": ("任务中断", "查看运行日志中的失败原因；守护进程会自动重试，连续失败请联系维护人员。"),
    "disk": ("磁盘空间不足", "清理或扩容数据目录所在磁盘；巡查在空间恢复前暂停，已存证据不受影响。"),
    "lease": ("任务占用超时", "处理该任务的进程可能已退出；占用到期自动释放，反复出现请联系维护人员。"),
    "channel": ("送达通道不可用", "核对收件地址与通道设置；通道恢复后自动续发，不会重复送达。"),
    "delivery_uncertain": ("送达结果待查证", "发送中途中断，无法确认对方是否收到：与收件方核实后，在文书页登记“已送达”“重发”或“取消”。"),
    "dead_letter": ("多次送达失败", "核对地址与原因后，在文书页选择重发或取消，并另行送达。"),
    "model": ("研判模型不可用", "按告警所述恢复模型文件，无须重启；其间用此前的模型或仅以规则研判，漏检可能增加。"),
    "rules": ("规则库有错", "改动未生效，原规则继续研判：运行 wangxun rules check，按提示改正，一分钟内自动采用。"),
    "missed_run": ("漏巡查", "该时段未按时巡查：核对主机是否停机；恢复后会补巡，日志保留缺口。"),
    "rule_flood": ("规则命中激增", "打开“规则”页看被暂缓的内容：确属涉嫌的放行；误命中的不放行，并修改规则或改为试运行。"),
    "lost_evidence": ("证据异常", "立即停止相关文书的审批，运行数据校验命令并联系维护人员。"),
    "lead_overdue": ("线索超期", "催办接收单位并记录；仍无反馈的，报负责人。"),
    "lead_returned": ("不予立案退回", "线索已转行政处理：请安排承办人，避免两不管。"),
    "daemon": ("守护进程", "巡查守护进程未在运行：在主机上启动后核对巡查日志。"),
    "store": ("数据库异常", "停止操作，运行数据校验命令并联系维护人员。"),
    "clock": ("主机时间异常", "校准主机时间后重启；期间的时间记录请另作说明。"),
    "overdue": ("办理超期", "催办并记录；超期未反馈的线索应电话联系接收单位。"),
}
"""Alarm kind -> (name, what to do)."""

JOBS = {
    "cloak": "分访客比对",
    "rotation": "检索词轮换",
    "stamp": "截图加注",
    "schedule": "回访排期",
    "assess": "研判",
    "recover": "恢复",
    "tidy": "清理核对",
    "platforms": "平台文件核对",
    "read": "识图",
    "inbox": "导入材料",
    "link": "同源关联",
    "dispatch": "送达",
    "recheck": "复查",
    "feedback": "取反馈",
    "retention": "留存清理",
    "lapse": "占用清理",
    "report": "报表",
    "backup": "备份",
    "watch": "看守",
    "health": "健康检查",
}
FEEDBACK = {"verifying": "正在核查", "filed": "已立案", "returned": "不予立案", "elsewhere": "转外地"}

SAID = {
    "claimed": "已领取，请复核并写明理由。",
    "released": "已放回队列。",
    "confirmed": "已确认涉嫌",
    "dismissed": "已排除",
    "first": "已提交初核意见，等待另一名复核员独立复核",
    "disagreed": "两次复核意见不一致，已退回队列重新复核",
    "reopened": "已撤销原决定，重新进入队列。",
    "drafted": "已拟稿，请核对后提交。",
    "approved": "已签发，进入送达队列。",
    "lead_approved": "已批准，进入移交队列。",
    "withdrawn": "已撤回。",
    "submitted": "已提交审批。",
    "uploaded": "文件已收到，后台即将导入，结果见下表。",
    "seconded": "已作为第二承办人会签。",
    "declined": "已退回，未批准。",
    "answered": "已登记对方答复。",
    "fed_back": "已登记接收单位反馈。",
    "rejected": "已驳回申诉，函件继续有效。",
    "escalated": "已结束预警，转入线索办理。",
    "settled": "已登记送达结果。",
    "closed": "已办结。",
    "cleared": "告警已标记处理。",
    "rule_released": "已放行：下一轮研判时进入队列，今日不再设上限。",
    "labelled": "已标注，仅用于训练。",
    "passed": "已跳过。",
    "tie_cut": "已切断：此后不再因此关联。如有误，可在下方“已切断”中恢复。",
    "tie_restored": "已恢复关联。",
    "tie_muted": "已标为公用：此后不再作为关联依据。",
    "tie_unmuted": "已恢复为关联依据。",
    "campaign_moved": "该线索已并入本线索，原编号继续有效。",
    "rule_dropped": "已登记不放行：这些内容留在“关注”。",
}
"""Messages after an act, by key: the address carries the key alone, so nobody can put words on our pages."""


def via(value: str) -> str:
    """How a capture was fetched, in words."""
    name, _, tail = value.partition(":")
    if name == "session":
        return f"以本单位账号抓取（{tail.removesuffix('/browser')}）" + ("，浏览器" if tail.endswith("/browser") else "")
    return VIA.get(value, value)


def state(machine: str, value: str) -> str:
    """The Chinese name of a state; the value itself where it has none."""
    return CHINESE.get(machine, {}).get(value, value)


def span(seconds: int) -> str:
    """A length of time, short: `12分`, `3时05分`, `2天4时`."""
    hours, minutes = divmod(max(0, seconds) // 60, 60)
    if hours >= 24:
        return f"{hours // 24}天{hours % 24}时"
    return f"{hours}时{minutes:02d}分" if hours else f"{minutes}分"


def age(since: datetime | None, now: datetime) -> str:
    """How long ago, short: `刚刚`, `12分`, `3时05分`, `2天4时`."""
    if since is None:
        return "—"
    seconds = int((now - since).total_seconds())
    return span(seconds) if seconds >= 60 else "刚刚"
