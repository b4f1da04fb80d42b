#!/bin/sh
# VoxelFM's published sizes: 864 × 12, 110 M parameters, 2048 volumes a step on 8 GPUs (16 × 16 accumulated × 8), 100 000 steps.
#   sh training/runs/voxelfm-b.sh PREPARED RUN [--resume]
# Prepare at 0.75 mm. Several nodes: set NODES, NODE (0 … NODES − 1), MASTER_ADDR and MASTER_PORT on each; divide
# --accumulate by NODES. Every option that is not named here has the published value as its default (training/options.py).
set -e
data=$1 run=$2
shift 2
exec torchrun --nnodes "${NODES:-1}" --node-rank "${NODE:-0}" --nproc-per-node "${GPUS:-8}" \
  --master-addr "${MASTER_ADDR:-127.0.0.1}" --master-port "${MASTER_PORT:-29500}" \
  -m training.train --data "$data" --out "$run" \
  --views 112/56:1:16 --accumulate 16 --steps 100000 --compile --workers 10 \
  --log-every 10 --save-every 100 --monitor-every 5000 "$@"
