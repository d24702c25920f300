"""Dask runs `investigate --partial` on two worker processes of its own, and `merge` gives the answer of one run. No emulator is asked."""
from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
import test_investigate as story
import test_merge

distributed = pytest.importorskip('distributed', reason='dask.distributed is not installed: tools/setup.sh check installs it')
logs = test_merge.logs


def share(binary: str, folder: str) -> tuple[str, int]:
    """What a worker does; it runs in a process of dask's."""
    out = f'{folder}.part'
    subprocess.run([binary, 'investigate', '--threads', '1', '--partial', out, folder], check=True, timeout=120)
    return out, os.getpid()


def test_two_workers_give_the_answer_of_one_run(logs, tmp_path: pathlib.Path):
    whole = test_merge.run('investigate', '--output', 'json', *logs)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host='127.0.0.1',
                                  local_directory=str(tmp_path / 'dask'), silence_logs='ERROR') as cluster, distributed.Client(cluster) as client:
        workers = list(client.scheduler_info()['workers'])
        assert len(workers) == 2
        done = client.gather([client.submit(share, story.BIN, str(folder), workers=[workers[i % 2]], pure=False)
                              for i, folder in enumerate(logs)])
    assert len({pid for _, pid in done}) == 2
    assert test_merge.run('merge', '--output', 'json', *[part for part, _ in done]).stdout == whole.stdout
