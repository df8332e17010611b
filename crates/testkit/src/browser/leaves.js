// What pressing this will bring, as far as can be said beforehand: "page" for
// another page, "part" for a part of this one, or "". Marks the page, so that
// one sees afterwards where the click went and whether the page has been left.
// arguments: the element. Gives back null for one that cannot be pressed now.
const e = arguments[0];
if (e.matches(":disabled")) return null;
// Out from under what stays at the window's edges, as a person scrolls.
e.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
const story = { stayed: false, landed: false, asked: 0, answered: 0, listens: false };
window.postroomStory = story;
// Where scripts are switched off, nobody is told of a click.
const probe = new EventTarget();
probe.addEventListener("probe", () => { story.listens = true; });
probe.dispatchEvent(new Event("probe"));
window.addEventListener("click", (event) => { if (event.composedPath().includes(e)) story.landed = true; }, { capture: true, once: true });
for (const kind of ["click", "submit"]) {
  window.addEventListener(kind, (event) => {
    if (event.defaultPrevented) story.stayed = true;
  }, { once: true });
}
document.addEventListener("htmx:beforeRequest", () => { story.asked += 1; });
document.addEventListener("htmx:afterRequest", () => { story.answered += 1; });
const moves = (x) => x && ["hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"].some((n) => x.hasAttribute(n));
if (story.listens && (moves(e) || moves(e.form) || e.closest("[hx-boost=true]"))) return "part";
const link = e.closest("a[href]");
if (link) {
  const to = new URL(link.href, location.href);
  const here = to.pathname === location.pathname && to.search === location.search && to.hash;
  const leaves = to.protocol.startsWith("http") && !here && !link.hasAttribute("download") && !link.target;
  return leaves ? "page" : "";
}
if (!e.form || e.type !== "submit") return "";
const method = e.getAttribute("formmethod") || e.form.getAttribute("method") || "get";
const target = e.getAttribute("formtarget") || e.form.getAttribute("target");
const valid = e.form.noValidate || e.formNoValidate || e.form.checkValidity();
return method.toLowerCase() !== "dialog" && !target && valid ? "page" : "";
