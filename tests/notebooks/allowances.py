"""How many cells of the whole book may break a rule. Each number may only fall.

A cell that does carries its reason: `reason: "..."` in its metadata. When such a cell goes, lower
the number; a test compares it with the book. At most two cells in a hundred may go uncompared.
"""

from __future__ import annotations

# Cells tagged `nbval-ignore-output`: run, but their output is not compared.
NOT_COMPARED = 0
NOT_COMPARED_SHARE = 0.02

# Visible cells of more than LONGEST_CELL lines.
LONG = 0
LONGEST_CELL = 15
