// Before the first paint: the colour mode, and the fonts that formulas need. The page waits for this
// file, which stands behind the style sheets. It is a file, as servers may forbid scripts in a page.
(function (root) {
  "use strict";

  // Where a reader has switched storage off, asking for it is an error.
  function chosenMode() {
    try {
      return localStorage.getItem("mode");
    } catch {
      return null;
    }
  }

  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const mode = chosenMode();
  const isFixed = mode === "light" || mode === "dark";
  root.dataset.mode = isFixed ? mode : "auto";
  root.dataset.theme = isFixed ? mode : system;

  for (const font of ["1em KaTeX_Main", "italic 1em KaTeX_Math", "1em KaTeX_Size1"]) {
    document.fonts.load(font);
  }
})(document.documentElement);
