// Finds what a person would: a field by its label, a button or link by what is
// written on it. arguments: kind ("field" | "press"), the name, and near what
// (a row, section or fieldset that shows this text; "" for anywhere).
// Gives back [element or null, every name there is].
const [kind, wanted, near] = arguments;
const squash = (text) => (text || "").replace(/\s+/g, " ").trim();
const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;

function words(e) {
  const copy = e.cloneNode(true);
  for (const inner of copy.querySelectorAll("input, select, textarea, button, script, style, [hidden], [aria-hidden=true]")) inner.remove();
  for (const image of copy.querySelectorAll("img[alt]")) image.replaceWith(image.alt);
  return squash(copy.textContent);
}

function names(e) {
  const all = [];
  const by = e.getAttribute("aria-labelledby");
  if (by) all.push(squash(by.split(/\s+/).map((id) => document.getElementById(id)).filter(Boolean).map((l) => l.textContent).join(" ")));
  if (e.getAttribute("aria-label")) all.push(squash(e.getAttribute("aria-label")));
  for (const label of e.labels || []) all.push(words(label));
  if (kind === "press") {
    all.push(squash(e.innerText), words(e));
    if (e.tagName === "INPUT") all.push(e.value);
  }
  if (e.title) all.push(squash(e.title));
  return all.filter((name) => name);
}

function scopes() {
  const open = [...document.querySelectorAll("dialog[open], [popover]:popover-open")].filter(shown).pop();
  const root = open || document;
  if (!near) return [root];
  const holds = (e) => squash(e.innerText).includes(near) || [...e.querySelectorAll("input")].some((i) => i.value === near);
  const all = [...root.querySelectorAll("tr, li, fieldset, details, form, section, article, [role=group], [role=row], [role=region]")];
  // The innermost first.
  return all.filter((e) => shown(e) && holds(e)).sort((a, b) => a.innerText.length - b.innerText.length);
}

const SELECTORS = {
  field: "input:not([type=hidden]):not([type=submit]):not([type=button]), select, textarea, [contenteditable=true], [role=textbox], [role=combobox]",
  press: "button, a[href], summary, input[type=submit], input[type=button], [role=button], [role=link], [role=menuitem], [role=tab], [role=option]",
};

const bare = (name) => name.replace(/\s*[*:]+$/, "").toLowerCase();
const TESTS = [
  (name) => name === wanted,
  (name) => bare(name) === bare(wanted),
  (name) => bare(name).startsWith(bare(wanted)),
  (name) => bare(name).includes(bare(wanted)),
];
const seen = [];
for (const scope of scopes()) {
  const candidates = [...scope.querySelectorAll(SELECTORS[kind])]
    // A box that is drawn by its label is as good as one that is seen.
    .filter((e) => shown(e) || [...(e.labels || [])].some(shown))
    .map((e) => [e, names(e)]);
  for (const [, some] of candidates) seen.push(some[0] || "(without a name)");
  for (const test of TESTS) {
    const hit = candidates.find(([, some]) => some.some(test));
    if (hit) return [hit[0], seen];
  }
}
return [null, seen];
