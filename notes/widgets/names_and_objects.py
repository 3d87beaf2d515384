"""Snippets that everybody meets, watched on the interpreter that builds the page."""

from __future__ import annotations

from typing import Any

from anypart.lens.python import watch
from anypart.lens.python.classics import classic

SHOWN = {  # the snippet's name → what it shows, in Chinese; in English it says so itself
    "one-list-two-names": "一个列表，两个名字",
    "rebinding-is-not-mutation": "重新赋值不改变原来的对象",
    "argument-mutated-or-rebound": "函数看到调用者的对象；在里面赋值只影响自己",
    "default-argument": "默认值只创建一次",
    "copy-and-deepcopy": "浅拷贝共享里面的对象，深拷贝不共享可变对象",
    "tuple-item-augmented": "t[0] += [1] 引发异常，却仍然改了列表",
    "equal-or-identical": "相等不等于同一个对象；小整数是共享的",
    "strings-do-not-change": "字符串的方法返回另一个字符串",
}
_LEFT_OUT = ("address", "traceback")  # differ from run to run, or are not shown


def data() -> dict[str, Any]:
    """Return the snippets, each with its title in two languages and its trace."""
    snippets = [
        {"name": name, "en": classic(name).title, "zh": zh, "trace": _small(_traced(name))}
        for name, zh in SHOWN.items()
    ]
    return {"snippets": snippets}


def _traced(name: str) -> dict[str, Any]:
    trace = watch(classic(name).source).to_json()
    return {key: trace[key] for key in ("source", "version", "steps")}


def _small(value: Any) -> Any:
    """Leave out what the page does not show."""
    if isinstance(value, dict):
        return {k: _small(v) for k, v in value.items() if k not in _LEFT_OUT}
    if isinstance(value, list | tuple):
        return [_small(v) for v in value]
    return value
