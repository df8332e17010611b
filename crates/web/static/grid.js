// Lists: how many rows are ticked, moving through them with the keys, an order
// within another; small menus close by themselves.
(() => {
  const boxes = (form) => Array.from(form.querySelectorAll("input[type=checkbox][name=id]"));
  const told = () => {
    for (const form of document.querySelectorAll("form[data-rows]")) {
      const every = form.querySelector("#every")?.checked === true;
      for (const box of boxes(form)) box.closest("tr")?.setAttribute("aria-selected", String(every || box.checked));
      const place = form.querySelector("[data-ticked]");
      if (!place) continue;
      const count = boxes(form).filter((box) => box.checked).length;
      place.textContent = count > 0 && !every ? place.dataset.words.replace("{0}", count) : "";
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target.name === "id" || event.target.id === "every") told();
  });
  document.addEventListener("postroom:ticked", told);
  addEventListener("pageshow", told);

  // Keys: the row one stands in is that of the focus.
  const typed = "input:not([type=checkbox]):not([type=radio]), textarea, select, summary, [contenteditable]";
  const place = (row) => row.querySelector("tbody th a, th[scope=row] a") || row.querySelector("input, a, button");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(typed)) return;
    if (document.querySelector("dialog[open], details.picker[open]")) return;
    const row = event.target.closest("form[data-rows] tbody tr");
    const form = row ? row.closest("form[data-rows]") : document.querySelector("form[data-rows]");
    if (!form) return;
    const single = form.dataset.keys !== undefined;
    const key = event.key;
    const step = (key === "ArrowDown" && row) || (single && key === "j") ? 1
      : (key === "ArrowUp" && row) || (single && key === "k") ? -1 : 0;
    if (step !== 0) {
      const rows = Array.from(form.querySelectorAll("tbody tr"));
      const next = row ? rows[rows.indexOf(row) + step] : rows[step > 0 ? 0 : rows.length - 1];
      if (!next) return;
      event.preventDefault();
      place(next)?.focus();
      next.scrollIntoView({ block: "nearest" });
      return;
    }
    if (!row) return;
    const box = row.querySelector("input[type=checkbox][name=id]");
    if (box && ((key === " " && event.target !== box) || (single && key === "x"))) {
      event.preventDefault();
      box.checked = !box.checked;
      told();
    } else if (key === "Enter" && event.target === box) {
      event.preventDefault();
      row.querySelector("th[scope=row] a")?.click();
    }
  });

  // Shift and a click on a header: sorted by it within the order that there is.
  document.addEventListener("click", (event) => {
    const header = event.target.closest?.("a[data-within]");
    if (!header || !event.shiftKey) return;
    event.preventDefault();
    location.assign(header.dataset.within);
  });

  // The columns of a view are drawn to their place.
  for (const list of document.querySelectorAll("[data-order]")) {
    let drawn = null;
    for (const item of list.children) item.draggable = true;
    list.addEventListener("dragstart", (event) => {
      drawn = event.target.closest("li");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "");
    });
    list.addEventListener("dragover", (event) => {
      const over = event.target.closest("li");
      if (!drawn || !over || over === drawn) return;
      event.preventDefault();
      const box = over.getBoundingClientRect();
      list.insertBefore(drawn, event.clientY > box.top + box.height / 2 ? over.nextSibling : over);
    });
    list.addEventListener("drop", (event) => event.preventDefault());
    list.addEventListener("dragend", () => {
      drawn = null;
      // The buttons say where their column stands.
      Array.from(list.children).forEach((item, at, all) => {
        for (const button of item.querySelectorAll("button")) {
          const verb = button.value.split(":")[0];
          button.value = `${verb}:${at}`;
          if (verb === "up") button.disabled = at === 0;
          if (verb === "down") button.disabled = at === all.length - 1;
        }
      });
    });
  }

  // A condition shows what its operator wants beside it.
  for (const condition of document.querySelectorAll("[data-condition]")) {
    const operator = condition.querySelector("select");
    const fit = () => {
      for (const part of condition.querySelectorAll("[data-with]")) {
        part.hidden = !part.dataset.with.split(" ").includes(operator.value);
      }
    };
    operator.addEventListener("change", fit);
    fit();
  }

  const pickers = () => document.querySelectorAll("details.picker[open]");
  document.addEventListener("click", (event) => {
    for (const open of pickers()) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of pickers()) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });
})();
