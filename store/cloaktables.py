"""The tables of cloaking (伪装): comparisons of what visitors were shown, and stamped copies of screenshots."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Table, Text

from store.columns import Moment, id_column, metadata

cloaks = Table(
    "cloaks", metadata, id_column(),
    Column("hit_id", ForeignKey("hits.id"), index=True),  # null for a page of the sample that opened none
    Column("platform", Text, nullable=False),
    Column("url", Text, nullable=False, index=True),
    Column("origin", Text, nullable=False),  # hit or sample
    Column("sweep_id", ForeignKey("sweeps.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("verdict", Text, nullable=False),  # same, differs, unsteady (once so, once otherwise), unclear (too few views came)
    Column("views", JSON, nullable=False),  # [{"view","capture_id","status","level","score","title","promo":[],"contacts":[]}]
    Column("differences", JSON, nullable=False),  # {"sentences":[{"text","views":[],"rules":[]}],"contacts":[{"kind","value","views":[]}]}
    Column("reason", Text, nullable=False, default=""),
    Column("assessment_id", ForeignKey("assessments.id")),  # the assessment that carries the reason; null while none does
    Index(None, "platform", "at"),
)  # fmt: skip
overlays = Table(  # a screenshot's copy with time and address on it; the screenshot itself stays as it was taken
    "overlays", metadata,
    Column("screenshot_sha256", Text, primary_key=True),
    Column("overlay_sha256", Text, nullable=False),
    Column("at", Moment, nullable=False),
)  # fmt: skip
