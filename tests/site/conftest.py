"""Let the tests import the site's own Sphinx extensions, as the build does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "website" / "extensions"))
