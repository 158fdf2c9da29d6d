"""The rule pack as one frozen value. All faults of all files are collected before RuleFault is raised."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from domain import knowledge
from domain.errors import Fault, RuleFault
from domain.text import fold
from rules.schema import FAMILIES, Authority, Policy, Rule, Scheme, Statute, Weights

PACKAGED = Path(__file__).parent
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Everything the judges know. `digest` changes whenever a byte of the pack that counts changes."""

    digest: str
    """`name@sha256[:12]`."""
    rules: tuple[Rule, ...]
    """Sorted by id; drafts and retired ones included, see `scored`."""
    lexicon: Mapping[str, tuple[str, ...]]
    """List name to its terms, folded."""
    schemes: Mapping[str, Scheme]
    statutes: Mapping[str, Statute]
    authorities: Mapping[str, Authority]
    policy: Policy
    weights: Weights
    folder: Path = field(default=PACKAGED)

    @property
    def scored(self) -> tuple[Rule, ...]:
        """Rules that are matched: live ones, and background ones, whose matches weigh nothing."""
        return tuple(rule for rule in self.rules if rule.status in ("live", "background"))

    def rule(self, rule_id: str) -> Rule:
        """Raises KeyError for an unknown id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None) or _missing(rule_id)

    def weight(self, rule: Rule) -> float:
        """Log-odds that a match of `rule` adds; negative for excuses, 0 in the background."""
        if rule.status != "live":
            return 0.0
        if rule.weight is not None:
            return rule.weight
        if rule.id in self.weights.rules:
            return self.weights.rules[rule.id]
        default = self.policy.severity_weights[rule.severity]
        return -default if rule.excuse else default / 2 if rule.family == "signs" else default

    def terms(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """Terms folded, `@name` replaced by the terms of lexicon/name.txt."""
        result: list[str] = []
        for term in given:
            result += self.lexicon.get(term[1:], ()) if term.startswith("@") else (_canonical(term),)
        return tuple(dict.fromkeys(term for term in result if term))


@lru_cache(maxsize=50_000)
def _canonical(term: str) -> str:
    """A term as it stands in folded text: one term is in many rules."""
    return fold(term).text


def _missing(rule_id: str) -> Rule:
    raise KeyError(rule_id)


def load(folder: Path | None = None) -> RuleSet:
    """The pack in `folder`, the packaged one without. Raises RuleFault with every fault found."""
    from rules.lint import check_all

    found, faults = read(folder or PACKAGED)
    faults = faults + (check_all(found) if found is not None else [])
    if faults or found is None:
        raise RuleFault(faults)
    return found.ruleset


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A pack as read, with the pages that lint needs for its line numbers."""

    ruleset: RuleSet
    pages: Mapping[str, knowledge.Page]
    """Rule id to its page."""
    tables: Mapping[str, knowledge.Page]
    """File name to its page."""
    doubles: tuple[tuple[str, Path], ...] = ()


def read(folder: Path) -> tuple[Found | None, list[Fault]]:
    """Everything of the pack that can be read; None where a table without which nothing can be checked is broken."""
    faults: list[Fault] = []
    tables: dict[str, knowledge.Page] = {}
    schemes = _mapping(folder / "schemes.yml", Scheme, faults, tables)
    statutes = _mapping(folder / "statutes.yml", Statute, faults, tables)
    authorities = _mapping(folder / "authorities.yml", Authority, faults, tables)
    policy = _single(folder / "policy.yml", Policy, faults, tables)
    weights = _single(folder / "weights.yml", Weights, faults, tables) if (folder / "weights.yml").exists() else None
    rules, pages, doubles = _rules(folder, faults)
    lexicon = _lexicon(folder)
    if schemes is None or statutes is None or authorities is None or policy is None:
        return None, faults
    ruleset = RuleSet(
        digest=digest_of(folder),
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        lexicon=lexicon,
        schemes=schemes,
        statutes=statutes,
        authorities=authorities,
        policy=policy,
        weights=weights or Weights(made_from="none", intercept=-3.0, rules={}),
        folder=folder,
    )
    return Found(ruleset=ruleset, pages=pages, tables=tables, doubles=tuple(doubles)), faults


def rule_files(folder: Path) -> list[Path]:
    """Every rule file of the pack, in a fixed order."""
    return [path for family in FAMILIES for path in sorted((folder / family).glob("*.yml"))]


def _rules(folder: Path, faults: list[Fault]) -> tuple[list[Rule], dict[str, knowledge.Page], list[tuple[str, Path]]]:
    rules: list[Rule] = []
    pages: dict[str, knowledge.Page] = {}
    doubles: list[tuple[str, Path]] = []
    for path in rule_files(folder):
        page, page_faults = knowledge.read(path)
        faults += page_faults
        if page is None:
            continue
        rule, rule_faults = knowledge.check(page, Rule)
        faults += rule_faults
        if rule is None:
            continue
        if rule.id in pages:
            doubles.append((rule.id, path))
            continue
        rules.append(rule)
        pages[rule.id] = page
    return rules, pages, doubles


def _lexicon(folder: Path) -> dict[str, tuple[str, ...]]:
    """lexicon/*.txt: a term a line; `#` begins a comment."""
    result = {}
    for path in sorted((folder / "lexicon").glob("*.txt")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        terms = (fold(line.split("#")[0].strip()).text for line in lines)
        result[path.stem] = tuple(dict.fromkeys(term for term in terms if term))
    return result


def _mapping(path: Path, schema: type[M], faults: list[Fault], tables: dict[str, knowledge.Page]) -> dict[str, M] | None:
    page, found = knowledge.read(path)
    faults += found
    if page is None:
        return None
    if not isinstance(page.data, dict):
        faults.append(Fault(str(path), 1, "not a table of entries", "give `name:` and its fields"))
        return None
    tables[path.name] = page
    result: dict[str, M] = {}
    for key in page.data:
        value, found = knowledge.check(page, schema, under=(key,))
        faults += found
        if value is not None:
            result[str(key)] = value
    return result


def _single(path: Path, schema: type[M], faults: list[Fault], tables: dict[str, knowledge.Page]) -> M | None:
    page, found = knowledge.read(path)
    faults += found
    if page is None:
        return None
    tables[path.name] = page
    value, found = knowledge.check(page, schema)
    faults += found
    return value


def digest_of(folder: Path | None = None) -> str:
    """`wangxun@` and 12 hex characters over every file that can change a judgement, by name and content. Reads, and checks nothing."""
    folder = folder or PACKAGED
    digest = hashlib.sha256()
    paths = [*rule_files(folder), *sorted((folder / "lexicon").glob("*.txt")), *sorted(folder.glob("*.yml"))]
    for path in paths:
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(b"\x00")
        digest.update(path.read_bytes())
        digest.update(b"\x00")
    return f"wangxun@{digest.hexdigest()[:12]}"
