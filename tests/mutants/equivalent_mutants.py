"""Mutants that no test can kill, because they change nothing that anyone could see, and why."""

from __future__ import annotations

EQUIVALENT: dict[str, str] = {}
