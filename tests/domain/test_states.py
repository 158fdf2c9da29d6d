from __future__ import annotations

import pytest

from domain.errors import IllegalMove
from domain.states import CHINESE, INITIAL, MACHINES, move

EVENTS = {machine: sorted({event for row in table.values() for event in row}) for machine, table in MACHINES.items()}
PAIRS = [(machine, state, event) for machine, table in MACHINES.items() for state in table for event in EVENTS[machine]]
"""Every state of every machine with every event of that machine: listed or not, each has one right answer."""


@pytest.mark.parametrize(("machine", "state", "event"), PAIRS)
def test_move_follows_the_table_and_refuses_the_rest(machine: str, state: str, event: str) -> None:
    allowed = MACHINES[machine][state]
    if event in allowed:
        assert move(machine, state, event) == allowed[event]
        return
    with pytest.raises(IllegalMove) as caught:
        move(machine, state, event)
    assert caught.value.allowed == tuple(sorted(allowed))
    assert f"{machine} in state {state}: cannot {event}" in str(caught.value)
    assert ("this state is final" in str(caught.value)) == (not allowed)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_move_ends_in_a_state_of_its_machine(machine: str) -> None:
    table = MACHINES[machine]
    assert {target for row in table.values() for target in row.values()} <= set(table)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_can_be_reached_from_the_first(machine: str) -> None:
    table, seen, todo = MACHINES[machine], set(), [INITIAL[machine]]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            todo += table[state].values()
    assert seen == set(table)


@pytest.mark.parametrize("machine", [name for name in MACHINES if name != "rule"])
def test_every_state_leads_to_a_final_one(machine: str) -> None:
    table = MACHINES[machine]
    ending = {state for state, row in table.items() if not row}
    assert ending
    while grown := {state for state, row in table.items() if state not in ending and ending & set(row.values())}:
        ending |= grown
    assert ending == set(table)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_has_a_chinese_name_of_its_own(machine: str) -> None:
    names = CHINESE[machine]
    assert set(names) == set(MACHINES[machine])
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("machine", MACHINES)
def test_no_chinese_name_claims_a_determination(machine: str) -> None:
    assert not [name for name in CHINESE[machine].values() if "认定" in name or "违法" in name]


def test_move_refuses_a_state_that_is_not_in_the_table() -> None:
    with pytest.raises(IllegalMove, match="nothing: this state is final"):
        move("hit", "gone", "claim")


def test_a_doubtful_delivery_is_never_sent_again_by_itself() -> None:
    """Only a person's `revive` leads from doubt back to sending; a lapse or a retry does not."""
    assert "retry" not in MACHINES["delivery"]["uncertain"]
    assert "lapse" not in MACHINES["delivery"]["uncertain"]
    assert "lease" not in MACHINES["delivery"]["uncertain"]
