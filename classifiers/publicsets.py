"""Public sets of Chinese text: one table of what each is, how it is read, and what its source alone says of its rows.

The sets are never carried: each reader takes the folder in which they lie, `NAME.jsonl.xz` with `text` and `label` a line, as it is or
under `labelled/`. Their authors' masks are filled with invented values of the same kind, or a model learns the masks.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from classifiers import dataset, standoff
from classifiers.dataset import Row
from domain.errors import ConfigFault, Fault

ANY = "*"
MEASURED = "holds rows of the development set: give that as what to avoid"
SINGLE = "of the rows that were read one by one "


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSet:
    """How a set is read, what is known of it."""

    what: str
    licence: str = "unstated"
    meaning: Mapping[str, str] = field(default_factory=dict)
    """Its own label (ANY for every other) -> one of our nine, where the source alone tells. Never a promo: those are read one by one."""
    masks: str = ""
    """`words` such as DIGIT or URL, `x` for each digit, `pictures` such as {IMG:1}; empty where there are none."""
    note: str = ""
    """What leaks, and how far the labels are to be believed."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a public set: its text without masks, and the label that the set gives it."""

    text: str
    label: str


_HOW_TO = ("短信诈骗", "网络贷款诈骗", "兼职刷单诈骗", "冒充客服诈骗")
_SMS_OTHERS = (
    "AD:Retail",
    "AD:Network_service",
    "AD:Other",
    "FR:Phishing(Bank)",
    "IL:Gambling",
    "IL:Escort_service",
    "IL:Fake_ID_and_invoice",
)
_NEWS = {ANY: "news"}
SETS: Mapping[str, PublicSet] = {
    "real_train": PublicSet(
        what="rows of the sets below, labelled by reading", licence="as the sets it is of", note="masks are those of each row's source"
    ),
    "ccf_bdci2019_finance_web": PublicSet(
        what="finance web and weibo text 2018-19, unlabelled", licence="contest data (CCF BDCI 2019)", masks="pictures", note=MEASURED
    ),
    "ccks2019_events": PublicSet(
        what="sentences of finance news on 22 kinds of event",
        licence="contest data (CCKS 2019)",
        meaning=_NEWS,
        note=f"{MEASURED}; {SINGLE}97 in 100 are news, one a promo",
    ),
    "fraud_news_reports": PublicSet(
        what="long articles on fraud, by kind of fraud",
        meaning=dict.fromkeys(_HOW_TO, "education") | _NEWS,
        note=f"{MEASURED}; {SINGLE}none is a promo, and news and education are told apart by topic no better than 6 in 10",
    ),
    "fbs_sms": PublicSet(
        what="SMS of fake base stations, 12 classes",
        licence="published for research (CCS 2020)",
        meaning=dict.fromkeys(_SMS_OTHERS, "other_ad"),
        masks="words",
        note=f"{MEASURED}; loans, property, finance and other fraud are promos in part: read them",
    ),
    "sms_80w_sample_a": PublicSet(what="SMS cut near 70 characters, spam or normal", masks="x", note=f"{MEASURED}; normal hides promos"),
    "sms_80w_sample_b": PublicSet(what="SMS cut near 70 characters, spam or normal", masks="x", note=f"{MEASURED}; normal hides promos"),
    "sms_mudou": PublicSet(
        what="whole SMS 2013-14, spam or normal",
        meaning={"normal": "other"},
        note=f"{MEASURED}; {SINGLE}no normal one is a promo, one in three is lawful finance",
    ),
    "tg_spam_train": PublicSet(
        what="chat and live comments, spam or ham", meaning={"ham": "other"}, note=f"{MEASURED}; one ham in 95 is a promo"
    ),
    "tg_spam_eval": PublicSet(what="the test half of tg_spam_train", meaning={"ham": "other"}, note="near-duplicates of tg_spam_train"),
    "telecom_fraud_texts": PublicSet(
        what="operators' SMS, and fraud written by a language model", masks="words", note=f"{MEASURED}; weak on both sides: for pretraining"
    ),
    "thucnews_train_33k": PublicSet(what="news titles, 10 classes", licence="free for research (THUCNews)", meaning=_NEWS, note=MEASURED),
    "thucnews_dev": PublicSet(what="news titles, 10 classes", licence="free for research (THUCNews)", meaning=_NEWS),
    "thucnews_test": PublicSet(what="news titles, 10 classes", licence="free for research (THUCNews)", meaning=_NEWS),
    "tnews_dev": PublicSet(what="news titles, 15 classes", licence="published for research (CLUE)", meaning=_NEWS),
    "job_ads": PublicSet(what="job advertisements", meaning={ANY: "other_ad"}),
    "qq_group_ads": PublicSet(what="chat of students' groups, ad or normal", meaning={"normal": "other"}, note=MEASURED),
}
_WORD = re.compile(r"(?<![A-Za-z])(?:CELLPHONE|PHONE|HOTLINE|DIGIT|URL|WECHAT|QQ|BANK|MONEY|TIME|NAME|PLACE)+(?![A-Z])")
_ONE = re.compile(r"CELLPHONE|PHONE|HOTLINE|DIGIT|URL|WECHAT|QQ|BANK|MONEY|TIME|NAME|PLACE")
_X = re.compile(r"(?<![A-Za-wyz])x+(?![A-Za-wyz])")
_PICTURE = re.compile(r"\{IMG:\d+\}")
_GAP = re.compile(r"(?<=[\u3400-\u9fff])[ \t]+|[ \t]+(?=[\u3400-\u9fff])")
_NUMBERS = ("1", "2", "3", "5", "6", "8", "10", "12", "15", "20", "30", "50", "80", "100", "200", "300", "500", "1000")
_SHAPES = {"CELLPHONE": "138########", "PHONE": "8#######", "HOTLINE": "400#######", "QQ": "3########", "BANK": "62##############"}
_SHAPES |= {"URL": "t.cn/A####", "WECHAT": "wx#######", "TIME": "1#点", "MONEY": "#00元", "NAME": "", "PLACE": ""}


def unmasked(text: str, masks: str) -> str:
    """The text with its masks filled, the same way each time. Names and places go: what they stood for is of too many kinds to invent."""
    if masks == "pictures":
        return _PICTURE.sub("", text).strip()
    if not masks:
        return text
    draw = random.Random(text.encode("utf-8", "surrogatepass"))
    if masks == "x":
        return _X.sub(lambda found: _drawn("#" * len(found[0]), draw), text)
    filled = _WORD.sub(lambda found: "".join(_filled(mask, draw) for mask in _ONE.findall(found[0])), text)
    # The set was cut into words by spaces; where a mask was, two stand together.
    return _GAP.sub("", filled).strip() if filled != text else text


def _filled(mask: str, draw: random.Random) -> str:
    return draw.choice(_NUMBERS) if mask == "DIGIT" else _drawn(_SHAPES[mask], draw)


def _drawn(shape: str, draw: random.Random) -> str:
    """The shape with a drawn digit for each #, the first of a number never 0."""
    return "".join(str(draw.randint(int(at == 0), 9)) if sign == "#" else sign for at, sign in enumerate(shape))


def path_of(folder: Path, name: str) -> Path:
    """Where a set lies in a folder of sets, or in a data folder with `labelled/`; whether it is there is not asked."""
    within = folder / "labelled" / f"{name}.jsonl.xz"
    return within if within.exists() else folder / f"{name}.jsonl.xz"


def read(folder: Path, name: str) -> list[Item]:
    """A set in its order, its masks filled; a set that is not in the table is read without. Raises ConfigFault with all faulty lines."""
    path, masks = path_of(folder, name), SETS[name].masks if name in SETS else ""
    items: list[Item] = []
    faults: list[Fault] = []
    for number, line in enumerate(dataset.lines(path), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            text, label = data["text"], data.get("label", "")
            if not isinstance(text, str):
                raise TypeError("text is no text")
            items.append(Item(unmasked(text, masks), str(label)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            faults.append(Fault(str(path), number, str(error) or type(error).__name__, "give text and label in each line"))
    if faults:
        raise ConfigFault(faults)
    return items


def rows(folder: Path, name: str) -> list[Row]:
    """What is known of a set's rows without reading them: `real_train` whole, of another set the negatives that its table line names."""
    own = SETS[name]
    if name == "real_train":
        return [replace(row, text=unmasked(row.text, _masks(row.source))) for row in dataset.read(path_of(folder, name))]
    found = []
    for number, item in enumerate(read(folder, name), 1):
        label = own.meaning.get(item.label, own.meaning.get(ANY, ""))
        if label and item.text.strip():
            found.append(Row(text=item.text, label=label, source=name, group=f"{name}:{number}", readers=0))
    return found


def _masks(source: str) -> str:
    """Masks of the set that a row of `real_train` was taken from; some sources are named by the file of the set's author."""
    return "words" if source.startswith(("FBS_SMS", "Telecom")) else SETS[source].masks if source in SETS else ""


def marked(folder: Path, name: str, *, labels: Path = standoff.FOLDER) -> list[Row]:
    """A set's rows of which we keep a label by hash. The hash is of the text as the set has it; the row's text has its masks filled."""
    masks, kept = SETS[name].masks, standoff.read(labels)
    texts = [json.loads(line)["text"] for line in dataset.lines(path_of(folder, name))] if kept else []
    return [replace(row, text=unmasked(row.text, masks)) for row in standoff.joined(texts, kept, source=name)]
