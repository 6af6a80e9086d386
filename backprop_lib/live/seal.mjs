/** Reads what `backprop_lib.exercises.form` sealed: out of sight in the page's source, no secret. */

function* keyBytes(name) {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(name)) state = Math.imul(state ^ byte, 16777619);
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state & 255;
  }
}

export function unsealed(name, text) {
  const key = keyBytes(name);
  const hidden = atob(text.replace(/^base64,/, ""));
  const plain = Uint8Array.from(hidden, (character) => character.charCodeAt(0) ^ key.next().value);
  return JSON.parse(new TextDecoder().decode(plain));
}
