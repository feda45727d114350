"""Records of arrays that kernels take as one pointer.

numba passes a tuple of arrays by value, seven words an array, and counts
references to each of them on every call; with forty arrays that costs more than
the work. A `Record` is passed as the address of a table of pointers instead.
A kernel reads ``record.field`` as in Python and gets a borrowed array: it must
not return one or keep it.
"""

import hashlib
from dataclasses import fields
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np import arrayobj

_WORDS = 4


class Record:
    """Base of dataclasses whose fields are C-contiguous arrays, integers, floats and None.

    Arrays have at most three dimensions. Fields must not be set anew once a
    kernel has seen the record; what the arrays hold may change. The value of
    None is a type of its own, so that kernels compile without what it stands
    for.
    """

    def _table(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Lay out the fields: address and shape of an array, or a number's bits."""
        table = self.__dict__.get("_words")
        if table is None:
            table = np.zeros(_WORDS * len(_field_names(type(self))), np.int64)
            for i, name in enumerate(_field_names(type(self))):
                _lay_out(table[i * _WORDS : (i + 1) * _WORDS], name, getattr(self, name))
            object.__setattr__(self, "_words", table)
        return table

    def _address(self) -> int:
        return int(self._table().ctypes.data)

    def __getstate__(self) -> dict[str, Any]:
        # Addresses mean nothing in another process.
        return {name: value for name, value in self.__dict__.items() if name[0] != "_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)


def _field_names(record: type) -> list[str]:
    return [field.name for field in fields(record)]  # pyright: ignore[reportArgumentType]


def _lay_out(words: np.ndarray[Any, np.dtype[np.int64]], name: str, value: Any) -> None:
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous or value.ndim > _WORDS - 1:
            raise ValueError(f"{name} must be C-contiguous with at most three dimensions")
        words[0] = value.ctypes.data
        words[1 : 1 + value.ndim] = value.shape
    elif isinstance(value, float):
        words[:1].view(np.float64)[0] = value
    elif value is not None:
        words[0] = value


class RecordType(types.Type):
    """The numba type of a record: its class's name and its fields' types."""

    def __init__(self, name: str, field_types: tuple[tuple[str, types.Type], ...]) -> None:
        self.field_types = field_types
        # As a digest, for the name is part of the name of every function that takes a record.
        listed = ", ".join(f"{field}: {kind}" for field, kind in field_types)
        digest = hashlib.sha256(listed.encode()).hexdigest()[:16]
        super().__init__(name=f"{name}[{digest}]")

    def index(self, attribute: str) -> int:
        """Position of a field."""
        return [name for name, _ in self.field_types].index(attribute)


register_model(RecordType)(models.OpaqueModel)


@typeof_impl.register(Record)
def _typeof_record(record: Record, context: Any) -> RecordType:
    known = record.__dict__.get("_type")
    if known is None:
        kinds = []
        for name in _field_names(type(record)):
            value = getattr(record, name)
            kind = typeof_impl(value, context)
            if isinstance(kind, types.Array):
                # Whether an array may be written is for Python to say.
                kind = types.Array(kind.dtype, kind.ndim, "C")
            elif isinstance(kind, types.Integer):
                kind = types.int64
            kinds.append((name, kind))
        known = RecordType(type(record).__name__, tuple(kinds))
        object.__setattr__(record, "_type", known)
    return known


@unbox(RecordType)
def _unbox_record(typ: RecordType, obj: Any, c: Any) -> NativeValue:
    address = c.pyapi.call_method(obj, "_address")
    pointer = cgutils.alloca_once_value(c.builder, ir.Constant(cgutils.voidptr_t, None))
    failed = cgutils.is_null(c.builder, address)
    with c.builder.if_then(c.builder.not_(failed), likely=True):
        word = c.pyapi.long_as_longlong(address)
        c.pyapi.decref(address)
        c.builder.store(c.builder.inttoptr(word, cgutils.voidptr_t), pointer)
    return NativeValue(c.builder.load(pointer), is_error=failed)


@infer_getattr
class _RecordAttribute(AttributeTemplate):
    key = RecordType

    def generic_resolve(self, value: RecordType, attr: str) -> types.Type | None:
        return dict(value.field_types).get(attr)


@lower_getattr_generic(RecordType)
def _load_field(context: Any, builder: Any, typ: RecordType, value: Any, attr: str) -> Any:
    kind = dict(typ.field_types)[attr]
    word = ir.IntType(64)
    table = builder.bitcast(value, word.as_pointer())
    first = typ.index(attr) * _WORDS

    def load(offset: int) -> Any:
        pointer = builder.gep(table, [ir.Constant(word, first + offset)])
        loaded = builder.load(pointer)
        # The table never changes: let LLVM keep what it has read.
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded

    if isinstance(kind, types.NoneType):
        return context.get_dummy_value()
    if isinstance(kind, types.Integer):
        return load(0)
    if isinstance(kind, types.Float):
        return builder.bitcast(load(0), ir.DoubleType())
    return _borrow_array(context, builder, kind, load)


def _borrow_array(context: Any, builder: Any, kind: Any, load: Any) -> Any:
    array = context.make_array(kind)(context, builder)
    item = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    item_size = context.get_constant(types.intp, item)
    shape = [load(1 + axis) for axis in range(kind.ndim)]
    strides = [item_size]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    arrayobj.populate_array(
        array,
        data=builder.inttoptr(load(0), array.data.type),
        shape=shape,
        strides=strides,
        itemsize=item_size,
        meminfo=None,
        parent=None,
    )
    return array._getvalue()
