"""Instructions of the machine that compiled loops have no word for."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BIT, _INT32, _BYTES = ir.IntType(1), ir.IntType(32), ir.IntType(8).as_pointer()
_READ, _NEAR, _DATA = (ir.Constant(_INT32, n) for n in (0, 3, 1))


def _counts_zeros(instruction: str) -> Any:
    """Make the instruction that counts zeros at one end of a word; of no ones, 64."""

    def zeros(typing_context: Any, word: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, instruction)(arguments[0], ir.Constant(_BIT, 0))

        return types.uint64(types.uint64), emit

    return intrinsic(zeros)


leading_zeros = _counts_zeros("ctlz")
trailing_zeros = _counts_zeros("cttz")


def _asks_for(typing_context: Any, array: Any, at: Any) -> Any:
    """Make the instruction that asks for an item of a contiguous row before it is read.

    The item need not be there: beyond the end, nothing happens. The processor looks ahead by
    itself, but not from one page of memory into the next, where a short loop would wait.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        items = context.make_array(array)(context, builder, arguments[0]).data
        item = builder.bitcast(builder.gep(items, [arguments[1]]), _BYTES)
        kind = ir.FunctionType(ir.VoidType(), [_BYTES, _INT32, _INT32, _INT32])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [_BYTES], kind)
        builder.call(ask, [item, _READ, _NEAR, _DATA])
        return context.get_dummy_value()

    return types.void(array, types.int64), emit


prefetch: Any = intrinsic(_asks_for)
