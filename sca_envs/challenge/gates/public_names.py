"""What code of tasks may import: modules, and the names of each that lead nowhere else.

Written out where a module has names that do more than compute: get or set attributes by a text,
evaluate one, change another module, draw from chance, make classes. Of the others, which have none,
all public names may be used.
"""

from __future__ import annotations

import functools
import importlib
import types

_WRITTEN_OUT = {
    "__future__": "annotations",
    "abc": "ABC abstractmethod",
    "ast": "literal_eval",
    "calendar": """
        Calendar FRIDAY MONDAY SATURDAY SUNDAY THURSDAY TUESDAY WEDNESDAY day_abbr day_name isleap
        leapdays month_abbr month_name monthcalendar monthrange timegm weekday
    """,
    "contextlib": "nullcontext suppress",
    "copy": "copy deepcopy",
    "dataclasses": """
        FrozenInstanceError KW_ONLY asdict astuple dataclass field is_dataclass replace
    """,
    "enum": "Enum Flag IntEnum IntFlag StrEnum UNIQUE auto unique verify",
    "functools": "cache cached_property cmp_to_key lru_cache partial reduce total_ordering",
    "html": "escape unescape",
    "json": "JSONDecodeError JSONDecoder JSONEncoder dumps loads",
    "json.decoder": "JSONDecodeError",
    "operator": """
        abs add and_ concat contains countOf delitem eq floordiv ge getitem gt index indexOf inv
        invert is_ is_not itemgetter le length_hint lshift lt mod mul ne neg not_ or_ pos pow
        rshift setitem sub truediv truth xor
    """,
    "re": """
        A ASCII DOTALL I IGNORECASE M MULTILINE Match Pattern S U UNICODE VERBOSE X compile error
        escape findall finditer fullmatch match search split sub subn
    """,
    "statistics": """
        NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean
        linear_regression mean median median_grouped median_high median_low mode multimode pstdev
        pvariance quantiles stdev variance
    """,
    "string": """
        Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits
        printable punctuation whitespace
    """,
    "typing": """
        AbstractSet Any AnyStr Callable ClassVar Collection Container Counter DefaultDict Deque
        Dict Final FrozenSet Generator Generic Hashable Iterable Iterator KeysView List Literal
        Mapping MutableMapping MutableSequence MutableSet NamedTuple Never NewType NoReturn
        NotRequired Optional OrderedDict ParamSpec Protocol Required Reversible Self Sequence Set
        Sized SupportsFloat SupportsInt TYPE_CHECKING Text Tuple TypeAlias TypeGuard TypeVar
        TypedDict Union ValuesView cast final overload
    """,
    "urllib.parse": """
        parse_qs parse_qsl quote quote_plus unquote unquote_plus urlencode urljoin urlparse urlsplit
        urlunparse urlunsplit
    """,
}
MODULES = frozenset(_WRITTEN_OUT) | {
    "base64", "bisect", "cmath", "collections", "collections.abc", "datetime", "decimal", "difflib",
    "fractions", "hashlib", "heapq", "itertools", "math", "numbers", "textwrap", "unicodedata",
}  # fmt: skip
"""What code may import: pure computation, nothing that depends on time, chance or the machine."""


@functools.cache
def public_names(module: str) -> frozenset[str]:
    """Return the names that code may take from a module.

    Args:
        module: One of `MODULES`.
    """
    if module in _WRITTEN_OUT:
        return frozenset(_WRITTEN_OUT[module].split())
    found = importlib.import_module(module)
    names = getattr(found, "__all__", None) or [n for n in vars(found) if not n.startswith("_")]
    return frozenset(
        name for name in names if not isinstance(getattr(found, name), types.ModuleType)
    ) - {"file_digest", "main"}


@functools.cache
def all_names(module: str) -> frozenset[str]:
    """Return every name that a module has, public or not."""
    return frozenset(dir(importlib.import_module(module)))


@functools.cache
def private_names() -> frozenset[str]:
    """Return the private names of classes that do more than compute: evaluate a text, say."""
    kinds: set[type] = set()
    for module in ("abc", "contextlib", "copy", "dataclasses", "enum", "functools", "typing"):
        for value in vars(importlib.import_module(module)).values():
            kind = value if isinstance(value, type) else type(value)
            kinds.update(kind.__mro__)
    return frozenset(name for kind in kinds for name in dir(kind) if name.startswith("_"))
