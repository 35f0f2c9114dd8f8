"""Charts as SVG, made on the server: no script, no inline style, every number also in a table beneath."""

from audit_pages.charts.columns import stacked_columns
from audit_pages.charts.lines import lines
from audit_pages.charts.parts import Series
from audit_pages.charts.rows import bars, strip

__all__ = ["Series", "bars", "lines", "stacked_columns", "strip"]
