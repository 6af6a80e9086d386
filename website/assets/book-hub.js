// The form that makes the link with which a JupyterHub fetches the book and opens a chapter.
// The form of such links is that of nbgitpuller.
(function () {
  "use strict";

  const form = document.getElementById("hub-link");
  const { hub, repository, branch, notebook, link } = form.elements;
  const MISSING = "The link appears here once the addresses of the hub and of the repository are known.";

  const trimmed = (field) => field.value.trim().replace(/\/+$/, "").replace(/\.git$/, "");

  function isAddress(text) {
    return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
  }

  function address() {
    if (![hub, repository].every((field) => isAddress(trimmed(field)))) return "";
    const folder = trimmed(repository).split("/").at(-1);
    const query = new URLSearchParams({
      repo: trimmed(repository),
      branch: branch.value.trim() || "main",
      urlpath: `lab/tree/${folder}/${notebook.value}`,
    });
    return `${trimmed(hub)}/hub/user-redirect/git-pull?${query}`;
  }

  function show() {
    const href = address();
    const made = document.createElement("a");
    made.href = made.textContent = href;
    link.replaceChildren(href ? made : MISSING);
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
