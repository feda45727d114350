"""Inner functions that are optimised where they are used, and only there.

numba optimises each function together with all that it calls and makes machine
code of it, and then does the same with its caller, to which it is added. What
only kernels call needs neither: here it stays as it was lowered until a kernel
takes it in, so that each kernel is optimised once, with all that it calls.
"""

from typing import Any, Literal

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering


class InnerLibrary(JITCodeLibrary):
    """Code of an inner function as it was lowered."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        """Take no more code; there is nothing to do with it yet."""
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True


class KernelLibrary(JITCodeLibrary):
    """Code of a kernel and of all inner functions that it needs."""

    def finalize(self) -> None:
        """Take in the inner functions, optimise all and make machine code of it."""
        self._linking_libraries = _callers_first(self._linking_libraries)
        super().finalize()


def _callers_first(libraries: list[Any]) -> list[Any]:
    """List libraries and all that they need, each before what it calls.

    LLVM takes of a library only what is called by what it has taken before.
    """
    done: set[int] = set()
    callees_first: list[Any] = []

    def visit(library: Any) -> None:
        if id(library) in done:
            return
        done.add(id(library))
        if isinstance(library, InnerLibrary):
            for callee in library._linking_libraries:
                visit(callee)
        callees_first.append(library)

    for library in libraries:
        visit(library)
    return callees_first[::-1]


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(NativeLowering):
    """Lower a kernel into a `KernelLibrary`."""

    _name = "kernel_lowering"

    def run_pass(self, state: Any) -> Literal[True]:
        """Lower the function that is being compiled."""
        state.library = KernelLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().run_pass(state)


@register_pass(mutates_CFG=True, analysis_only=False)
class InnerLowering(NativeLowering):
    """Lower an inner function into an `InnerLibrary`."""

    _name = "inner_lowering"

    def run_pass(self, state: Any) -> Literal[True]:
        """Lower the function that is being compiled."""
        library = InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library = library
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        # Where others have a pointer to machine code: what its callers look it up by.
        entry = object()
        state.targetctx.insert_user_function(entry, lowered.fndesc, [library])
        state["cr"] = lowered._replace(cfunc=entry)
        # It would keep all that the compiler knew about the function in memory.
        state.type_annotation = None
        return True


class KernelCompiler(CompilerBase):
    """numba's compiler with `KernelLowering`."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes of a compilation."""
        return [_passes(self.state, KernelLowering)]


class InnerCompiler(CompilerBase):
    """numba's compiler with `InnerLowering`."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes of a compilation."""
        return [_passes(self.state, InnerLowering)]


def _passes(state: Any, lowering: type[NativeLowering]) -> Any:
    manager = DefaultPassBuilder.define_nopython_pipeline(state)
    manager.passes = [
        (lowering if step is NativeLowering else step, text) for step, text in manager.passes
    ]
    manager.finalize()
    return manager
