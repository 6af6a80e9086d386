"""Where the sources of this build live, as a forge or the configuration says; else nowhere.

The site's buttons, the package's addresses and the release ask here, so that a fork's build points
to the fork, and a build that knows no repository names none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import yaml

GITHUB_KINDS = ("refs/heads/", "refs/tags/")


@dataclass(frozen=True)
class Repository:
    """Address and branch (or tag) of the sources."""

    url: str
    branch: str

    @property
    def binder_path(self) -> str:
        """The part of a Binder address that names repository and branch."""
        server, _, name = self.url.partition("://")[2].partition("/")
        branch = quote(self.branch, safe="")
        if server == "github.com":
            return f"gh/{name}/{branch}"
        if server == "gitlab.com":
            return f"gl/{quote(name, safe='')}/{branch}"
        return f"git/{quote(self.url, safe='')}/{branch}"


def find_repository(
    variables: Mapping[str, str], configured_url: str, configured_branch: str
) -> Repository | None:
    """The repository a forge says it is building (so a fork's site points to the fork),
    else the configured one, else None."""
    url, branch = configured_url, ""
    if name := variables.get("GITHUB_REPOSITORY"):
        url = f"{variables.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}"
        # Of a proposed change GITHUB_REF_NAME says "7/merge", which is no branch.
        if variables.get("GITHUB_REF", "").startswith(GITHUB_KINDS):
            branch = variables["GITHUB_REF"].split("/", 2)[2]
    elif project := variables.get("CI_PROJECT_URL"):
        url = project
        of_forge = ("CI_COMMIT_TAG", "CI_COMMIT_BRANCH", "CI_DEFAULT_BRANCH")
        branch = next((variables[name] for name in of_forge if variables.get(name)), "")
    if not url:
        return None
    return Repository(url.rstrip("/").removesuffix(".git"), branch or configured_branch or "main")


def of_book(root: Path, variables: Mapping[str, str]) -> Repository | None:
    """The repository of the book in `root`."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    given = config.get("repository") or {}
    return find_repository(variables, given.get("url") or "", given.get("branch") or "")
