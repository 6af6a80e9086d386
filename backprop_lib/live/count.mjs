/** One line on a chapter's page: how many of its exercises are solved. */

import { h } from "./controls.mjs";
import { onRecords, recall } from "./records.mjs";

const INDEX = "exercises.html";

/** Names of the exercises that this page can judge. */
function names() {
  const forms = [...document.querySelectorAll('[data-live="form"]')];
  return forms.flatMap(({ dataset }) => {
    try {
      const { name, kind } = JSON.parse(dataset.state);
      return kind === "function" ? [] : [name];
    } catch {
      return [];
    }
  });
}

/** Where the line stands: under the heading of the exercises, else before the first one's cell. */
function put(line) {
  const heading = document.querySelector("#check-yourself > :is(h2, h3)");
  const form = document.querySelector('[data-live="form"]');
  if (heading) heading.after(line);
  else (form?.closest(".cell") ?? form)?.before(line);
}

function toIndex() {
  const root = document.documentElement.dataset.content_root;
  return root === undefined ? [] : [" \u00b7 ", h("a", { href: root + INDEX }, "all exercises of the book")];
}

let shown = false;

/** Puts the line on the page, once. */
export function showCount() {
  if (shown) return;
  shown = true;
  const count = h("span", {});
  const update = () => {
    const all = names();
    const solved = all.filter((name) => recall(name).solved).length;
    count.textContent = `${solved} of ${all.length} solved`;
  };
  update();
  onRecords(update);
  put(h("p", { class: "lf-count" }, count, ...toIndex()));
}
