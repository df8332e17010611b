// What pages do by themselves beyond htmx. Everything here is a convenience:
// each page works without it.
"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const year = 60 * 60 * 24 * 365;
  const remember = (name, value) => {
    document.cookie = `postroom-${name}=${value}; path=/; max-age=${year}; samesite=lax`;
  };

  // The server writes times in the zone that it is told.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  if (/^[A-Za-z0-9/_+-]+$/.test(zone)) remember("zone", zone);

  // The menu is open without scripts; on a narrow screen it starts closed.
  for (const menu of all("details.menu")) {
    if (matchMedia("(max-width: 56rem)").matches) menu.open = false;
    menu.dataset.ready = "";
  }

  // A box that ticks all of a column.
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.tickAll;
    if (!name) return;
    for (const box of all(`input[type=checkbox][name="${name}"]`)) box.checked = event.target.checked;
    document.dispatchEvent(new CustomEvent("postroom:ticked"));
  });

  // A form is sent once, and what was typed is not left by accident.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent !== undefined) { event.preventDefault(); return; }
    if (form.method === "post" && !event.defaultPrevented) {
      form.dataset.sent = "";
      delete form.dataset.changed;
      setTimeout(() => delete form.dataset.sent, 4000);
    }
  });
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && form.dataset.guard !== undefined) form.dataset.changed = "";
  });
  addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-guard][data-changed]")) event.preventDefault();
  });

  // What was refused is put right first.
  const wrong = all("main [aria-invalid=true]").find((field) => field.getClientRects().length > 0);
  if (wrong && !location.hash) wrong.focus();

  // Escape closes a question that was opened in place.
  document.addEventListener("keydown", (event) => {
    const asked = event.key === "Escape" ? event.target.closest("details.confirm[open]") : null;
    if (!asked) return;
    asked.open = false;
    asked.querySelector("summary").focus();
  });

  // Who has more of a list loaded goes on at the first of what came.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const list = event.target.closest("li.more")?.parentElement;
    if (!list) return;
    const at = list.children.length - 1;
    list.addEventListener("htmx:afterSettle", () => list.children[at]?.querySelector("a")?.focus(), { once: true });
  });

  // What refreshes itself waits while somebody reads its tables or stands in it.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.target.closest("[data-polls]");
    if (part && (part.querySelector("details[open]") || part.contains(document.activeElement))) event.preventDefault();
  });

  // What somebody changed while the server looked at a form is not put back by
  // its answer: a later one is on its way.
  let edits = 0;
  const asked = new WeakMap();
  document.addEventListener("change", () => { edits += 1; }, true);
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.dataset?.foresees !== undefined) asked.set(event.detail.xhr, edits);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const then = asked.get(event.detail.xhr);
    if (then !== undefined && then !== edits) event.detail.shouldSwap = false;
  });

  // Keys: `g m` goes to the mailboxes, `?` lists them all. The elements say
  // which key is theirs.
  const typed = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
  const typing = (element) => element.closest(typed) !== null;
  const keyed = () => all("[data-key]").filter((e) => e.getClientRects().length > 0 || e.closest("details.menu"));
  let begun = "";
  let forget = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest("dialog") === null) begun = "";
    if (event.ctrlKey || event.metaKey) {
      const saver = event.key.toLowerCase() === "s" && document.querySelector("[data-save]");
      if (saver) { event.preventDefault(); saver.click(); }
      return;
    }
    if (event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "F1") {
      const help = document.querySelector("[data-help]");
      if (help) { event.preventDefault(); help.click(); }
      return;
    }
    // Single keys can be switched off (WCAG 2.1.4).
    if (document.body.dataset.keys === undefined || typing(event.target) || event.key.length !== 1) return;
    if (event.key === "?") { event.preventDefault(); list(); return; }
    const pressed = begun ? `${begun} ${event.key}` : event.key;
    const elements = keyed();
    const found = elements.find((e) => e.dataset.key === pressed);
    clearTimeout(forget);
    if (found) {
      event.preventDefault();
      begun = "";
      if (found.matches("input, textarea, select")) found.focus(); else found.click();
    } else if (elements.some((e) => e.dataset.key.startsWith(`${pressed} `))) {
      begun = pressed;
      forget = setTimeout(() => { begun = ""; }, 1500);
    } else {
      begun = "";
    }
  });

  const list = async () => {
    const answer = await fetch("/help/keyboard?part=list", { headers: { "hx-request": "true" } });
    if (!answer.ok) return;
    const dialog = document.createElement("dialog");
    dialog.className = "keys";
    dialog.setAttribute("aria-labelledby", "keys-title");
    dialog.innerHTML = await answer.text();
    const table = dialog.querySelector("tbody");
    const listed = new Set(Array.from(table.rows, (row) => row.cells[0].textContent));
    for (const element of keyed()) {
      if (listed.has(element.dataset.key)) continue;
      listed.add(element.dataset.key);
      const row = table.insertRow();
      row.insertCell().textContent = element.dataset.key;
      row.insertCell().textContent = (element.getAttribute("aria-label") || element.textContent || element.title).trim();
    }
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
})();
