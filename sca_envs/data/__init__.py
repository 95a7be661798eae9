"""Benchmarks' own data: where they are on disk, and how the originals get there.

Files in, files out: nothing here knows a domain's records or tools. The data folder is
``SCA_DATA_DIR``, else a folder among the user's own files. In it an import writes::

    m3tooleval/
        LICENSE                the original's
        tasks.jsonl            one `M3TaskRecord` a line
        web_pages.jsonl        one page a line
        travel.json            flights and hotels
        metadata.json          items and persons behind the pages
    <tau_bench | tau2>/
        LICENSE                the original's
        <retail | airline>/
            <table>.json       record key -> record
            policy.md          the original's rules for the agent
            tasks_<split>.jsonl   one `TaskRecord` a line
"""

from sca_envs.data.m3tooleval import import_m3tooleval
from sca_envs.data.paths import DATA_SETS, DataSet, data_dir, import_data, installed, require
from sca_envs.data.records import ActionRecord, M3TaskRecord, TaskRecord
from sca_envs.data.tau2 import import_tau2
from sca_envs.data.tau_bench import import_tau_bench

__all__ = [
    "DATA_SETS",
    "ActionRecord",
    "DataSet",
    "M3TaskRecord",
    "TaskRecord",
    "data_dir",
    "import_data",
    "import_m3tooleval",
    "import_tau2",
    "import_tau_bench",
    "installed",
    "require",
]
