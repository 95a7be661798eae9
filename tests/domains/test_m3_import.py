"""The import of M3ToolEval, on a small invented original and, where there, on the real data.

Every task, tool and page here is invented; only the form is the original's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs.core.errors import DataNotInstalledError, OptionError, SCAError, TaskFileError
from sca_envs.data import import_data, import_m3tooleval, installed
from sca_envs.data.m3_source import read_source_tasks
from sca_envs.data.m3tooleval import FILES, LICENSE

HEAD = """
import os
from ..base import Task, register_task_iterator, ToolType

CUR_TASK_NAME = "{family}"

def double(text: str, *more):
    from collections import Counter
    # Only what is called is looked at.
    if not text:
        raise ValueError("empty")
    counts = dict(Counter(text))
    longest = max(counts, key=counts.get)
    for letter in text:
        if letter == "x":
            continue
        longest = longest + letter
    return longest

CUR_TOOLS = {{
    "double": ToolType(
        name="double",
        description="Says it " "twice.",
        function=double,
        fn_signature="double(text)",
    ),
    "total": ToolType(
        name="total",
        description="Adds.",
        function=lambda *args: sum(args),
        fn_signature="total(*n)",
    ),
}}
"""
TASKS = """
TASKS = [
    Task(
        name=f"{CUR_TASK_NAME}/first",
        tools=CUR_TOOLS,
        instruction=("Say " f"{CUR_TASK_NAME.replace('_', ' ')!s}".strip()
                     if False else "Double 'abxb'."),
        expected_output=double("abxb"),
        is_single_tool_task=False,
    ),
]
def price(units, each=0.1):
    return [each * units, sum([each, each, each])]
TASKS.append(
    Task(
        name=f"{CUR_TASK_NAME}/second",
        tools=CUR_TOOLS,
        instruction=f"What do {CUR_TASK_NAME.lower()} cost?",
        expected_output=(lambda units=3: price(units)[::-1])(),
        is_single_tool_task=False,
    )
)
register_task_iterator(TASKS, len(TASKS))
print(f"{len(TASKS)} tasks")
"""
TRAVEL = """
LOC = ['"A"', '"B"']
flights = [{"from_location": LOC[0], "to_location": LOC[1], "date": "2030-01-01", "price": 7}]
hotels = [{"location": LOC[1], "preferences": ["wifi"], "price_per_night": 5, "rating": 4}]
"""
WEB = """
class Browser:
    def __init__(self):
        open("/etc/passwd")

with open("web_pages.jsonl") as file:
    PAGES = file.read()

def create_tools():
    browser = Browser()
    return {
        "view": ToolType(
            name="view", description="Shows.", function=browser.view, fn_signature="view()"
        )
    }

TASKS = []
pairs = [(item["name"], item["price"]) for item in METADATA["item_info"]]
for i, (name, price) in enumerate(pairs[:2]):
    if "Red" not in name:
        continue
    TASKS.append(
        Task(
            name=f"{CUR_TASK_NAME}/{i}_{name.lower().replace(' ', '_')}",
            tools=create_tools,
            instruction=f"Find {', '.join([name])}.",
            expected_output=price,
            is_single_tool_task=False,
        )
    )
"""
METADATA = {
    "item_info": [{"name": "Red Hat", "price": 3.5}, {"name": "Blue Hat", "price": 4}],
    "person_info": [{"name": "Bo", "email": "b@c", "phone_number": "1", "department": "X"}],
}
PAGES = [{"name": "/", "content": "a\nb"}, {"name": "/hat", "content": "c"}]


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small code-act."""
    root = tmp_path / "checkout"
    impl = root / "scripts/eval/m3tooleval/tasks/impl"
    for family, module in (
        ("message_decoder", "message_decoder"),
        ("cryptobotanists_plant_dna_sequencer", "dna_sequencer"),
        ("trade_calculator", "trade_calculator"),
    ):
        write(impl / f"{module}.py", HEAD.format(family=family) + TASKS)
    travel = HEAD.format(family="travel_itinerary_planning") + TRAVEL + TASKS
    write(impl / "travel_itinerary_planning.py", travel)
    write(impl / "web_browsing/__init__.py", HEAD.format(family="web_browsing") + WEB)
    write(impl / "web_browsing/metadata.json", json.dumps(METADATA))
    write(impl / "web_browsing/web_pages.jsonl", "".join(f"{json.dumps(p)}\n" for p in PAGES))
    write(root / "LICENSE", "A licence of nobody\n")
    return root


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_checkout(checkout: Path, tmp_path: Path) -> None:
    written = import_m3tooleval(checkout, tmp_path / "data")
    folder = tmp_path / "data/m3tooleval"
    assert sorted(written) == sorted(folder / name for name in (LICENSE, *FILES))
    tasks = lines(folder / "tasks.jsonl")
    assert [f"{task['family']}/{task['name']}" for task in tasks] == [
        "message_decoder/first",
        "message_decoder/second",
        "cryptobotanists_plant_dna_sequencer/first",
        "cryptobotanists_plant_dna_sequencer/second",
        "trade_calculator/first",
        "trade_calculator/second",
        "travel_itinerary_planning/first",
        "travel_itinerary_planning/second",
        "web_browsing/0_red_hat",
    ]
    first, second, *_, web = tasks
    assert (first["instruction"], first["expected_repr"]) == ("Double 'abxb'.", "'babb'")
    assert first["tools"]["double"] == {
        "description": "Says it twice.",
        "signature": "double(text)",
    }
    assert second["expected_repr"] == "[0.30000000000000004, 0.30000000000000004]"
    assert second["expected_type"] == "list"
    assert web == {
        "family": "web_browsing",
        "name": "0_red_hat",
        "instruction": "Find Red Hat.",
        "expected_repr": "3.5",
        "expected_type": "float",
        "tools": {"view": {"description": "Shows.", "signature": "view()"}},
    }
    travel = json.loads((folder / "travel.json").read_text())
    assert travel["flights"][0]["to_location"] == '"B"'
    assert (folder / "LICENSE").read_text() == "A licence of nobody\n"


def test_other_sources(checkout: Path, tmp_path: Path) -> None:
    import_m3tooleval(checkout, tmp_path / "one")
    import_m3tooleval(checkout / "scripts/eval/m3tooleval", tmp_path / "two")
    import_m3tooleval(tmp_path / "one/m3tooleval", tmp_path / "three")
    for name in (LICENSE, *FILES):
        contents = {
            (tmp_path / n / "m3tooleval" / name).read_bytes() for n in ("one", "two", "three")
        }
        assert len(contents) == 1


def test_domains_on_it(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sca_envs.domains.spec import _load

    _load.cache_clear()  # other tests may have loaded the original's data
    monkeypatch.setenv("SCA_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(DataNotInstalledError, match="`sca data import m3tooleval SOURCE`"):
        sca_envs.domain("web_browsing", "m3tooleval")
    with pytest.raises(OptionError, match="SOURCE"):
        import_data("m3tooleval")
    import_data("m3tooleval", checkout)
    assert installed() == {"m3tooleval": ["."]}
    web = sca_envs.domain("web_browsing", "m3tooleval")
    assert [task.id for task in web.tasks("test")] == ["web_browsing/0_red_hat"]  # type: ignore[attr-defined]
    assert web.call(web.database(), "click_url", {"url": "/hat"}).startswith("[Opened page: /hat]")
    _load.cache_clear()  # the folder goes, so what was loaded from it must go, too


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import os\nTASKS = [os.system('x')]", "'os'"),
        ("TASKS = [open('f')]", "'open'"),
        ("TASKS = [().__class__.__bases__]", "attribute '__class__'"),
        ("TASKS = ['{0.__class__}'.format(1)]", "attribute 'format'"),
        ("TASKS = [str.mro()]", "attribute 'mro'"),
        ("TASKS = [getattr(1, 'real')]", "'getattr'"),
        ("while True:\n    pass", "While code"),
        ("TASKS = [len([0 for a in range(99999) for b in range(99999)])]", "too long"),
        ("def f():\n    return f()\nf()", "RecursionError|recursion"),
        ("TASKS = ['a' * 10 ** 9]", "Pow"),
        ("TASKS = ['a' * 1000000000]", "too long"),
        ("TASKS = ['%999999999d' % 1]", "formatting"),
        ("TASKS = [list(range(10000000000))]", "too long"),
        ("x: int = 1\nx.y = 2", "Attribute code"),
        ("return 5", "jump"),
        ("TASKS = [", "Python"),
        ("TASKS = []", "list TASKS"),
        ("TASKS = [1]", "begins with 'fam/'"),
        ("TASKS = [Task(name='other/a', tools={})]", "begins with 'fam/'"),
        ("TASKS = [Task(name='fam/a', tools={}, instruction=5)]", "instruction"),
    ],
)
def test_nothing_else_is_understood(code: str, problem: str) -> None:
    with pytest.raises(TaskFileError, match=problem) as raised:
        read_source_tasks(code.encode(), "file.py", "fam", {})
    assert str(raised.value).startswith("file.py")


def test_broken_sources(checkout: Path, tmp_path: Path) -> None:
    target = tmp_path / "data"
    with pytest.raises(OptionError, match="no folder"):
        import_m3tooleval(tmp_path / "nowhere", target)
    with pytest.raises(OptionError, match="none of these"):
        import_m3tooleval(tmp_path, target)
    import_m3tooleval(checkout, target)
    good = {path.name: path.read_bytes() for path in (target / "m3tooleval").iterdir()}
    broken = tmp_path / "broken"
    task = json.loads(good["tasks.jsonl"].splitlines()[0])
    changes: dict[str, list[tuple[str, type[SCAError], str]]] = {
        "tasks.jsonl": [
            ("{}", TaskFileError, r"tasks\.jsonl:1"),
            (json.dumps({**task, "expected_repr": "f()"}), TaskFileError, "literal"),
            (json.dumps({**task, "expected_type": "int"}), TaskFileError, "type int"),
            (f"{json.dumps(task)}\n{json.dumps(task)}", TaskFileError, "twice"),
        ],
        "web_pages.jsonl": [
            ('{"name": "/"}', SCAError, "content"),
            ('{"name": "/a", "content": ""}', SCAError, "the page '/'"),
        ],
        "travel.json": [
            ("[]", SCAError, "a list 'flights'"),
            ('{"flights": [{}], "hotels": []}', SCAError, "from_location"),
        ],
        "metadata.json": [("{", SCAError, "JSON"), ('{"item_info": 1}', SCAError, "item_info")],
    }
    for name, cases in changes.items():
        for content, error, message in cases:
            for file, raw in good.items():
                write(broken / file, raw.decode())
            write(broken / name, content)
            with pytest.raises(error, match=message):
                import_m3tooleval(broken, target)
    (broken / "travel.json").unlink()
    with pytest.raises(OptionError, match=r"travel\.json"):
        import_m3tooleval(broken, target)
    now = {path.name: path.read_bytes() for path in (target / "m3tooleval").iterdir()}
    assert now == good


def test_real_data(m3tooleval: Path, tmp_path: Path) -> None:
    import_m3tooleval(m3tooleval, tmp_path)
    for name in (LICENSE, *FILES):
        assert (tmp_path / "m3tooleval" / name).read_bytes() == (m3tooleval / name).read_bytes()
    assert len(lines(tmp_path / "m3tooleval/tasks.jsonl")) == 82
