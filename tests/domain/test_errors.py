from __future__ import annotations

import inspect
import re

import pytest

from domain import errors
from domain.errors import ConfigFault, Fault, IllegalMove, PatrolError, RuleFault, Transient

TREE = {name: thing for name, thing in vars(errors).items() if inspect.isclass(thing) and issubclass(thing, Exception)}


def test_every_fault_has_one_root() -> None:
    assert all(issubclass(thing, PatrolError) for thing in TREE.values())


def test_the_drawn_tree_names_every_fault_under_its_parent() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"^ {4}((?:[│ ] {3})*(?:[├└]── )?)([A-Z]\w+)", line):
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1] if depth else "Exception"
    assert drawn == {name: thing.__bases__[0].__name__ for name, thing in TREE.items()}


@pytest.mark.parametrize("name", sorted(TREE))
def test_every_fault_says_what_it_means(name: str) -> None:
    assert TREE[name].__doc__


def test_config_fault_carries_all_faults_in_the_order_of_the_files() -> None:
    later, sooner = Fault("b.yml", 2, "within is 0", "give 1 or more"), Fault("a.yml", 10, "no title", "add it")
    fault = ConfigFault([later, sooner])
    assert fault.faults == (sooner, later)
    assert str(fault) == "a.yml:10: no title; add it\nb.yml:2: within is 0; give 1 or more"
    assert isinstance(RuleFault([sooner]), ConfigFault)


def test_illegal_move_names_state_event_and_what_is_allowed() -> None:
    text = str(IllegalMove(machine="hit", state="open", event="dismiss", allowed=["claim"]))
    assert text == "hit in state open: cannot dismiss; allowed here: claim"


def test_transient_carries_the_time_that_the_receiver_named() -> None:
    assert Transient("busy", retry_after_s=12.5).retry_after_s == 12.5
    assert Transient("busy").retry_after_s is None
