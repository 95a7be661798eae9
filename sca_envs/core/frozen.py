"""JSON values that nobody can change, so that all episodes can hand out the same ones."""

from __future__ import annotations

from typing import Any, NoReturn


def freeze(value: Any) -> Any:
    """Return a JSON value whose objects and lists refuse to be changed.

    They are `dict` and `list` to everybody who reads them, `json` included. Pickles and copies of
    them, deep ones too, are plain and can be changed.
    """
    if isinstance(value, _FrozenDict | _FrozenList):
        return value
    if isinstance(value, dict):
        return _FrozenDict({key: freeze(item) for key, item in value.items()})
    if isinstance(value, list):
        return _FrozenList(map(freeze, value))
    return value


def _refuse(self: object, *_: Any, **__: Any) -> NoReturn:
    raise TypeError(
        "Expected nobody to change a value that all episodes share; change a copy.deepcopy of it"
    )


class _FrozenDict(dict[str, Any]):
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return dict, (dict(self),)


class _FrozenList(list[Any]):
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return list, (list(self),)
