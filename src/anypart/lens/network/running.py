"""How a module is run to be watched: plain implementations, and nothing left changed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch


@contextmanager
def plainly() -> Generator[None]:
    """Choose the plain implementations, which are made of operations with rules."""
    import warnings

    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter(
            "ignore"
        )  # a backend that is not there tells so when it is turned off
        stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def watched(
    module: Any, where: list[str], left: Callable[[str, Any, Any], None]
) -> Generator[Callable[..., Any]]:
    """Keep the names of the modules that are running, and a module's buffers as they are."""
    if not isinstance(module, torch.nn.Module):
        yield module
        return
    names = {id(m): n for n, m in module.named_modules()}

    def enter(m: torch.nn.Module, _: Any) -> None:
        where.append(names.get(id(m), ""))

    def leave(m: torch.nn.Module, _: Any, found: Any) -> None:
        left(where.pop(), m, found)

    every = torch.nn.modules.module
    hooks = (
        every.register_module_forward_pre_hook(enter),
        every.register_module_forward_hook(leave),
    )
    buffers = [(b, b.detach().clone()) for b in module.buffers()]
    try:
        yield module
    finally:
        for hook in hooks:
            hook.remove()
        where.clear()
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)
