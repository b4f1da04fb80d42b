"""Values that change with the step."""

import math


def cosine(step: int, steps: int, start: float, end: float, warmup: int = 0) -> float:
    """Linear from 0 to `start` over `warmup` steps, then half a cosine to `end` at the last step."""
    if step < warmup:
        return start * step / warmup
    done = (step - warmup) / max(steps - 1 - warmup, 1)
    return end + (start - end) * (1 + math.cos(math.pi * min(done, 1.0))) / 2


def linear(step: int, steps: int, start: float, end: float) -> float:
    """From `start` to `end` over `steps`, then `end`."""
    return start + (end - start) * min(step / max(steps, 1), 1.0)
