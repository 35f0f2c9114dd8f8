"""Shares in per cent as people read them: rounded, but what happened once is never said to be nothing."""

from __future__ import annotations

_NOISE = 1e-9  # of floating numbers


def rounded(percent: float, digits: int = 0) -> str:
    """The number without its sign; `<1` and `>99` where rounding would say none or all."""
    step = 10.0**-digits
    if _NOISE < percent <= step / 2:
        return f"<{step:.{digits}f}"
    if 100 - step / 2 <= percent < 100 - _NOISE:
        return f">{100 - step:.{digits}f}"
    return f"{percent:.{digits}f}"


def per_cent(percent: float | None, digits: int = 0) -> str:
    """A share in per cent; a dash where there is nothing that it could be a share of."""
    return "–" if percent is None else f"{rounded(percent, digits)} %"
