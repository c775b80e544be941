#!/bin/bash
# Train with one process on each node of a SLURM allocation:
#     sbatch --nodes=4 tools/clusters/slurm.sh
# from the project's folder, which all nodes see, after `make distributed-install data` there. It
# trains on processors: for GPUs JAX wants `pip install "jax[cuda12]"`, the job a `--gres=gpu:1`
# (neither was tried here). A job that was ended (time limit, preemption) goes on from the last round
# that all processes have finished: submit it again.
#SBATCH --job-name=bigger-than-ram
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --output=slurm-%j.log
set -euo pipefail

export KERAS_BACKEND=jax
# Process 0 runs on the first node of the list, and all look for it there.
host=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
# One port for each job, so that two jobs on a node do not meet.
port=$((20000 + SLURM_JOB_ID % 20000))

# Since Slurm 22.05 srun does not take the CPUs of a task from the job by itself.
export SRUN_CPUS_PER_TASK="${SLURM_CPUS_PER_TASK:-1}"

# One that fails ends the others: without this they would wait for it for half a minute. Libraries
# come from a shared disk, on some nodes minutes later than on others: --wait.
srun --kill-on-bad-exit=1 bash -c '
    exec .venv/bin/python -m helpers.distributed.worker \
        --process "$SLURM_PROCID" --processes "$SLURM_NTASKS" \
        --address "$1" --folder "$2" --wait 600
' worker "$host:$port" "${FOLDER:-build/distributed/slurm}"
