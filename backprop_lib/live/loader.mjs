/**
 * Brings the live figures of a static page to life: no kernel, no framework, no network beyond
 * this folder. A figure that cannot start keeps its picture and says so in one sentence.
 */

const SORRY = "This figure cannot be moved here; the picture shows how it starts.";
const PAUSE_MS = 300;
const never = new AbortController().signal;

/** The values that a shared address carries for one figure: ?id.key=value */
function fromAddress(id) {
  const pairs = [...new URLSearchParams(location.search)];
  const own = pairs.filter(([name]) => id && name.startsWith(`${id}.`));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(id.length + 1), value]));
}

function toAddress(id, values) {
  const url = new URL(location.href);
  const names = [...url.searchParams.keys()];
  for (const name of names) if (name.startsWith(`${id}.`)) url.searchParams.delete(name);
  for (const [key, value] of Object.entries(values)) url.searchParams.set(`${id}.${key}`, value);
  history.replaceState(history.state, "", url);
}

/** What a figure's module needs of a widget model; saving writes the page's address. */
function pageModel(state, id) {
  const data = { state, values: fromAddress(id) };
  const listeners = {};
  let timer = 0;
  return {
    get: (name) => data[name],
    set(name, value) {
      data[name] = value;
      for (const listener of listeners[`change:${name}`] ?? []) listener();
    },
    on: (event, listener) => (listeners[event] ??= new Set()).add(listener),
    off: (event, listener) => listeners[event]?.delete(listener),
    save_changes() {
      clearTimeout(timer);
      if (id) timer = setTimeout(() => toAddress(id, data.values), PAUSE_MS);
    },
  };
}

async function start(figure) {
  const fallback = [...figure.children];
  const el = document.createElement("div");
  try {
    const kind = figure.dataset.live;
    if (!/^[a-z]+$/.test(kind)) throw new Error("unknown kind of figure");
    const state = JSON.parse(figure.dataset.state);
    const { default: module } = await import(`./${kind}.mjs`);
    figure.append(el);
    await module.render({ model: pageModel(state, figure.id), el, signal: never });
    for (const element of fallback) element.remove();
    figure.dataset.ready = "true";
  } catch (error) {
    el.className = "lf-sorry";
    el.textContent = SORRY;
    figure.append(el);
    console.info(`live figure ${figure.id}: ${error.message}`);
  }
}

function styled() {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL("live.css", import.meta.url);
  return new Promise((done) => {
    sheet.onload = sheet.onerror = done;
    document.head.append(sheet);
  });
}

const figures = document.querySelectorAll("[data-live]");
if (figures.length) {
  const ready = styled();
  const inView = new IntersectionObserver((entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      inView.unobserve(target);
      ready.then(() => start(target));
    }
  }, { rootMargin: "400px" });
  figures.forEach((figure) => inView.observe(figure));
}
