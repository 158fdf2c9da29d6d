"""学习: texts without a hit to label, for training alone, and how the weights stand."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request, Response

from classifiers.dataset import LABELS, PROMOS, SCHEMES
from console import marks
from console.deps import Acting, AtHome, House, Refusal, Visiting, back_to, render, require, speaking
from console.pages.queue import REVIEW
from pipelines import learn
from pipelines.standing import standing
from store import lessons, views

router = APIRouter()
PostingId = Annotated[int, Path(ge=1, le=2**62)]


def _parts(row: Any) -> list[tuple[str, str]]:
    """(label, text) of the parts of a posting; contacts are hidden from everybody here, since nobody needs them to label."""
    pictures = [image.get("text", "") for image in row.images if image.get("text")]
    whole = "\n".join(part for part in (row.title, row.body, *pictures) if part)
    hidden = marks.hide(whole, marks.contact_spans(whole, [item["value"] for item in row.contacts]))
    return [(label, hidden[start:end]) for label, start, end in marks.parts(row.title, row.body, pictures)]


def _review(house: House) -> float:
    return house.pack.policy.thresholds.review if house.pack else REVIEW


@router.get("/labels")
def show_labels(request: Request, house: AtHome, visitor: Visiting, again: int = 0) -> Response:
    """The next text of the day's sample, or one that the visitor labelled before and looks at again."""
    values: dict[str, Any] = {"most": house.store.settings.label_sample, "done": 0, "left": 0, "row": None, "parts": [], "mine": []}
    if visitor.may("label"):
        ids, values["done"] = learn.offered(house.store, review=_review(house), now=house.clock())
        with house.store.read() as conn:
            mine = lessons.given_by(conn, visitor.name)
            known = again if any(row.posting_id == again for row in mine) else 0
            wanted = known or next(iter(ids), 0)
            row = lessons.text_of(conn, wanted) if wanted else None
        values |= {"left": len(ids), "row": row, "parts": _parts(row) if row else [], "mine": mine, "again": bool(known)}
        values["given"] = next((one for one in mine if known and one.posting_id == known), None)
    return render(request, "labels.html", visitor, labels=LABELS, promos=PROMOS, slugs=SCHEMES, **values)


@router.post("/labels/{posting_id}")
def label(
    house: AtHome,
    visitor: Acting,
    posting_id: PostingId,
    label: Annotated[str, Form(max_length=40)],
    scheme: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Keep a label, or pass the text over; it opens no hit."""
    require(visitor, "label")
    if label != "pass" and label not in LABELS:
        raise Refusal("没有这个类别，请在页面中选择。", status=422)
    with speaking():
        given = "" if label == "pass" else label
        kept = scheme if label in PROMOS else ""
        learn.give(house.store, posting_id, officer=visitor.name, label=given, scheme=kept, now=house.clock())
    return back_to("/labels", said="passed" if label == "pass" else "labelled")


@router.get("/models")
def show_models(request: Request, house: AtHome, visitor: Visiting) -> Response:
    """Which weights judge, and what the candidate would do beside them."""
    found = standing(house.store, flips=12)
    with house.store.read() as conn:
        log = views.audit_of(conn, "weights", limit=12)
        names = views.shown_names(conn)
    return render(request, "models.html", visitor, found=found, log=log, names=names)
