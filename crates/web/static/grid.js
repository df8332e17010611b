// Lists: how many rows are ticked; small menus close by themselves.
(() => {
  const told = () => {
    for (const form of document.querySelectorAll("form[data-rows]")) {
      const place = form.querySelector("[data-ticked]");
      if (!place) continue;
      const count = form.querySelectorAll("input[name=id]:checked").length;
      place.textContent = count > 0 ? place.dataset.words.replace("{0}", count) : "";
    }
  };
  document.addEventListener("change", (event) => { if (event.target.name === "id") told(); });
  document.addEventListener("postroom:ticked", told);
  addEventListener("pageshow", told);

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
