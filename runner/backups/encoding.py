"""Random generators, dataclasses and other objects as plain data, and back."""

import dataclasses
import pickle
import random
import sys
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from ...stages.plain_data import copy_plain, shown

# Deeper than anybody nests data on purpose.
_DEEPEST = 64
_PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes))
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
# Own names among an object's, which no entry of a user's dict may have.
_OWN = "__"


class UnsavableError(TypeError):
    """What no backup can hold, named."""


def encode(value: Any, name: str, pickles: bool = False) -> Any:
    """Return plain data from which `decode` makes the same value again.

    Beside plain data that is NumPy's numbers, arrays of objects, `Generator`,
    `RandomState`, bit generators and seed sequences, Python's `random.Random`,
    deques, named tuples, enumerations and dataclasses, one within the other. What
    stands in several places is one object again.

    Parameters
    ----------
    value
        The value; what is returned is a copy.
    name
        What to call it in an error.
    pickles
        Whether to pickle whatever else can be.

    Raises
    ------
    UnsavableError
        For anything else.
    """
    return _Encoder(pickles).encode(value, name, _DEEPEST)


def decode(data: Any, unpickles: bool = False) -> Any:
    """Make a value of what `encode` returned.

    No class is imported for it, no constructor called, and nothing is unpickled
    unless `unpickles` allows it.

    Raises
    ------
    ValueError, TypeError, LookupError, AttributeError
        For what `encode` cannot have returned.
    """
    return _Decoder(unpickles).decode(data)


class _Encoder:
    def __init__(self, pickles: bool) -> None:
        self._pickles = pickles
        self._numbers: dict[int, int] = {}
        # So that no other object gets the id of one that is gone.
        self._held: list[Any] = []

    def encode(self, value: Any, name: str, depth: int) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if not depth:
            raise UnsavableError(f"{name} (too deep)")
        if kind is tuple:
            return tuple(self.encode(one, f"{name}[{i}]", depth - 1) for i, one in enumerate(value))
        if kind is frozenset:
            return {"__frozenset__": [self.encode(one, name, depth - 1) for one in value]}
        if isinstance(value, np.generic) and kind is not np.void:
            return {"__scalar__": np.array(value)}
        if isinstance(value, Enum) and _class_named(*_name_of(kind)) is kind:
            return {"__enum__": [*_name_of(kind), value.name]}
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return {"__named__": [*self._class(kind, name), [*self._items(value, name, depth)]]}
        number = self._numbers.get(id(value))
        if number is not None:
            return {"__same__": number}
        self._numbers[id(value)] = len(self._numbers)
        self._held.append(value)
        return self._object(value, name, depth)

    def _items(self, values: Any, name: str, depth: int) -> Any:
        return (self.encode(one, f"{name}[{i}]", depth - 1) for i, one in enumerate(values))

    def _object(self, value: Any, name: str, depth: int) -> Any:
        kind = type(value)
        if kind is list:
            return list(self._items(value, name, depth))
        if kind is dict:
            return self._dict(value, name, depth)
        if kind is set:
            return {"__set__": list(self._items(value, name, depth))}
        if kind is deque:
            return {"__deque__": [list(self._items(value, name, depth)), value.maxlen]}
        if kind is bytearray:
            return bytearray(value)
        if kind is np.ndarray:
            return self._array(value, name, depth)
        if kind is random.Random:
            return {"__random__": value.getstate()}
        if kind is np.random.SeedSequence:
            seeds: np.random.SeedSequence = value
            about = (seeds.entropy, seeds.spawn_key, seeds.pool_size, seeds.n_children_spawned)
            return {"__seeds__": [copy_plain(one) for one in about]}
        if kind is np.random.Generator:
            return {"__generator__": self.encode(value.bit_generator, name, depth - 1)}
        if kind is np.random.RandomState:
            bits = self.encode(value._bit_generator, name, depth - 1)
            return {"__random_state__": [bits, copy_plain(dict(value.get_state(legacy=False)))]}
        if kind.__name__ in _BIT_GENERATORS and isinstance(value, np.random.BitGenerator):
            seeds_of = getattr(value, "seed_seq", None)
            encoded = None
            if type(seeds_of) is np.random.SeedSequence:
                encoded = self.encode(seeds_of, name, depth - 1)
            return {"__bits__": [kind.__name__, copy_plain(dict(value.state)), encoded]}
        if dataclasses.is_dataclass(value) and _can_be_made(kind):
            held = {
                one.name: getattr(value, one.name, _NOTHING) for one in dataclasses.fields(value)
            }
            held |= getattr(value, "__dict__", {})
            parts = [
                [own, self.encode(one, f"{name}.{own}", depth - 1)]
                for own, one in held.items()
                if one is not _NOTHING
            ]
            return {"__dataclass__": [*_name_of(kind), parts]}
        return self._pickled(value, name)

    def _dict(self, value: dict[Any, Any], name: str, depth: int) -> Any:
        if all(type(one) is str and not one.startswith(_OWN) for one in value):
            return {own: self.encode(one, f"{name}.{own}", depth - 1) for own, one in value.items()}
        pairs = [
            [
                self.encode(own, name, depth - 1),
                self.encode(one, f"{name}[{shown(own)}]", depth - 1),
            ]
            for own, one in value.items()
        ]
        return {"__dict__": pairs}

    def _array(self, value: Any, name: str, depth: int) -> Any:
        if value.dtype == object:
            items = list(self._items(value.ravel().tolist(), name, depth))
            return {"__objects__": [list(value.shape), items]}
        try:
            return copy_plain(value)
        except TypeError:
            return self._pickled(value, name)

    def _class(self, kind: type, name: str) -> tuple[str, str]:
        if _class_named(*_name_of(kind)) is not kind:
            raise UnsavableError(f"{name} (a {kind.__name__}, which no module has by that name)")
        return _name_of(kind)

    def _pickled(self, value: Any, name: str) -> Any:
        if self._pickles:
            try:
                return {"__pickle__": pickle.dumps(value)}
            except Exception as error:
                # There are as many ways to fail as there are kinds of objects.
                why = f"a {type(value).__name__} that cannot be pickled: {error!r:.80}"
                raise UnsavableError(f"{name} ({why})") from error
        raise UnsavableError(f"{name} (a {type(value).__name__})")


class _Decoder:
    def __init__(self, unpickles: bool) -> None:
        self._unpickles = unpickles
        self._objects: list[Any] = []

    def decode(self, data: Any) -> Any:
        kind = type(data)
        if kind is tuple:
            return tuple(map(self.decode, data))
        if kind is list:
            made: list[Any] = []
            self._objects.append(made)
            made.extend(map(self.decode, data))
            return made
        if kind in (np.ndarray, bytearray):
            self._objects.append(data)
            return data
        if kind is not dict:
            return data
        tag = next(iter(data), None)
        if not (isinstance(tag, str) and tag.startswith(_OWN)):
            values: dict[Any, Any] = {}
            self._objects.append(values)
            for own, one in data.items():
                values[own] = self.decode(one)
            return values
        if len(data) != 1 or tag not in _MAKERS:
            raise ValueError(f"nothing is called {tag!r:.40}")
        return _MAKERS[tag](self, data[tag])

    def same(self, number: int) -> Any:
        made = self._objects[number]
        if made is _NOTHING or number < 0:
            raise ValueError(f"no object {number}")
        return made

    def frozen_set(self, items: list[Any]) -> frozenset[Any]:
        return frozenset(map(self.decode, items))

    def scalar(self, array: Any) -> Any:
        return array[()]

    def enum(self, held: list[str]) -> Any:
        kind = _class_named(held[0], held[1])
        if not (isinstance(kind, type) and issubclass(kind, Enum)):
            raise ValueError(f"no enumeration {held[1]!r:.80} is there")
        return kind[held[2]]

    def named(self, held: list[Any]) -> Any:
        kind = _class_named(held[0], held[1])
        if not (isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")):
            raise ValueError(f"no named tuple {held[1]!r:.80} is there")
        return tuple.__new__(kind, map(self.decode, held[2]))

    def dict(self, pairs: list[list[Any]]) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        self._objects.append(made)
        for own, one in pairs:
            key = self.decode(own)
            made[key] = self.decode(one)
        return made

    def set(self, items: list[Any]) -> set[Any]:
        made: set[Any] = set()
        self._objects.append(made)
        made.update(map(self.decode, items))
        return made

    def deque(self, held: list[Any]) -> deque[Any]:
        made: deque[Any] = deque(maxlen=held[1])
        self._objects.append(made)
        made.extend(map(self.decode, held[0]))
        return made

    def objects(self, held: list[Any]) -> Any:
        shape, items = tuple(held[0]), held[1]
        if np.prod(shape, dtype=object) != len(items):
            raise ValueError(f"{len(items)} objects do not fill {shape}")
        made = np.empty(shape, object)
        self._objects.append(made)
        for place, one in enumerate(items):
            made.flat[place] = self.decode(one)
        return made

    def random(self, state: Any) -> random.Random:
        made = random.Random()
        made.setstate(state)
        self._objects.append(made)
        return made

    def seeds(self, held: list[Any]) -> np.random.SeedSequence:
        entropy, spawn_key, pool_size, spawned = held
        made = np.random.SeedSequence(
            entropy, spawn_key=spawn_key, pool_size=pool_size, n_children_spawned=spawned
        )
        self._objects.append(made)
        return made

    def bits(self, held: list[Any]) -> np.random.BitGenerator:
        place = self._reserve()
        name, state, seeds = held
        if name not in _BIT_GENERATORS:
            raise ValueError(f"no bit generator is called {name!r:.40}")
        made = getattr(np.random, name)(0 if seeds is None else self.decode(seeds))
        made.state = state
        self._objects[place] = made
        return made

    def generator(self, bits: Any) -> np.random.Generator:
        place = self._reserve()
        made = self._objects[place] = np.random.Generator(self.decode(bits))
        return made

    def random_state(self, held: list[Any]) -> np.random.RandomState:
        place = self._reserve()
        made = self._objects[place] = np.random.RandomState(self.decode(held[0]))
        made.set_state(held[1])
        return made

    def dataclass(self, held: list[Any]) -> Any:
        kind = _class_named(held[0], held[1])
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            raise ValueError(f"no dataclass {held[1]!r:.80} is there: its module is not imported")
        made = object.__new__(kind)
        self._objects.append(made)
        for own, one in held[2]:
            object.__setattr__(made, own, self.decode(one))
        return made

    def pickle(self, held: bytes) -> Any:
        if not self._unpickles:
            raise ValueError("nothing is unpickled unless that is asked for")
        made = pickle.loads(held)
        self._objects.append(made)
        return made

    def _reserve(self) -> int:
        """Take the number of an object that can be made only when its parts are there."""
        self._objects.append(_NOTHING)
        return len(self._objects) - 1


_NOTHING = object()

_MAKERS: dict[str, Callable[[_Decoder, Any], Any]] = {
    "__same__": _Decoder.same,
    "__frozenset__": _Decoder.frozen_set,
    "__scalar__": _Decoder.scalar,
    "__enum__": _Decoder.enum,
    "__named__": _Decoder.named,
    "__dict__": _Decoder.dict,
    "__set__": _Decoder.set,
    "__deque__": _Decoder.deque,
    "__objects__": _Decoder.objects,
    "__random__": _Decoder.random,
    "__seeds__": _Decoder.seeds,
    "__bits__": _Decoder.bits,
    "__generator__": _Decoder.generator,
    "__random_state__": _Decoder.random_state,
    "__dataclass__": _Decoder.dataclass,
    "__pickle__": _Decoder.pickle,
}


def _name_of(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__


def _class_named(module: str, name: str) -> Any:
    """Return a class of a module that is imported already; None where there is none."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        # Not by getattr, which may run code of a module's.
        found = getattr(found, "__dict__", {}).get(part)
    return found


def _can_be_made(kind: type) -> bool:
    """Tell whether a dataclass can be made again without its constructor."""
    if _class_named(*_name_of(kind)) is not kind:
        return False
    try:
        object.__new__(kind)
    except TypeError:
        return False
    return True
