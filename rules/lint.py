"""Faults in the pack that a schema alone cannot see, all at once, each `path:line: what was found; what would do`."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from domain.errors import Fault
from domain.text import fold
from rules.loader import PACKAGED, Found, RuleSet, read, rule_files
from rules.schema import FAMILIES, Clause, Near, Rule

NEED_BASIS = ("illegal_fundraising", "illegal_finance", "ad_law")
FORBIDDEN_WORDS = ("认定", "违法分子", "罪犯")
"""A title is read by officers and publishers: it says what the text shows, and determines nothing."""
CONTACTS = ("phone", "wechat", "qq", "group", "link", "domain", "email", "icp", "account", "crypto", "any")
"""The kinds of domain.contacts, and `any` of them."""


def check(folder: Path | None = None) -> list[Fault]:
    """Every fault of the pack in `folder` (the packaged one without), sorted. Never raises for what a person wrote."""
    found, faults = read(folder or PACKAGED)
    if found is not None:
        faults = faults + check_all(found)
    return sorted(set(faults))


def check_all(found: Found) -> list[Fault]:
    """Faults between the files: unknown ids, doubles, rules that ask the same, empty terms, missing articles."""
    faults: list[Fault] = []
    taken = "the id {} is taken by another file"
    faults += [Fault(str(path), 1, taken.format(rule_id), "give it an id of its own") for rule_id, path in found.doubles]
    faults += [fault for rule in found.ruleset.rules for fault in _rule(rule, found)]
    faults += _twins(found)
    faults += _lists(found.ruleset.folder)
    faults += _tables(found)
    folder = found.ruleset.folder
    listed = set(rule_files(folder))
    for path in sorted(folder.rglob("*.yml")):
        known = path in listed or path.parent == folder
        if not known and path.parent.name not in FAMILIES:
            faults.append(Fault(str(path), 1, "a rule file outside the families", f"move it into one of {', '.join(FAMILIES)}"))
    return faults


def _rule(rule: Rule, found: Found) -> list[Fault]:
    page, known = found.pages[rule.id], found.ruleset
    faults: list[Fault] = []
    if rule.id.replace(".", "/") + ".yml" != page.path.relative_to(known.folder).as_posix():
        faults.append(page.fault(("id",), f"the id {rule.id} does not fit the file's place", "name it folder.file"))
    if rule.family in NEED_BASIS and not rule.basis:
        faults.append(page.fault(("basis",), "no article is given", "name at least one id of statutes.yml"))
    for index, article in enumerate(rule.basis):
        if article not in known.statutes:
            faults.append(page.fault(("basis", index), f"the article {article} is not in statutes.yml", "add it there or mend the id"))
    if rule.scheme is not None and rule.scheme not in known.schemes:
        faults.append(page.fault(("scheme",), f"the scheme {rule.scheme} is not in schemes.yml", "use one of its slugs"))
    for index, code in enumerate(rule.codes):
        if code not in known.policy.codes:
            faults.append(page.fault(("codes", index), f"the code {code} is not in policy.yml", "add it there or mend it"))
    remedy = "say what the text shows; only the authority determines"
    faults += [page.fault(("title",), f"the title says {word}", remedy) for word in FORBIDDEN_WORDS if word in rule.title]
    if rule.weight is not None and (rule.weight > 0) == rule.excuse and rule.weight != 0:
        faults.append(page.fault(("weight",), f"weight is {rule.weight} in {rule.family}", "excuses weigh below 0, all others above"))
    for part, clauses in (("all", rule.match.all), ("less", rule.match.less)):
        for index, clause in enumerate(clauses):
            faults += _clause(clause, ("match", part, index), rule, found)
    if all(clause.rate or clause.contact for clause in rule.match.all) and rule.family != "signs":
        faults.append(page.fault(("match", "all"), "only a rate or a contact", "add terms: a rate alone suspects banks and news too"))
    texts = [hit.text for hit in rule.examples.hit] + [miss.text for miss in rule.examples.miss]
    for text in {text for text in texts if texts.count(text) > 1}:
        faults.append(page.fault(("examples",), f"the example {text[:20]!r} stands twice", "write another one"))
    return faults


def _clause(clause: Clause, location: tuple[str | int, ...], rule: Rule, found: Found) -> list[Fault]:
    page, known = found.pages[rule.id], found.ruleset
    faults = []
    groups = {"terms": clause.terms, "gate": clause.gate}
    if clause.near is not None:
        groups |= {"a": clause.near.a, "b": clause.near.b if isinstance(clause.near.b, tuple) else None}
    for name, terms in groups.items():
        for index, term in enumerate(terms or ()):
            if term.startswith("@") and term[1:] not in known.lexicon:
                found_text = f"the list {term} is not in lexicon/"
                faults.append(page.fault((*location, name, index), found_text, "add the file or mend the name"))
            elif not known.terms((term,)):
                found_text = f"the term {term!r} folds to nothing"
                faults.append(page.fault((*location, name, index), found_text, "remove it: it would match anything"))
    for index, kind in enumerate(clause.contact or ()):
        if kind not in CONTACTS:
            faults.append(page.fault((*location, "contact", index), f"the contact {kind} is none of ours", f"use {', '.join(CONTACTS)}"))
    if clause.pattern is not None and _width(clause.pattern) == 0:
        found_text = "the pattern could match the empty string"
        faults.append(page.fault((*location, "pattern"), found_text, "let it need at least one character"))
    return faults


def _width(pattern: str) -> int:
    """Characters that the pattern takes at least: `(?=a)` and `b*` take none, wherever they match."""
    from re import _parser  # type: ignore[attr-defined]  # the one place that knows

    return int(_parser.parse(pattern).getwidth()[0])


def _twins(found: Found) -> list[Fault]:
    """Rules that ask exactly the same: one of them counts every text twice."""
    first: dict[Hashable, str] = {}
    faults = []
    for rule in found.ruleset.rules:
        wanted, less = (frozenset(_asked(one, found.ruleset) for one in part) for part in (rule.match.all, rule.match.less))
        other = first.setdefault((rule.match.scope, wanted, less), rule.id)
        if other != rule.id:
            faults.append(found.pages[rule.id].fault(("match",), f"the same match as {other}", "keep one of them, or let them differ"))
    return faults


def _asked(clause: Clause, known: RuleSet) -> Hashable:
    """What a clause asks, whatever the order of its words or the lists that hold them."""

    def words(given: tuple[str, ...] | None) -> frozenset[str]:
        return frozenset(known.terms(given or ()))

    near: Near | None = clause.near
    pair: Hashable = None
    if near is not None:
        pair = (words(near.a), words(near.b) if isinstance(near.b, tuple) else near.b, near.within, near.ordered)
    return words(clause.terms), pair, clause.rate, frozenset(clause.contact or ()), clause.pattern, words(clause.gate)


def _lists(folder: Path) -> list[Fault]:
    """Lines of lexicon/*.txt that are no UTF-8, or that fold to nothing and would be lost without a word."""
    faults = []
    for path in sorted((folder / "lexicon").glob("*.txt")):
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                term = line.decode("utf-8").partition("#")[0].strip()
            except UnicodeDecodeError:
                faults.append(Fault(str(path), number, "bytes that are not UTF-8", "save the file as UTF-8"))
                continue
            if term and not fold(term).text.strip():
                faults.append(Fault(str(path), number, f"the term {term!r} folds to nothing", "remove it, or write it in words"))
    return faults


def _tables(found: Found) -> list[Fault]:
    known, faults = found.ruleset, []
    for slug, scheme in known.schemes.items():
        for index, authority in enumerate(scheme.authorities):
            if authority not in known.authorities:
                page = found.tables["schemes.yml"]
                where = (slug, "authorities", index)
                faults.append(page.fault(where, f"the authority {authority} is not in authorities.yml", "add it there or mend it"))
    for name, code in known.policy.codes.items():
        if code.statute is not None and code.statute not in known.statutes:
            page = found.tables["policy.yml"]
            faults.append(page.fault(("codes", name, "statute"), f"the article {code.statute} is not in statutes.yml", "add it there"))
    page_of_weights = found.tables.get("weights.yml")
    # A rule whose file has a fault is there all the same: one fault is told once.
    ids = {f"{path.parent.name}.{path.stem}" for path in rule_files(known.folder)}
    for rule_id in known.weights.rules:
        if rule_id not in ids and page_of_weights is not None:
            found_text = f"a weight for {rule_id}, which is no rule"
            faults.append(page_of_weights.fault(("rules", rule_id), found_text, "fit the weights again or remove the line"))
    return faults
