#!/bin/bash
# Train with one process on each node of a SLURM allocation:
#     sbatch --nodes=4 tools/clusters/slurm.sh
# from the project's folder, which all nodes see, after one `make distributed` there has installed
# everything. A job that was ended (time limit, preemption) goes on from the last round that all
# processes have finished: submit it again.
#SBATCH --job-name=bigger-than-ram
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --output=build/distributed/slurm-%j.log
set -euo pipefail

export KERAS_BACKEND=jax
# Process 0 runs on the first node of the list, and all look for it there.
host=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
# One port for each job, so that two jobs on a node do not meet.
port=$((20000 + SLURM_JOB_ID % 20000))

# One that fails ends the others: without this they would wait for it for half a minute.
srun --kill-on-bad-exit=1 bash -c '
    exec .venv/bin/python -m helpers.distributed.worker \
        --process "$SLURM_PROCID" --processes "$SLURM_NTASKS" \
        --address "$1" --folder "$2"
' worker "$host:$port" "${FOLDER:-build/distributed/slurm}"
