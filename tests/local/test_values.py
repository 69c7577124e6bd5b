"""The cells themselves: namespaces that share one shard, in several contexts, against a model of plain dicts."""

import gc
import weakref
from contextvars import Context, ContextVar
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from asgikit.local import Local, clear, snapshot, written_back
from asgikit.local._base import key_of
from asgikit.local._values import SHARDS, Cell, Key, merged

SHARD = SHARDS[0]
NAMES = st.sampled_from(["x", "y", "z"])
SOME = st.integers(0, 1000)


def make_local() -> Local:
    """Return a namespace on the one shard, wherever the machine put it."""
    local = Local()
    key_of(local).var = SHARD
    return local


def entries() -> dict[Key, dict[str, Any]]:
    front, values, others = SHARD.get()
    return others if front is None else {**others, front: values}


class Shard(RuleBasedStateMachine):
    """H2, H6: contexts copied at any moment, namespaces born and dying, and every value where it belongs."""

    def __init__(self) -> None:
        super().__init__()
        self.locals: dict[int, Local] = {}
        self.contexts: list[tuple[Context, dict[int, dict[str, int]]]] = [(Context(), {})]
        self.born = 0
        for number in range(3):
            self.create()
            self.write(number, 0, "x", number)
        self.copy_context(0)

    @precondition(lambda self: len(self.locals) < 4)
    @rule()
    def create(self) -> None:
        self.locals[self.born] = make_local()
        self.born += 1

    @precondition(lambda self: len(self.contexts) < 4)
    @rule(where=SOME)
    def copy_context(self, where: int) -> None:
        context, model = self.contexts[where % len(self.contexts)]
        self.contexts.append((context.copy(), {number: dict(values) for number, values in model.items()}))

    @precondition(lambda self: self.locals)
    @rule(which=SOME, where=SOME, name=NAMES, value=st.integers())
    def write(self, which: int, where: int, name: str, value: int) -> None:
        number = list(self.locals)[which % len(self.locals)]
        context, model = self.contexts[where % len(self.contexts)]
        context.run(setattr, self.locals[number], name, value)
        model.setdefault(number, {})[name] = value

    @precondition(lambda self: self.locals)
    @rule(which=SOME, where=SOME, name=NAMES)
    def delete(self, which: int, where: int, name: str) -> None:
        number = list(self.locals)[which % len(self.locals)]
        context, model = self.contexts[where % len(self.contexts)]
        if name in model.get(number, {}):
            context.run(delattr, self.locals[number], name)
            del model[number][name]

    @precondition(lambda self: self.locals)
    @rule(which=SOME, where=SOME)
    def clear(self, which: int, where: int) -> None:
        number = list(self.locals)[which % len(self.locals)]
        context, model = self.contexts[where % len(self.contexts)]
        context.run(clear, self.locals[number])
        model.pop(number, None)

    @precondition(lambda self: self.locals)
    @rule(which=SOME, where=SOME)
    def drop(self, which: int, where: int) -> None:
        number = list(self.locals)[which % len(self.locals)]
        key = key_of(self.locals[number])
        context, _ = self.contexts[where % len(self.contexts)]
        context.run(self.locals.__delitem__, number)
        assert key not in context.run(entries)
        for _, model in self.contexts:
            model.pop(number, None)

    @rule(where=SOME)
    def end_context(self, where: int) -> None:
        if len(self.contexts) > 1:
            del self.contexts[where % len(self.contexts)]

    @invariant()
    def everybody_sees_their_own(self) -> None:
        for context, model in self.contexts:
            for number, local in self.locals.items():
                assert context.run(snapshot, local) == model.get(number, {})
                assert context.run(getattr, local, "x", None) == model.get(number, {}).get("x")


def test_shard() -> None:
    """H2, H6: see the class."""
    run_machine(Shard, settings=settings(max_examples=100, stateful_step_count=40, deadline=None))


Content: TypeAlias = dict[int, dict[str, int]]
CONTENT = st.dictionaries(st.integers(0, 3), st.dictionaries(NAMES, st.integers(0, 2), min_size=1), max_size=4)


@settings(deadline=None)
@given(CONTENT, CONTENT, CONTENT, st.sampled_from([None, 0, 1, 2, 3]))
def test_merging_changes(before: Content, after: Content, now: Content, front: int | None) -> None:
    """G2: what changed is carried, attribute by attribute; what others set meanwhile stays."""
    owners = [make_local() for _ in range(4)]

    def cell(content: Content) -> Cell:
        by_key = {key_of(owners[number]): dict[str, Any](values) for number, values in content.items()}
        first = None if front is None or front not in content else key_of(owners[front])
        return first, by_key.pop(first, {}) if first else {}, by_key

    def flat(content: Content) -> dict[tuple[int, str], int]:
        return {(number, name): value for number, values in content.items() for name, value in values.items()}

    expected, old, new = flat(now), flat(before), flat(after)
    for place in old.keys() - new.keys():
        expected.pop(place, None)
    expected.update({place: value for place, value in new.items() if old.get(place) != value})

    top, values, others = merged(cell(before), cell(after), cell(now))
    result = {**others, top: values} if top else others
    assert all(result.values())
    numbers = {key_of(owner): number for number, owner in enumerate(owners)}
    assert {(numbers[key], name): value for key, seen in result.items() for name, value in seen.items()} == expected


def test_written_back_leaves_other_variables_alone() -> None:
    """G2: for any other variable it is the value that the callee left."""
    variable = ContextVar("other", default=0)
    before, after = Context(), Context()
    after.run(variable.set, 1)
    assert written_back(variable, before, after) == 1


def test_a_dying_namespace_leaves_the_running_context_at_once() -> None:
    """H6: nothing is kept for it, not even an empty entry, whether it stands in front or behind another."""

    class Value:
        pass

    def play(*, in_front: bool) -> None:
        dying, staying = make_local(), make_local()
        dying.value = value = Value()
        staying.x = 1
        if in_front:
            dying.y = 2
        alive = weakref.ref(value)
        del value, dying
        assert alive() is None
        assert snapshot(staying) == {"x": 1}
        assert len(entries()) == 1

    gc.disable()
    try:
        for in_front in (True, False):
            Context().run(play, in_front=in_front)
    finally:
        gc.enable()


def test_other_contexts_do_not_collect_the_dead() -> None:
    """H6: a context that only ever sees namespaces die elsewhere stays small."""
    here = Context()
    sizes: list[int] = []
    for _ in range(2000):
        one, two = make_local(), make_local()
        here.run(setattr, one, "x", 1)
        here.run(setattr, two, "x", 1)
        del one, two
        sizes.append(here.run(lambda: len(entries())))
    assert max(sizes) <= 8
