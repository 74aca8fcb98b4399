"""Gives the functions of a loaded module the code of a changed text, without importing it again."""

import sys
from types import CodeType, FunctionType
from typing import Any

_FUNCTION = 1  # CO_OPTIMIZED: the code of a function, not of a module or class


class NotGrafted(Exception):
    """More than the code of loaded functions differs: the module has to be imported anew."""


def graft(path: str, old: str, new: str) -> None:
    """Swap the code of every function that differs between two texts. Raises: NotGrafted."""
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = sys.modules.get(name)
    if module is None:
        raise NotGrafted
    before, after = (compile(text, str(module.__file__), "exec") for text in (old, new))
    if _frame(before) != _frame(after):
        raise NotGrafted
    known = dict(_functions(before))
    changed = {name: code for name, code in _functions(after) if code != known.get(name)}
    # What a function has returned before keeps its old code, if it is a function itself.
    if any(_inner(known[name]) != _inner(code) for name, code in changed.items()):
        raise NotGrafted
    found = [(_resolve(module, name), code) for name, code in changed.items()]
    for function, code in found:
        function.__code__ = code


def _frame(code: CodeType) -> tuple[Any, ...]:
    """Give what happens when a module or class body runs, without the functions it makes."""
    inside = [
        _frame(c) if isinstance(c, CodeType) else (type(c), c)
        for c in code.co_consts
        if not (isinstance(c, CodeType) and c.co_flags & _FUNCTION)
    ]
    return code.co_code, code.co_names, tuple(inside)


def _inner(code: CodeType) -> list[CodeType]:
    nested = [c for c in code.co_consts if isinstance(c, CodeType)]
    return [c for c in nested if not c.co_name.startswith("<")]


def _functions(code: CodeType) -> list[tuple[str, CodeType]]:
    found = []
    for c in code.co_consts:
        if isinstance(c, CodeType):
            found += [(c.co_qualname, c)] if c.co_flags & _FUNCTION else _functions(c)
    return found


def _resolve(module: Any, name: str) -> FunctionType:
    value = module
    for part in name.split("."):
        value = vars(value).get(part)
    value = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
    value = getattr(value, "__wrapped__", value)
    if not isinstance(value, FunctionType):
        raise NotGrafted
    return value
