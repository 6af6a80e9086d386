// What the pages need beyond the theme: copy buttons, keyboard access to wide boxes, a sidebar that
// can be put away on wide screens, folded text that prints. Without scripts all text is still there.
(function () {
  "use strict";

  const WIDE = matchMedia("(min-width: 992px)");
  const SCROLLERS =
    ".formula, .cell_output .output, .pst-scrollable-table-container, pre, [data-live]";
  const CODE =
    ".cell_input .highlight, .bd-article > section div[class*=highlight-] > .highlight";
  const COPIED_MS = 2000;

  // A box that scrolls sideways must be reachable by keyboard; one that does not must not.
  function markScrollers() {
    for (const box of document.querySelectorAll(SCROLLERS)) {
      const overflows = box.scrollWidth > box.clientWidth + 1;
      if (overflows) {
        box.tabIndex = 0;
      } else {
        box.removeAttribute("tabindex");
      }
    }
  }

  function copyButton(box) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "book-copy";
    button.textContent = "Copy";
    button.title = "Copy this code";
    button.ariaLive = "polite";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(box.querySelector("pre").textContent.trimEnd());
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
    });
    return button;
  }

  function addCopyButtons() {
    if (!navigator.clipboard) return;
    for (const box of document.querySelectorAll(CODE)) {
      if (!box.closest(".cell_output")) box.append(copyButton(box));
    }
  }

  // On narrow screens the theme opens the sidebar as a dialog.
  function foldSidebar() {
    const button = document.querySelector(".primary-toggle");
    const sidebar = document.getElementById("pst-primary-sidebar");
    if (!button || !sidebar) return;
    button.addEventListener(
      "click",
      (event) => {
        if (!WIDE.matches) return;
        event.stopImmediatePropagation();
        const hidden = sidebar.classList.toggle("book-folded");
        button.setAttribute("aria-expanded", String(!hidden));
      },
      true,
    );
  }

  // Browsers load no module into a page opened as a file; there live figures come as one script.
  function startFromFile(here) {
    if (location.protocol !== "file:" || !document.querySelector("[data-live]")) return;
    const script = document.createElement("script");
    script.src = new URL("live/classic.js", here);
    document.head.append(script);
  }

  // Python in the browser needs pages that come from a server.
  function dropWhatNeedsAServer() {
    if (location.protocol !== "file:") return;
    for (const link of document.querySelectorAll("[data-served]")) link.remove();
  }

  // Of a page opened as a file, browsers let no script read another: the search shows titles alone.
  function searchFromFile() {
    if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  foldSidebar();
  addCopyButtons();
  startFromFile(document.currentScript.src);
  dropWhatNeedsAServer();
  searchFromFile();
  addEventListener("load", markScrollers);
  addEventListener("resize", markScrollers);
  document.fonts.addEventListener("loadingdone", markScrollers);
  document.addEventListener("toggle", markScrollers, true);
})();
