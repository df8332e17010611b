// Whether pressing this will leave the page, as far as can be said beforehand;
// marks the page so that one sees when it has been left. arguments: the element.
const e = arguments[0];
// Out from under what stays at the window's edges, as a person scrolls.
e.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
const moves = (x) => x && ["hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"].some((n) => x.hasAttribute(n));
window.postroomStory = { stayed: false };
for (const kind of ["click", "submit"]) {
  window.addEventListener(kind, (event) => {
    if (event.defaultPrevented) window.postroomStory.stayed = true;
  }, { once: true });
}
if (moves(e) || moves(e.form) || e.closest("[hx-boost=true]") || e.disabled) return false;
const link = e.closest("a[href]");
if (link) {
  const to = new URL(link.href, location.href);
  const here = to.pathname === location.pathname && to.search === location.search && to.hash;
  return to.protocol.startsWith("http") && !here && !link.hasAttribute("download") && !link.target;
}
if (!e.form || e.type !== "submit") return false;
const method = e.getAttribute("formmethod") || e.form.getAttribute("method") || "get";
const target = e.getAttribute("formtarget") || e.form.getAttribute("target");
const valid = e.form.noValidate || e.formNoValidate || e.form.checkValidity();
return method.toLowerCase() !== "dialog" && !target && valid;
