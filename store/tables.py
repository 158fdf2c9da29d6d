"""The tables, one MetaData for SQLite and PostgreSQL. Columns named `state` are written by `store.moves` alone."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

from store import cloaktables, picturetable, schedule_tables
from store.columns import Id, Moment, metadata
from store.columns import id_column as _id
from store.columns import json_column as _json
from store.columns import state_column as _state
from store.linktables import key_default

__all__ = ["Id", "Moment", "metadata", "picturetable", "schedule_tables", "cloaktables"]

sweeps = Table(
    "sweeps", metadata, _id(),
    Column("platform", Text, nullable=False),
    Column("purpose", Text, nullable=False, default="patrol"),  # patrol, recheck, import
    Column("began_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", Text, nullable=False, default="running"),  # running ok empty walled drifted failed killed timed_out too_big disk_full
    Column("why", Text, nullable=False, default=""),
    Column("counts", JSON, nullable=False, default=dict),  # {"sweep/pages": 3, "sweep/postings": 40, "sweep/new": 2, ...}
    Column("pid", Integer),
    Index(None, "platform", "began_at"), Index(None, "began_at"),
)
captures = Table(
    "captures", metadata, _id(),
    Column("sweep_id", ForeignKey("sweeps.id"), nullable=False, index=True),
    Column("platform", Text, nullable=False),
    Column("url", Text, nullable=False, index=True),
    Column("final_url", Text, nullable=False),
    Column("fetched_at", Moment, nullable=False, index=True),
    Column("status", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("mime", Text, nullable=False),
    Column("charset", Text),
    Column("via", Text, nullable=False),
    Column("warc", Text),  # path below the archive folder; null once dropped by retention
    Column("warc_offset", BigInteger),
    Column("warc_length", BigInteger),
    Column("screenshot_sha256", Text),
    Column("sealed", Boolean, nullable=False, default=False),  # copied to the evidence part of the archive
)
postings = Table(
    "postings", metadata, _id(),
    Column("platform", Text, nullable=False),
    Column("url", Text, nullable=False, index=True),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False, default=""),
    Column("body", Text, nullable=False, default=""),
    Column("images", JSON, nullable=False, default=list),  # [{"url","sha256","text","qr":[]}]
    Column("publisher", Text),
    Column("publisher_address", Text),
    Column("advertiser", Text),
    Column("links", JSON, nullable=False, default=list),
    Column("contacts", JSON, nullable=False, default=list),  # [{"kind","value","start","end"}]
    Column("published_at", Moment),
    Column("marked_ad", Boolean, nullable=False, default=False),
    Column("first_capture_id", ForeignKey("captures.id"), nullable=False),
    Column("last_capture_id", ForeignKey("captures.id"), nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False, index=True),
    Column("seen", Integer, nullable=False, default=1),
    Column("read_at", Moment),  # pictures read; null while they wait
    Column("assessed_at", Moment),  # null while it waits to be judged
    Column("leased_by", Text),
    Column("leased_until", Moment),
    Index(None, "assessed_at", "leased_until"),
)
assessments = Table(
    "assessments", metadata, _id(),
    Column("posting_id", ForeignKey("postings.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("level", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("layer", Text),
    Column("grade", Text),
    _json("schemes"), _json("features"), _json("matches"), _json("reasons"), _json("scores"), _json("codes"), _json("authorities"),
    Column("ruleset", Text, nullable=False),
    Column("model", Text, nullable=False),
)
campaigns = Table(
    "campaigns", metadata, _id(),
    Column("opened_at", Moment, nullable=False),
    Column("title", Text, nullable=False),
    Column("merged_into", Id, index=True),  # the campaign that it went up into; its number then leads there
    Column("merged_at", Moment),
    Column("merged_by", Text),  # hit:12, whose coming tied the two, or the officer who took a cut back
    Column("parted_from", Id),
)
hits = Table(
    "hits", metadata, _id(),
    Column("posting_id", ForeignKey("postings.id"), nullable=False, unique=True),
    Column("assessment_id", ForeignKey("assessments.id"), nullable=False),
    Column("campaign_id", ForeignKey("campaigns.id"), index=True),
    _state("open"),
    Column("level", Text, nullable=False),
    Column("grade", Text),
    Column("score", Float, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_until", Moment),
    Index(None, "state", "score"),
)
rule_days = Table(  # what each rule did on one day; counted in the transaction that keeps the assessments
    "rule_days", metadata,
    Column("day", Text, primary_key=True),  # 2026-11-23, the day in Shanghai
    Column("rule", Text, primary_key=True),
    Column("matched", Integer, nullable=False, default=0),  # texts, each once, however often it was judged
    Column("hits", Integer, nullable=False, default=0),  # hits opened in which it stands
    Column("held", Integer, nullable=False, default=0),  # texts held back by its daily cap
    Column("stopped_at", Moment),  # when its cap was passed
    Column("lifted", Boolean, nullable=False, default=False),  # an officer let it go on for the rest of the day
)
hit_rules = Table(  # the rules that stand in the assessment of a hit
    "hit_rules", metadata,
    Column("hit_id", ForeignKey("hits.id"), primary_key=True),
    Column("rule", Text, primary_key=True, index=True),
)
held = Table(  # postings that would have opened a hit but for a rule's daily cap; gone once they are judged again
    "held", metadata,
    Column("posting_id", ForeignKey("postings.id"), primary_key=True),
    Column("rule", Text, primary_key=True, index=True),
    Column("at", Moment, nullable=False),
)
ties = Table(  # why a hit belongs to its campaign; an officer can cut one
    "ties", metadata, _id(),
    Column("hit_id", ForeignKey("hits.id"), nullable=False, index=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # text, phone, wechat, qq, domain, qr, payee ...
    Column("value", Text, nullable=False),  # of a text: the number of its family
    Column("cut_by", Text),
    Column("cut_at", Moment),
    Column("why", Text),  # of the cut
    Column("key", BigInteger, default=key_default, index=True),
    Column("text_id", Id),  # what the hit says, where the tie is of near text
    Column("account", BigInteger),  # who published it, as a number
)
decisions = Table(
    "decisions", metadata, _id(),
    Column("hit_id", ForeignKey("hits.id"), nullable=False, index=True),
    Column("officer", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # confirmed or dismissed
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("ruleset", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("reversed_by", Text),
)
notices = Table(
    "notices", metadata, _id(),
    Column("number", Text, unique=True),
    Column("hit_id", ForeignKey("hits.id"), nullable=False, index=True),
    _state("draft"),
    Column("addressee", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("approved_by", Text),
    Column("drafted_at", Moment, nullable=False),
    Column("approved_at", Moment),
    Column("sent_at", Moment),
    Column("answer_by", Moment),
    Column("recheck_at", Moment, index=True),
    Column("rechecks", Integer, nullable=False, default=0),
    Column("down_at", Moment),  # first recheck that found it gone
    Column("body", JSON, nullable=False),  # the fields of the letter, as filled
    Column("docx_sha256", Text),
    Column("pdf_sha256", Text),
    Column("answer", Text, nullable=False, default=""),
)
leads = Table(
    "leads", metadata, _id(),
    Column("number", Text, unique=True),
    Column("kind", Text, nullable=False, default="clue"),  # clue 线索通报, case 案件移送
    _state("draft"),
    Column("suspect", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("grade", Text),
    Column("summary", Text, nullable=False, default=""),
    Column("prepared_by", Text, nullable=False),
    Column("second_preparer", Text),
    Column("approved_by", Text),
    Column("opened_at", Moment, nullable=False),
    Column("submitted_at", Moment),
    Column("decide_by", Moment),  # 国令310 art 5: the head decides in 3 days
    Column("approved_at", Moment),
    Column("refer_by", Moment),  # 国令310 art 5: 24 h after approval
    Column("referred_at", Moment),
    Column("receipt", Text),
    Column("received_at", Moment),
    Column("feedback_by", Moment),
    Column("feedback", JSON),
    Column("feedback_at", Moment),
    Column("body", JSON, nullable=False, default=dict),
    Column("dossier_sha256", Text),
    Column("docx_sha256", Text),
    Column("pdf_sha256", Text),
    Column("why", Text, nullable=False, default=""),
)
lead_hits = Table(
    "lead_hits", metadata,
    Column("lead_id", ForeignKey("leads.id"), primary_key=True),
    Column("hit_id", ForeignKey("hits.id"), primary_key=True, index=True),
)
deliveries = Table(
    "deliveries", metadata, _id(),
    Column("subject", Text, nullable=False),  # notice or lead
    Column("subject_id", Id, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    _state("due"),
    Column("made_at", Moment, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("leased_by", Text),
    Column("leased_until", Moment),
    Column("handed_at", Moment),  # written just before the receiver takes it: a crash after this is doubt, not a retry
    Column("delivered_at", Moment),
    Column("receipt", JSON),
    Column("last_error", Text, nullable=False, default=""),
    Index(None, "state", "next_at"),
)
shadows = Table(  # what a candidate model would have said of a posting, beside the word that counts; nothing is done by it
    "shadows", metadata,
    Column("posting_id", ForeignKey("postings.id"), primary_key=True),
    Column("model", Text, primary_key=True),  # version of the candidate
    Column("at", Moment, nullable=False),
    Column("level", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("live_model", Text, nullable=False),
    Column("live_level", Text, nullable=False),
    Column("live_score", Float, nullable=False),
    Column("cost_us", Integer, nullable=False),  # the candidate's share of its batch's time
    Column("live_cost_us", Integer, nullable=False),  # the same of the whole judge in force
    Index(None, "model", "at"),
)
labels = Table(  # an officer's label on a text that opened no hit: for training alone
    "labels", metadata,
    Column("posting_id", ForeignKey("postings.id"), primary_key=True),
    Column("label", Text),  # of classifiers/dataset.py; null where the officer passed it over
    Column("scheme", Text),
    Column("officer", Text, nullable=False),
    Column("at", Moment, nullable=False, index=True),
    Column("score", Float, nullable=False),  # of the assessment it had then, with the rules and the model that spoke
    Column("ruleset", Text, nullable=False),
    Column("model", Text, nullable=False),
)
alarms = Table(
    "alarms", metadata, _id(),
    Column("kind", Text, nullable=False),  # zero_postings drift wall dead_job disk ...: docs/operating.md
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("times", Integer, nullable=False, default=1),
    Column("cleared_at", Moment),
    Column("cleared_by", Text),
    Index(None, "kind", "subject", "cleared_at"),
)
runs = Table(  # one row a job run: the proof of patrol
    "runs", metadata, _id(),
    Column("job", Text, nullable=False),  # sweep:<platform>, assess, dispatch, recheck, feedback, retention ...
    Column("due_at", Moment),
    Column("began_at", Moment, nullable=False, index=True),
    Column("ended_at", Moment),
    Column("outcome", Text, nullable=False, default="running"),  # running ok failed killed missed skipped
    Column("why", Text, nullable=False, default=""),
    Column("counts", JSON, nullable=False, default=dict),
    Index(None, "job", "began_at"),
)
officers = Table(
    "officers", metadata,
    Column("name", Text, primary_key=True),
    Column("shown", Text, nullable=False),
    Column("roles", JSON, nullable=False),  # patroller reviewer approver liaison auditor admin
    Column("secret", Text, nullable=False),  # scrypt
    Column("demo", Boolean, nullable=False, default=False),
    Column("active", Boolean, nullable=False, default=True),
)
audit = Table(
    "audit", metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),  # an officer's name, or machine:<job>
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),  # hit:12
    Column("detail", JSON, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
serials = Table(
    "serials", metadata,
    Column("name", Text, primary_key=True),
    Column("last", Integer, nullable=False),
)
