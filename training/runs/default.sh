#!/bin/sh
# The default encoder: 5.1 M parameters, patches of 6 voxels at about 2.5 mm, on two CPU cores.
#   sh training/runs/default.sh PREPARED RUN [--resume]
# Prepare first, from the folder of CT data (OpenKBP's validation patients are never trained on):
#   python -m training.volumes --out PREPARED --spacing 2.5 openkbp/train/*_ct.nii.gz
#   python -m training.volumes --out PREPARED --spacing 2.5 --weight 5 trunk/*.nii.gz
#   python -m training.volumes --out PREPARED --spacing 2.5 --weight 2 sarcoma/*/ct.nii.gz totalsegmentator/example_ct.nii.gz
# What differs from the published recipe, and why, is in training/LOG.md.
set -e
data=$1 run=$2
shift 2
# glibc gives large blocks back to the kernel and faults them in again at every step; without this a step takes longer.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_TOP_PAD_=500000000
exec "${PYTHON:-python}" -m training.train --data "$data" --out "$run" \
  --dim 288 --depth 5 --heads 3 --patch 6 --layer-scale 1 --init xavier --drop-path 0.05 \
  --views 48/24:0.6:8,96x60x84/24:0.4:2 --locals 4 --zoom 0.8 1.25 --near 0.4 \
  --permute 0 --flip 0 0 0 --window 0.3 --jitter 0.1 --mask-share 0.75 \
  --head-hidden 512 --bottleneck 64 --standardise --prototypes 256 --patch-prototypes 1024 \
  --centring sinkhorn --queue 384 --temperature 0.04 0.04 --temperature-warmup 500 --momentum 0.99 \
  --match 1 --hu 1 --steps 5200 --accumulate 1 --lr 1e-3 --lr-min 1e-5 --warmup 150 --freeze-last 20 \
  --layer-decay 0.95 --patch-lr 0.5 --precision bf16 --compile --threads 2 \
  --log-every 10 --save-every 25 --monitor-every 100 "$@"
