"""The words of the house, as frozen values. Meanings: docs/words.md.

The machine assesses (研判), a person decides (复核), only the authority determines (认定).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Level(StrEnum):
    """How much the machine suspects. REVIEW and ALERT open a Hit; WATCH is kept and sampled."""

    CLEAR = "clear"
    WATCH = "watch"
    REVIEW = "review"
    ALERT = "alert"

    @property
    def opens_hit(self) -> bool:
        return self in (Level.REVIEW, Level.ALERT)


class Grade(StrEnum):
    """Register grade of the city notice, part (六)1; criteria are ours, in rules/policy.yml."""

    HIGH = "高危"
    MIDDLE = "中危"
    ORDINARY = "一般"


class Layer(StrEnum):
    """What kind of suspicion: three layers of law that route differently."""

    AD_DEFECT = "ad_defect"
    SUSPECTED_FUNDRAISING = "suspected_fundraising"
    SUSPECTED_CRIME = "suspected_crime"

    @property
    def chinese(self) -> str:
        names = {"ad_defect": "涉嫌违反广告管理规定", "suspected_fundraising": "涉嫌非法集资广告", "suspected_crime": "涉嫌犯罪线索"}
        return names[self.value]


class Feature(StrEnum):
    """Statutory features that a text shows (法释〔2022〕5号 art 1; 禁止传销条例 art 7; 广告法 art 9)."""

    F1 = "F1"
    F2 = "F2"
    F3 = "F3"
    F4 = "F4"
    M = "M"
    X = "X"

    @property
    def chinese(self) -> str:
        return {"F1": "非法性(待核)", "F2": "公开性", "F3": "利诱性", "F4": "社会性", "M": "传销性", "X": "虚假或冒用"}[self.value]


class PostingKind(StrEnum):
    AD = "ad"
    POST = "post"
    ARTICLE = "article"
    LISTING = "listing"
    LIVE = "live"
    APP = "app"
    LEAFLET = "leaflet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A way to reach the promoter, as the text gives it. `start`, `end` are half-open offsets in the text."""

    kind: str
    """phone, wechat, qq, group, link, domain, email, icp, account or crypto."""
    value: str
    """Normalised: digits for phones, lower case for names and domains."""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who stands behind a posting: the public account or firm name, never a private person's profile."""

    role: str
    """advertiser 广告主, agent 广告经营者, publisher 广告发布者 or platform 平台."""
    name: str
    address: str | None = None
    """Public contact that a notice can be sent to, such as a site's published e-mail address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One page at one instant, immutable. The bytes are kept apart, in the archive."""

    url: str
    final_url: str
    fetched_at: datetime
    """Aware UTC."""
    status: int
    """HTTP status; 0 for an import that had none."""
    sha256: str
    """Of the body as received, after transfer and content decoding. Hex."""
    size: int
    """Bytes of that body."""
    mime: str = "text/html"
    charset: str | None = None
    """The encoding that was found, not the one that was declared."""
    via: str = "http"
    """http, browser, the name of a view of crawlers.views, or the importer's name."""
    screenshot_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Where something stands in a picture or a video."""

    kind: str
    """text, qr or speech."""
    start: int
    """Text and speech: half-open characters of the Image's `text`. A QR code: its place in `qr`, and one more."""
    end: int
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Left, top, right, bottom in pixels of the whole picture, upright; of a frame where it is a video."""
    at_s: float = 0.0
    """Second of the video; 0 in a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture or short video of a posting and what was read in it."""

    url: str
    sha256: str | None = None
    text: str = ""
    qr: tuple[str, ...] = ()
    """Payloads of QR codes: recorded, never followed."""
    width: int = 0
    """Pixels, upright; 0 where it was not read, or before regions were kept."""
    height: int = 0
    regions: tuple[Region, ...] = ()
    phash: str = ""
    """Perceptual hash, 16 hexadecimal digits; near-identical pictures carry that of the one that was read."""
    fault: str = ""
    """Why it could not be read, in words; empty where it was, or was not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """The unit judged, cut from a Capture."""

    platform: str
    """Id of the platform's YAML."""
    url: str
    """Canonical address of the posting itself; the page's with `#n` where it has none of its own."""
    kind: PostingKind
    title: str = ""
    body: str = ""
    images: tuple[Image, ...] = ()
    publisher: str | None = None
    """Public account name."""
    publisher_address: str | None = None
    """E-mail address that the site publishes for such matters, where it does."""
    advertiser: str | None = None
    links: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    published_at: datetime | None = None
    marked_ad: bool = False
    """The page itself marks it 广告 or 推广."""
    fingerprint: str = ""
    """See domain.identity.fingerprint."""

    @property
    def text(self) -> str:
        """What is judged: title, body and what was read in the pictures, joined by line feeds."""
        parts = [self.title, self.body, *(image.text for image in self.images)]
        return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What a spider or an importer yields: one Capture, its bytes, and the Postings cut from it."""

    capture: Capture
    body: bytes
    postings: tuple[Posting, ...] = ()
    request_headers: tuple[tuple[str, str], ...] = ()
    response_headers: tuple[tuple[str, str], ...] = ()
    screenshot: bytes | None = None
    """PNG, where a browser fetched the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text to judge, as a classifier sees it."""

    text: str
    title: str = ""
    """Where given, the caller has already put it in front of `text` or wants it judged apart."""
    publisher: str = ""
    kind: str = ""
    """A PostingKind value, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A rule's evidence. `text[start:end]` of the ORIGINAL text is what is shown; half-open, in characters."""

    rule: str
    start: int
    end: int
    weight: float
    """Log-odds; negative for an excuse."""
    text: str = ""
    fold: str = ""
    """What the span reads after folding, where that differs from the original (evasion)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    classifier: str
    version: str
    value: float
    """Calibrated, 0.0-1.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One classifier's word on one text; fusion makes the Assessment of them."""

    score: Score
    matches: tuple[Match, ...] = ()
    schemes: tuple[tuple[str, float], ...] = ()
    """(slug of rules/schemes.yml, 0.0-1.0), strongest first."""
    features: tuple[Feature, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    """Which parts speak, in characters of the text, where the classifier knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why, for an officer and for a publisher to read."""

    text: str
    """Chinese, one sentence, with 涉嫌 and never 认定."""
    rule: str | None = None
    articles: tuple[str, ...] = ()
    """`广告法 第25条` and the like, from rules/statutes.yml."""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """研判: what the machine thinks of one text. Never a determination."""

    level: Level
    score: float
    """Calibrated probability that this is a suspected promo, 0.0-1.0."""
    layer: Layer | None = None
    grade: Grade | None = None
    schemes: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    matches: tuple[Match, ...] = ()
    reasons: tuple[Reason, ...] = ()
    scores: tuple[Score, ...] = ()
    ruleset: str = ""
    """Digest of the rule set in force, `name@sha256[:12]`."""
    model: str = ""
    """Version of the neural classifier, or `none` where it was missing."""
    codes: tuple[str, ...] = ()
    """Ad-finding codes (违法表现), such as ZH38."""
    authorities: tuple[str, ...] = field(default=())
    """Slugs of rules/authorities.yml, lead authority first."""
