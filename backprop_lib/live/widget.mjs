/**
 * A widget module from a function that builds one figure.
 *
 * `build({state, model, el, signal})` is called again when a kernel replaces the state.
 */
export function live(build) {
  return {
    render({ model, el, signal }) {
      let current = new AbortController();
      const start = () => {
        current.abort();
        current = new AbortController();
        el.replaceChildren();
        el.classList.add("lf");
        build({ state: model.get("state"), model, el, signal: current.signal });
      };
      model.on("change:state", start);
      signal?.addEventListener("abort", () => {
        model.off("change:state", start);
        current.abort();
      });
      start();
    },
  };
}
