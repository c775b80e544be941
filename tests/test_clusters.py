"""The scripts for clusters: SLURM's with stand-ins for its commands, the YAML's own words."""

import os
import subprocess
import sys

import pytest
import yaml

from helpers.distributed import worker
from helpers.settings import PROJECT
from tests.support import NEEDS_JAX, with_jax

SLURM = PROJECT / "tools" / "clusters" / "slurm.sh"
KUBERNETES = PROJECT / "tools" / "clusters" / "kubernetes.yaml"

# Every task at once, with its number, as srun starts them; the first failure is the job's.
SRUN = """#!/bin/bash
shift  # --kill-on-bad-exit=1
pids=
for ((k = 0; k < SLURM_NTASKS; k++)); do
    SLURM_PROCID=$k "$@" & pids="$pids $!"
done
for pid in $pids; do wait "$pid" || exit 1; done
"""
SCONTROL = "#!/bin/bash\nprintf 'localhost\\nsecond\\n'\n"


def slurm(tmp_path):
    """Run the job script with stand-ins for `srun` and `scontrol`."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    environ = with_jax() | {
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "SLURM_JOB_NODELIST": "a[1-2]",
        "SLURM_JOB_ID": str(os.getpid()), "SLURM_NTASKS": "2", "FOLDER": str(tmp_path / "run"),
    }  # fmt: skip
    return subprocess.run(
        ["bash", str(SLURM)], cwd=PROJECT, env=environ, capture_output=True, text=True
    )


@pytest.mark.skipif(sys.platform == "win32", reason="a bash script")
@pytest.mark.slow
@NEEDS_JAX
@pytest.mark.timeout(600)
@pytest.mark.skipif(not (PROJECT / ".venv" / "bin" / "python").exists(), reason="no .venv here")
def test_a_slurm_job_trains_with_a_process_for_each_task(tmp_path):
    done = slurm(tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    last = [line for line in done.stdout.splitlines() if '"weights"' in line]
    assert len(last) == 2
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "process-0-of-2", "process-1-of-2",
    }  # fmt: skip


def test_the_job_for_kubernetes_calls_the_worker_with_arguments_that_it_knows(monkeypatch):
    service, job = yaml.safe_load_all(KUBERNETES.read_text(encoding="utf-8"))
    spec = job["spec"]
    assert (job["kind"], spec["completionMode"]) == ("Job", "Indexed")
    assert spec["completions"] == spec["parallelism"]
    pod = spec["template"]["spec"]
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}
    (container,) = pod["containers"]
    assert container["command"] == ["python", "-m", "helpers.distributed.worker"]
    arguments = [a.replace("$(JOB_COMPLETION_INDEX)", "3") for a in container["args"]]
    asked = {}
    monkeypatch.setattr(worker, "open_workshop", lambda settings: settings)

    def join(address, process, n_processes, wait):
        asked.update(address=address, process=process, n=n_processes, wait=wait)
        raise ConnectionError

    monkeypatch.setattr(worker, "join", join)
    with pytest.raises(ConnectionError):
        worker.main(arguments)
    port = service["spec"]["ports"][0]["port"]
    first = f"{job['metadata']['name']}-0.{service['metadata']['name']}:{port}"
    assert asked == {"address": first, "process": 3, "n": spec["completions"], "wait": 600}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
