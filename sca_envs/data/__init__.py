"""Benchmarks' own data: where they are on disk, and how the originals get there.

Files in, files out: nothing here knows a domain's records or tools. The data folder is
``SCA_DATA_DIR``, else a folder among the user's own files. In it an import writes::

    <tau_bench | tau2>/
        LICENSE                the original's
        <retail | airline>/
            <table>.json       record key -> record
            policy.md          the original's rules for the agent
            tasks_<split>.jsonl   one `TaskRecord` a line
"""

from sca_envs.data.paths import DATA_SETS, DataSet, data_dir, import_data, installed, require
from sca_envs.data.records import ActionRecord, TaskRecord
from sca_envs.data.tau2 import import_tau2
from sca_envs.data.tau_bench import import_tau_bench

__all__ = [
    "DATA_SETS",
    "ActionRecord",
    "DataSet",
    "TaskRecord",
    "data_dir",
    "import_data",
    "import_tau2",
    "import_tau_bench",
    "installed",
    "require",
]
