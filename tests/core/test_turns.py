"""Round robin."""

from __future__ import annotations

from penstock.core.turns import Turns


def test_keys_take_turns_and_those_not_ready_leave_until_they_join_again() -> None:
    turns: Turns[str] = Turns()
    for key in "abca":
        turns.join(key)
    ready = {"a", "b"}
    assert [turns.next(ready.__contains__) for _ in range(5)] == ["a", "b", "a", "b", "a"]
    turns.join("c")
    ready.add("c")
    assert sorted(str(turns.next(ready.__contains__)) for _ in range(3)) == ["a", "b", "c"]
    ready.clear()
    assert turns.next(ready.__contains__) is None
    assert len(turns) == 0


def test_a_key_that_leaves_has_no_more_turns() -> None:
    turns: Turns[str] = Turns()
    turns.join("a")
    turns.leave("a")
    turns.leave("a")
    assert turns.next(lambda _key: True) is None


def test_keys_whose_turn_it_was_go_before_the_others() -> None:
    turns: Turns[str] = Turns()
    for key in "ab":
        turns.join(key)
    turns.return_to(["c", "d", "a"])
    assert [turns.next(lambda _key: True) for _ in range(5)] == ["c", "d", "a", "b", "c"]
