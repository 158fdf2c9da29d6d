"""What a rule file may say. One rule, one YAML; docs/rules.md shows how to write one."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.model import Feature

FAMILIES = ("illegal_fundraising", "illegal_finance", "ad_law", "signs", "excuses")
"""Folders of the pack. signs add weight to a solicitation and give no reason of their own; excuses take weight away, never veto."""
SEVERITIES = ("low", "medium", "high", "critical")

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Term = Annotated[str, Field(min_length=1, max_length=40)]
RATE = re.compile(r"rate>=(\d+(?:\.\d+)?)%/y")


class Strict(BaseModel):
    """Unknown keys are faults: a misspelt key would silently switch a rule off."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Near(Strict):
    """Two things close to each other, in one window of text."""

    a: tuple[Term, ...] = Field(min_length=1)
    b: tuple[Term, ...] | str
    """Terms, or `rate>=8%/y`, or `contact`."""
    within: int = Field(ge=1, le=200)
    """Characters between the two, at most."""
    ordered: bool = False
    """Whether b must come after a."""

    @field_validator("b")
    @classmethod
    def _known(cls, value: tuple[str, ...] | str) -> tuple[str, ...] | str:
        if isinstance(value, str) and value != "contact" and not RATE.fullmatch(value):
            raise ValueError("b is a list of terms, `rate>=N%/y` or `contact`")
        if not value:
            raise ValueError("b is empty")
        return value


class Clause(Strict):
    """One condition: exactly one of the five kinds. `pattern` is looked at only where one of `gate` stands."""

    terms: tuple[Term, ...] | None = Field(None, min_length=1)
    near: Near | None = None
    rate: str | None = None
    contact: tuple[str, ...] | None = None
    pattern: str | None = Field(None, max_length=300)
    gate: tuple[Term, ...] | None = Field(None, min_length=1)
    sum: int | None = Field(None, ge=1, le=200)
    """With a pattern: characters from a word of `gate` within which a sum of money stands. A pattern is dear, and most texts name none."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        kinds = [name for name in ("terms", "near", "rate", "contact", "pattern") if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise ValueError(f"a clause has exactly one of terms, near, rate, contact, pattern; found {', '.join(kinds) or 'none'}")
        if self.rate is not None and not RATE.fullmatch(self.rate):
            raise ValueError("rate is written `rate>=8%/y`")
        if (self.pattern is None) != (self.gate is None):
            raise ValueError("pattern and gate go together: gate names words of which one must stand in the text")
        if self.sum is not None and self.pattern is None:
            raise ValueError("sum goes with a pattern")
        if self.pattern is not None:
            try:
                compiled = re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"the pattern is no regular expression: {error}") from error
            if compiled.search("") is not None:
                raise ValueError("the pattern could match the empty string")
        return self


class MatchSpec(Strict):
    """All of `all` in one window of text; `less` lowers the weight and never vetoes."""

    all: tuple[Clause, ...] = Field(min_length=1, max_length=6)
    less: tuple[Clause, ...] = ()
    scope: Literal["window", "text"] = "window"


class Hit(Strict):
    text: str = Field(min_length=1)


class Miss(Strict):
    text: str = Field(min_length=1)
    why: str = Field(min_length=1)


class Examples(Strict):
    hit: tuple[Hit, ...] = Field(min_length=2)
    miss: tuple[Miss, ...] = Field(min_length=2)


class Rule(Strict):
    """One rule. Every field is described in docs/rules.md."""

    id: str = Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")
    title: str = Field(min_length=2, max_length=40)
    status: Literal["draft", "background", "live", "retired"]
    severity: Literal["low", "medium", "high", "critical"]
    basis: tuple[str, ...] = ()
    """Ids of statutes.yml. Required outside signs and excuses."""
    features: tuple[Feature, ...] = ()
    scheme: str | None = None
    """Slug of schemes.yml; None for what belongs to no one scheme."""
    codes: tuple[str, ...] = ()
    """Ad-finding codes of policy.yml."""
    crime: bool = False
    """Whether a text like this points to a suspected crime rather than to an unlawful ad."""
    match: MatchSpec
    examples: Examples
    falsepositives: tuple[str, ...] = ()
    weight: float | None = Field(None, ge=-8, le=8)
    """Log-odds; given by hand it wins over the fitted one."""
    daily_cap: int | None = Field(None, ge=1)
    """Hits a day after which the rule alone opens no more; the pack's figure where not given."""

    @property
    def family(self) -> str:
        return self.id.partition(".")[0]

    @property
    def excuse(self) -> bool:
        return self.family == "excuses"

    @property
    def bare(self) -> bool:
        """Whether it asks for rates and contacts alone. Banks write rates and everybody has WeChat: such a rule never speaks first."""
        return all(clause.rate is not None or clause.contact is not None for clause in self.match.all)


class Scheme(Strict):
    name: str
    """Chinese name."""
    gist: str
    features: tuple[Feature, ...] = ()
    authorities: tuple[str, ...] = Field(min_length=1)
    """Slugs of authorities.yml, lead authority first."""
    fundraising: bool = True
    """False where the scheme by itself is another kind of unlawful finance."""


class Statute(Strict):
    name: str
    article: str
    gist: str
    grade: Literal["V", "2"]
    """V: read in the full text; 2: second-hand."""
    active_from: str | None = None

    @property
    def label(self) -> str:
        return f"《{self.name}》{self.article}"


class Authority(Strict):
    name: str
    role: str
    named_by_notice: bool = True


class Code(Strict):
    name: str
    statute: str | None = None


class Level(Strict):
    """Least calibrated score of each level, 0-1."""

    watch: float = Field(gt=0, lt=1)
    review: float = Field(gt=0, lt=1)
    alert: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.watch < self.review < self.alert:
            raise ValueError("thresholds must rise: watch < review < alert")
        return self


class Fusion(Strict):
    """score = sigmoid(bias + sum of weight * logit(score of each classifier))."""

    bias: float
    weights: dict[str, float]


class GradePolicy(Strict):
    """高危: a score and features; 中危: a score; 一般: the rest at review or above."""

    high_score: float
    high_features: int
    high_severities: tuple[str, ...]
    middle_score: float


class Cloaking(Strict):
    """When and how it is looked whether a page shows different visitors different things, and what follows."""

    requests_per_run: int = Field(default=64, ge=0)
    """Requests of one run of the job over all platforms, 0 switches it off; a page costs four, a difference four more."""
    sample_per_platform: int = Field(default=1, ge=0)
    """Pages without a hit that are looked at a run; four times as many where a platform was found to differ."""
    again_days: float = Field(default=14, gt=0)
    """Days after which a page is compared anew."""
    sentence_weight: float = Field(default=1.0, ge=0)
    """Log-odds of the rules in a sentence from which it counts as promotion."""
    sentences: int = Field(default=2, ge=1)
    """Promotional sentences that differ, where every view is assessed alike; one is enough where one view alone opens a hit."""
    grade_steps: int = Field(default=1, ge=0, le=2)
    """Steps by which the grade of a hit is raised: 一般, 中危, 高危."""
    reason: str = Field(default="涉嫌对不同访客显示不同内容：{seen}可见推广内容，{unseen}不可见", pattern=r"^涉嫌.*\{seen\}.*\{unseen\}")


class Policy(Strict):
    version: str
    thresholds: Level
    """For keyword and neural together."""
    thresholds_keyword: Level
    """For the keyword layer alone."""
    thresholds_neural: Level
    fusion: Fusion
    grade: GradePolicy
    severity_weights: dict[str, float]
    """Log-odds of a rule that has no fitted weight."""
    negated_factor: float = Field(ge=0, le=1)
    quoted_factor: float = Field(ge=0, le=1)
    less_factor: float = Field(ge=0, le=1)
    outside_factor: float = Field(ge=0, le=1)
    """What an excuse counts in a window of a long text where it stands elsewhere."""
    gate: float = Field(0.05, ge=0, lt=1)
    """Keyword score from which a text is read by the neural classifier whatever its own screen says."""
    daily_cap: int = Field(ge=1)
    """Hits a day, in Shanghai, after which a rule alone opens no more: an alarm instead of a flooded queue."""
    cloaking: Cloaking = Cloaking()
    codes_version: str
    codes: dict[str, Code]


class Weights(Strict):
    """Fitted log-odds; made by `python -m classifiers.weigh`."""

    made_from: str
    intercept: float
    rules: dict[str, float]
    long_text: float = 0.0
    short_text: float = 0.0
