#!/usr/bin/env bash
# A dataset made by an array job of Slurm: a shard a task, then merged and verified.
#
#     sbatch --array=1-8 --cpus-per-task=4 --mem=8G examples/slurm_array.sh PROFILE CLEAN OUT
#
# The job that merges is submitted by the array's first task, and starts when all tasks have
# succeeded. PROFILE is a noise profile (noisegen profile create), CLEAN the folder of clean images,
# OUT the dataset's; all machines must see them under the same paths. A task that was killed or ran
# out of time goes on where it stopped: submit the same command again. For GPUs add --gpus-per-task=1.
set -euo pipefail

# Slurm runs a copy of this script, so it cannot find files beside itself.
if [ "${1:-}" = merge ]; then
  out=$2
  noisegen merge "$out"
  noisegen verify "$out"
  exit
fi

[ $# -eq 3 ] || { echo "usage: sbatch --array=1-N $0 PROFILE CLEAN OUT" >&2; exit 2; }
profile=$1 clean=$2 out=$3
first=${SLURM_ARRAY_TASK_MIN:?submit it with sbatch --array=1-N}
# Whatever numbers the array has, shards count from 1.
shard=$((SLURM_ARRAY_TASK_ID - first + 1))/$SLURM_ARRAY_TASK_COUNT

if [ "$SLURM_ARRAY_TASK_ID" -eq "$first" ] && command -v sbatch > /dev/null; then
  sbatch --dependency="afterok:$SLURM_ARRAY_JOB_ID" --kill-on-invalid-dep=yes \
    "$0" merge "$out"
fi

# Exit code 3: done, but some images could not be read, each of them named. That is no failure of
# the task, or the merge would never start.
OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1} noisegen synth --quiet \
  --profile "$profile" --clean "$clean" --out "$out" --shard "$shard" || [ $? -eq 3 ]
