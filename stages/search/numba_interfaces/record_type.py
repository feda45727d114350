"""How numba takes a `Record`: as the address of its table."""

import hashlib
from typing import Any

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

from ..record import WORDS, Record, field_names


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
        for name in field_names(type(record)):
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
    first = typ.index(attr) * WORDS

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
