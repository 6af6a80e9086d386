// The page of one live figure. Its colours: as the address says (theme=light), else the reader's.
// Opened by itself, not in a frame, it shows the code that puts it into one.
(function (root) {
  "use strict";

  const here = document.currentScript.src;
  const SETTLED_MS = 500;
  const COLOURS = { "": "the reader's", light: "light", dark: "dark" };
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");

  /** What the address asks for: "light", "dark", or nothing. */
  function asked() {
    const theme = new URLSearchParams(location.search).get("theme") ?? "";
    return Object.hasOwn(COLOURS, theme) ? theme : "";
  }

  function showColours() {
    root.dataset.theme = asked() || (prefersDark.matches ? "dark" : "light");
  }

  function ask(theme) {
    const url = new URL(location.href);
    url.searchParams.delete("theme");
    if (theme) url.searchParams.set("theme", theme);
    history.replaceState(history.state, "", url);
    showColours();
  }

  function element(name, properties, ...content) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...content);
    return made;
  }

  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

  /** The code for a frame that shows the figure as it has been moved, in its present height. */
  function frameCode() {
    const height = Math.ceil(document.querySelector("main").getBoundingClientRect().bottom + scrollY);
    const title = document.querySelector("h1").textContent;
    return `<iframe src="${escaped(location.href)}"\n        title="${escaped(title)}"\n`
      + `        width="100%" height="${height}" style="border: 0"></iframe>`;
  }

  function colourChoice(changed) {
    const options = Object.entries(COLOURS).map(([value, name]) => element("option", { value }, name));
    const choice = element("select", {}, ...options);
    choice.value = asked();
    choice.addEventListener("change", () => {
      ask(choice.value);
      changed();
    });
    return element("label", {}, "Colours ", choice);
  }

  function copyButton(textOf) {
    const button = element("button", { type: "button", className: "book-copy", ariaLive: "polite" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(textOf());
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
    });
    return button;
  }

  function showCode() {
    const main = document.querySelector("main");
    const code = element("pre", { tabIndex: 0, ariaLabel: "Code for a frame" });
    const show = () => { code.textContent = frameCode(); };
    const copy = copyButton(() => {
      show();
      return code.textContent;
    });
    // The address follows a moved figure after a moment.
    for (const kind of ["input", "click", "keyup", "pointerup"]) {
      main.addEventListener(kind, () => setTimeout(show, SETTLED_MS));
    }
    new ResizeObserver(show).observe(main);
    const said = "To put this figure into a page or slides of yours: move it to where your readers should start.";
    document.body.append(element("section", { className: "book-figure__code", ariaLabel: "Use elsewhere" },
      element("p", {}, said), colourChoice(show), element("div", {}, code, copy)));
  }

  // Browsers load no module into a page opened as a file, nor into a sandboxed frame; there the
  // figure comes as one script.
  function startInstead({ target }) {
    if (target.type !== "module") return;
    const script = document.createElement("script");
    script.src = new URL("live/classic.js", here);
    document.head.append(script);
  }

  showColours();
  prefersDark.addEventListener("change", showColours);
  addEventListener("error", startInstead, true);
  addEventListener("DOMContentLoaded", () => {
    if (location.protocol !== "file:" && window.self === window.top) showCode();
  });
})(document.documentElement);
