"""Attacks of kinds that the shared file lacks, each with what it teaches.

The oracles are the shared file's (`marker`, `limits`, `contain`, `host_eq`, `verdict`, `next`,
`same`), and `reason:X` where the failure must have the reason X, `forged_not_true` where a forged
end must be no verdict, and `canary`, `host_fast` and `result_small`, which every attack must meet.
With `once`, the oracle is for one-shot code: a session does not see its process end between two
cells.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

# Sends raw frames past the tools, as the runtime would.
_RAW = """
import os, json, struct, sys, time
def frame(kind, value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    os.write(3, struct.pack('<I', len(body) + 1) + kind + body)
def final(value):
    frame(b'V', value)
    frame(b'F', {'cell': '<cell>', 'overflowed': False, 'error': None})
"""
# The same for the stored attacks, whose code says which parts of an end it forges.
_FORGE = """
import os, json, struct, sys
def put(data):
    rest, tries = memoryview(data), 0
    while len(rest):
        try: rest = rest[os.write(3, rest[:1 << 18]):]
        except BlockingIOError:
            tries += 1
            if tries > 10**6: break
        except OSError: break
def frame(kind, body):
    return struct.pack('<I', (len(body) + 1) & 0xffffffff) + kind + body
HONEST = {'cell': '<cell>', 'overflowed': False, 'error': None}
T = {**HONEST, 'value': True}
def text(value):
    if isinstance(value, str): return value.encode('utf-8', 'surrogatepass')
    return json.dumps(value).encode()
def final(**parts):
    kinds = {'stdout': b'O', 'stderr': b'X', 'displayed': b'D'}
    frames = [frame(b'V', json.dumps(parts.pop('value')).encode())] if 'value' in parts else []
    frames += [frame(kind, text(parts.pop(key))) for key, kind in kinds.items() if key in parts]
    return b''.join(frames) + frame(b'F', json.dumps({**HONEST, **parts}).encode())
def raw(body): return frame(b'F', body if isinstance(body, bytes) else body.encode())
def err(**parts):
    frames = [['<cell>', 1, 'f']]
    return {'type': 'ValueError', 'message': 'x', 'frames': frames, 'kind': 'exception', **parts}
"""
_STORED = Path(__file__).parents[1] / "data" / "sandbox_attacks.jsonl"

ATTACKS: list[dict[str, Any]] = []


def stored_attacks() -> list[dict[str, Any]]:
    """Return the attacks that somebody wrote who had not read the sandbox's code."""
    attacks = [json.loads(line) for line in _STORED.read_text().splitlines()]
    for attack in attacks:
        if attack.get("forges"):
            attack["code"] = _FORGE + attack["code"]
    return attacks


def some(attacks: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """Return a part of attacks, always the same."""
    return random.Random(number).sample(attacks, min(number, len(attacks)))


def _attack(name: str, oracle: str, lesson: str, code: str, **more: Any) -> None:
    ATTACKS.append({"id": name, "oracle": oracle, "lesson": lesson, "code": code, **more})


_attack(
    "frame_final_then_more",
    "reason:protocol",
    "a forged final frame is followed by the real one, or by none with a clean exit",
    _RAW + "final(True)\nresult = True",
    once=True,
)
_attack(
    "frame_final_then_hang",
    "limits",
    "a final frame counts only after the process has ended",
    _RAW + "final(True)\nwhile True: pass",
    once=True,
)
_attack(
    "frame_final_then_crash",
    "verdict",
    "a final frame does not count if the process then dies of a signal",
    _RAW + "final(True)\nimport ctypes\nctypes.string_at(0)",
    once=True,
)
_attack(
    "frame_compiled_code",
    "reason:protocol",
    "only a child that compiles may fill the cache of compiled code",
    _RAW + "import marshal\nframe(b'P', marshal.dumps(compile('result = True', 'x', 'exec')))",
)
_attack(
    "frame_huge_length",
    "reason:output",
    "a length is judged before its bytes are awaited or stored",
    _RAW + "os.write(3, b'\\xff\\xff\\xff\\xffF')\nwhile True: os.write(3, b'x' * 65536)",
)
_attack(
    "frame_half_then_silence",
    "limits",
    "half a frame and no processor time: only the clock on the wall ends it",
    _RAW + "os.write(3, b'\\x09\\0\\0\\0F')\nos.read(3, 1)",
)
_attack(
    "frame_flood_unread",
    "limits",
    "calls that do not wait for replies fill buffers of the host's size, not more",
    _RAW + "while True: frame(b'C', ['get_order_details', {'order_id': OID}])",
)
_attack(
    "frame_unknown_tool",
    "reason:protocol",
    "a call names a tool of this execution or is malformed",
    _RAW + "frame(b'C', ['__class__', {}])\nresult = 'PWNED'",
)
_attack(
    "frame_call_shapes",
    "reason:protocol",
    "arguments are an object",
    _RAW + "frame(b'C', ['get_order_details', [OID]])",
)
for number, text in enumerate(
    ("NaN", "Infinity", "1e999", '"\\ud800"', "[" * 5000 + "]" * 5000, "9" * 5000, "tru", "'x'")
):
    _attack(
        f"frame_json_{number}",
        "reason:protocol",
        "the host takes strict JSON of bounded depth, whatever the child sends",
        _RAW + f"frame(b'F', b'{{\"value\": ' + {text.encode()!r} + b'}}')\nos._exit(0)",
    )
_attack(
    "frame_final_extra_keys",
    "reason:protocol",
    "a final frame has its seven keys and no more",
    _RAW
    + "frame(b'F', {'cell': '<cell>', 'value': True, 'error': None, 'verdict': True})\nos._exit(0)",
)
_attack(
    "error_forged_frames",
    "contain",
    "a traceback shows lines of the source only, whatever numbers a frame claims",
    "code = compile('\\n' * 10**6 + '1/0', '<cell>', 'exec')\nexec(code)",
)
_attack(
    "error_hostile_class",
    "contain",
    "an exception can lie about its name, its message and its frames",
    """
class M(type):
    __name__ = property(lambda self: 1/0)
class E(Exception, metaclass=M):
    def __str__(self): raise SystemExit(0)
raise E()
""",
)
_attack(
    "lock_without_time",
    "reason:timeout",
    "a deadlock uses no processor time",
    "import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\nlock.acquire()",
)
_attack(
    "regex_backtracking",
    "limits",
    "C code that runs for ever ends by the host's signal",
    "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')\nresult = 'PWNED'",
)
_attack(
    "result_lying_class",
    "reason:protocol",
    "__class__ can lie to isinstance; the encoder in C does not ask it",
    "class L:\n    __class__ = property(lambda self: bool)\nresult = L()",
)
_attack(
    "result_changing_dict",
    "contain",
    "a dictionary may differ between the check and the encoding; the host checks again",
    """
class D(dict):
    n = 0
    def values(self):
        D.n += 1
        return [1] if D.n == 1 else [float('nan')]
    items = lambda self: [('a', float('nan'))]
result = D(a=1)
""",
)
_attack(
    "result_int_enum",
    "verdict",
    "an enumeration that equals True is the number 1 in JSON",
    "import enum\nresult = enum.IntEnum('E', 'A').A",
)
_attack(
    "profile_the_runtime",
    "contain",
    "a trace function outlives the code and sees the runtime; it can forge nothing new",
    "import sys\nsys.setprofile(lambda *a: 1/0)\nresult = 1",
)
_attack(
    "store_of_modules",
    "next",
    "the stored standard library is mapped privately: writing to it changes nothing for others",
    """
import sys, ctypes
store = sys.meta_path[-1]
code = store._code
try:
    where = ctypes.addressof(ctypes.c_char.from_buffer(code))
    ctypes.memset(where, 0, len(code))
except TypeError:
    pass
store._index.clear()
result = 1
""",
    then="import argparse, string\nresult = argparse.__name__",
    clean="argparse",
)
_attack(
    "memory_for_secrets",
    "marker",
    "the child's memory holds no string of the host, in Python or in C",
    """
import gc, ctypes, os
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
found = [n for n in ('PATH', 'HOME', 'SBX_SECRET') if libc.getenv(n.encode())]
for o in gc.get_objects():
    if isinstance(o, dict):
        found += [k for k in list(o) if isinstance(k, str) and k.startswith('SBX_SECRET')]
result = 'PWNED' + str(found) if found else 'none'
""",
)
_attack(
    "personality_executable_memory",
    "marker",
    "READ_IMPLIES_EXEC would make every new mapping executable",
    """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
result = 'PWNED' if libc.personality(0x0400000) >= 0 else 'none'
""",
)
_attack(
    "mprotect_own_page",
    "marker",
    "memory that exists cannot become executable either",
    """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
page = ctypes.create_string_buffer(8192)
start = (ctypes.addressof(page) + 4095) & ~4095
result = 'PWNED' if libc.mprotect(ctypes.c_void_p(start), 4096, 7) == 0 else 'none'
""",
)
_attack(
    "scheduling_and_limits",
    "marker",
    "limits, priority and core cannot be changed from inside",
    """
import os, resource, signal
done = []
for name, action in {
    'affinity': lambda: os.sched_setaffinity(0, {0, 1}),
    'nice': lambda: os.nice(-1),
    'memory': lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
    'alarm': lambda: signal.setitimer(signal.ITIMER_PROF, 0),
    'handler': lambda: signal.signal(signal.SIGXCPU, signal.SIG_IGN),
    'mask': lambda: signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)),
}.items():
    try: action(); done.append(name)
    except OSError: pass
result = 'PWNED' + str(done) if done else 'none'
""",
)
_attack(
    "directories_and_links",
    "marker",
    "paths cannot be probed: link, access, current directory, attributes",
    """
import os
done = []
for name, action in {
    'readlink': lambda: os.readlink('/proc/self/exe'),
    'chdir': lambda: os.chdir('/'),
    'getcwd': lambda: os.getcwd(),
    'statvfs': lambda: os.statvfs('/'),
    'xattr': lambda: os.listxattr('/'),
    'lstat': lambda: os.lstat('/'),
    'mkfifo': lambda: os.mkfifo('sbx_pwned_fifo'),
    'symlink': lambda: os.symlink('/', 'sbx_pwned_link'),
    'utime': lambda: os.utime('/'),
}.items():
    try: action(); done.append(name)
    except OSError: pass
if os.access('/', os.F_OK): done.append('access')
result = 'PWNED' + str(done) if done else 'none'
""",
)
_attack(
    "channel_duplicated",
    "marker",
    "the channel can be neither duplicated nor shut, so its end means the end of the process",
    """
import os, socket, fcntl
done = []
for name, action in {
    'dup': lambda: os.dup(3),
    'dup2': lambda: os.dup2(3, 9),
    'close': lambda: os.close(3),
    'fcntl': lambda: fcntl.fcntl(3, fcntl.F_DUPFD, 9),
    'socket': lambda: socket.socket(fileno=3).shutdown(2),
}.items():
    try: action(); done.append(name)
    except (OSError, ImportError, NameError): pass
result = 'PWNED' + str(done) if done else 'none'
""".replace(", fcntl\n", "\ntry: import fcntl\nexcept ImportError: pass\n"),
)
_attack(
    "memory_reserved_not_used",
    "marker",
    "the limit is on address space, so reserving is as good as using",
    """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_ssize_t
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
PRIVATE_ANONYMOUS_NORESERVE = 0x4022
got = libc.mmap(None, 1 << 40, 3, PRIVATE_ANONYMOUS_NORESERVE, -1, 0)
result = 'PWNED' if got > 0 else 'none'
""",
)
_attack(
    "source_too_deep",
    "contain",
    "the compiler runs in a child, too: a source can exhaust its stack",
    "x = " + "(" * 150 + "1" + ")" * 150 + "\n" + "y = " + "-" * 5000 + "1",
)
_attack(
    "source_folds_for_ever",
    "contain",
    "a source whose constants take long to fold ends within the limits",
    "result = 1\n" + "\n".join(f"x{i} = 'a' * 4096 * 1" for i in range(20000)),
)
_attack(
    "source_null_byte",
    "reason:exception",
    "what the compiler refuses with another error than SyntaxError is reported, too",
    "result = 1\0",
)
_attack(
    "random_without_seed",
    "same",
    "generators without a seed, system random numbers and identifiers repeat",
    """
import random, uuid, secrets, os
result = [random.Random().random(), random.SystemRandom().random(), str(uuid.uuid1()),
          str(uuid.uuid4()), secrets.token_hex(), os.getpid(), os.urandom(8).hex()]
random.seed(); result.append(random.random())
""",
)
_attack(
    "addresses_of_many_sizes",
    "same",
    "addresses repeat for every size of object, large blocks and C structures",
    """
import ctypes
keep = [bytes(n) for n in range(0, 3000, 7)] + [bytearray(10**n) for n in range(7)]
result = [id(k) for k in keep] + [id(o) for o in ({}, [], (1,), 2.5, 10**30, object(), set())]
result.append(ctypes.addressof(ctypes.create_string_buffer(100)))
""",
)
_attack(
    "sleep_for_ever",
    "contain",
    "sleeping moves a clock that stands still, and takes no time",
    "import time\nfor _ in range(1000): time.sleep(10**6)\nresult = time.monotonic()",
)
_attack(
    "environment_of_c",
    "next",
    "what C keeps for the process (environment, locale, time zone) ends with it",
    "import os, locale, time\nos.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()\nresult = 1",
    then="import time\nresult = [time.localtime(0).tm_hour, time.tzname[0]]",
    clean=[0, "UTC"],
)
_attack(
    "report_of_60000_frames",
    "host_fast",
    "the host reads at most 20 frames of a traceback, and splits a source once",
    _FORGE
    + "pad = 0\n"
    + "pad += 1\n" * 3000
    + "put(final(error=err(frames=[['<cell>', i % 3000, 'f'] for i in range(60_000)])))\n"
    + "put(final(error=err(frames=[['<cell>', i, 'f'] for i in range(20)])))\nos._exit(0)",
)
_attack(
    "report_of_long_lines",
    "result_small",
    "a line of the source is cut in a traceback, and so is the number of lines",
    _FORGE
    + f"x = '{'q' * 20_000}'\n"
    + "put(final(error=err(frames=[['<cell>', n, 'f'] for n in range(1, 40)] * 500)))\nos._exit(0)",
)
_attack(
    "source_of_many_constants",
    "canary",
    "a source of a megabyte is compiled in a child within the limits, or refused",
    f"result = {[number * 12_345_677 for number in range(60_000)]}\nresult = len(result)",
)
_attack(
    "source_of_many_names",
    "canary",
    "and so is one of many names",
    "".join(f"v{number} = {number}\n" for number in range(20_000)) + "result = 1",
)
_attack(
    "standard_library_rewritten",
    "next",
    "the memory file of stored modules is sealed: no mapping of it can be written by another",
    """
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
done = []
for number in range(64):
    for flags in (1, 2, 3):
        try:
            mmap.mmap(number, 4096, flags=flags)[:4096] = bytes(4096); done.append(number)
        except (OSError, ValueError): pass
        where = libc.mmap(None, ctypes.c_size_t(4096), 3, flags, number, ctypes.c_long(0))
        if where not in (None, ctypes.c_void_p(-1).value):
            ctypes.memset(where, 0, 4096); done.append(number)
    try: os.pwrite(number, bytes(4096), 0); done.append(number)
    except OSError: pass
    try: os.ftruncate(number, 0); done.append(number)
    except OSError: pass
result = 'PWNED' + str(done) if done else 'none'
""",
    then="import pprint\nresult = pprint.pformat({'a': 1})",
    clean="{'a': 1}",
)
_attack(
    "import_machinery_made_anew",
    "marker",
    "a module of C made anew has the same table of functions, in which the dangerous ones refuse",
    """
import sys, os, _struct
from types import SimpleNamespace
del sys.modules['_imp']
import _imp
folder = os.path.dirname(_struct.__file__)
suffix = _struct.__file__.partition('_struct')[2]
result = 'none'
for name in ('_ctypes', 'x._ctypes', 'ctypes'):
    try:
        spec = SimpleNamespace(name=name, origin=f'{folder}/_ctypes{suffix}')
        module = _imp.create_dynamic(spec)
        handle = module.dlopen(None, 1)
        result = 'PWNED' + str(module.call_function(module.dlsym(handle, 'abs'), (-5,)))
    except Exception: pass
""",
    plain=True,
)
_attack(
    "number_of_this_process",
    "same",
    "no frame below the code holds the process's number, which counts the executions before",
    """
import sys
frame, result = sys._getframe(), []
while frame is not None:
    for name, value in sorted(frame.f_locals.items()):
        if isinstance(value, (int, float, str, bytes, bytearray)):
            result.append([name, repr(value)])
    frame = frame.f_back
""",
)
_attack(
    "call_of_many_brackets",
    "host_fast",
    "JSON with very many parts is refused before it is read",
    _RAW
    + "deep = '[' * 97 + ']' * 97\\n"
    + "call = '[' + ','.join([deep] * 5250) + ',1]'\n"
    + "for _ in range(5): frame(b'C', call.encode())\n",
)
