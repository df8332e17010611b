// Writing an email: drafts saved as one types, recipients offered, files
// dropped. Without this the form works by its buttons.
(() => {
  const form = document.querySelector("form[data-compose]");
  if (!form) return;
  const saved = form.querySelector("[data-saved]");
  const against = form.querySelector("[data-against]");
  const field = (name) => form.elements.namedItem(name);

  // Whoever has nobody to write to yet begins there.
  if (!field("to").value && !location.hash && document.activeElement === document.body) field("to").focus();

  // One save at a time; what was typed meanwhile is saved after it. Each says
  // which version it is made upon, so that nobody else's is overwritten.
  let timer = 0;
  let busy = false;
  let again = false;
  let leaving = false;
  let stopped = !against.hidden;
  const stop = (why) => {
    stopped = true;
    for (const part of against.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== why;
    against.querySelector("[data-other]").href = `/work/emails/${field("id").value}`;
    against.hidden = false;
    against.scrollIntoView({ block: "nearest" });
  };
  const save = async () => {
    if (stopped) return;
    if (busy || leaving) { again = true; return; }
    busy = true;
    again = false;
    const data = new FormData(form);
    data.delete("file");
    data.set("do", "autosave");
    try {
      const answer = await fetch(form.action, { method: "post", body: data, headers: { "hx-request": "true" } });
      if (answer.ok) {
        const told = await answer.json();
        saved.textContent = told.said;
        if (told.against) stop(told.against);
        if (told.id) {
          if (!field("id").value) {
            field("id").value = told.id;
            history.replaceState(null, "", told.path);
          }
          field("version").value = told.version ?? "";
          if (told.files) form.querySelector("[data-files]").innerHTML = told.files;
          if (!again) delete form.dataset.changed;
        }
      } else {
        saved.textContent = "";
      }
    } catch {
      saved.textContent = "";
    }
    busy = false;
    if (again) soon();
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(save, 1200);
  };
  form.addEventListener("input", (event) => { if (event.target.form === form && event.target.type !== "file" && event.target.type !== "search") soon(); });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    leaving = true;
    // What is being saved now must be known before anything is done with it.
    if (busy) {
      event.preventDefault();
      delete form.dataset.sent;
      const button = event.submitter;
      const wait = setInterval(() => {
        if (busy) return;
        clearInterval(wait);
        form.requestSubmit(button);
      }, 50);
    }
  }, true);
  // One of the small forms in the bar at a time; Escape closes it.
  const drops = Array.from(form.querySelectorAll("details.drop"));
  for (const drop of drops) {
    drop.addEventListener("toggle", () => { if (drop.open) drops.forEach((other) => { if (other !== drop) other.open = false; }); });
    drop.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !drop.open) return;
      drop.open = false;
      drop.querySelector("summary").focus();
    });
  }
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-send]"));
    }
  });

  // Files that are dropped anywhere on the form.
  const drop = form.querySelector("[data-drop]");
  const files = field("file");
  const take = (list) => {
    files.files = list;
    form.requestSubmit(form.querySelector("button[value=attach]"));
  };
  const carries = (event) => Array.from(event.dataTransfer?.types ?? []).includes("Files");
  form.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) drop.classList.remove("over");
  });
  form.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files);
  });
  form.addEventListener("postroom:files", (event) => take(event.detail));

  // Recipients (the combobox pattern of ARIA): the last piece is looked for.
  const last = (text) => {
    const at = Math.max(text.lastIndexOf(";"), text.lastIndexOf(","));
    return [text.slice(0, at + 1), text.slice(at + 1).trim()];
  };
  for (const name of ["to", "cc", "bcc"]) {
    const input = field(name);
    const list = document.createElement("ul");
    list.className = "offers";
    list.id = `${name}-offers`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0].textContent.trim());
    list.hidden = true;
    input.after(list);
    for (const [key, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) {
      input.setAttribute(key, value);
    }
    let offers = [];
    let at = -1;
    let asked = 0;
    let wait = 0;
    const close = () => {
      list.hidden = true;
      at = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const mark = (index) => {
      at = index;
      Array.from(list.children).forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
      if (at >= 0) {
        input.setAttribute("aria-activedescendant", list.children[at].id);
        list.children[at].scrollIntoView({ block: "nearest" });
      }
    };
    const take = (index) => {
      const [before] = last(input.value);
      input.value = `${before}${before ? " " : ""}${offers[index].value}; `;
      close();
      input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const show = () => {
      list.replaceChildren(...offers.map((offer, i) => {
        const item = document.createElement("li");
        item.id = `${name}-offer-${i}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.textContent = offer.name || offer.address;
        const more = document.createElement("small");
        more.textContent = `${offer.address} – ${offer.kind}`;
        item.append(more);
        item.addEventListener("mousedown", (event) => { event.preventDefault(); take(i); });
        return item;
      }));
      list.hidden = offers.length === 0;
      input.setAttribute("aria-expanded", String(offers.length > 0));
      mark(-1);
    };
    const look = async () => {
      const [, text] = last(input.value);
      if (text.length < 2) { close(); return; }
      const mine = ++asked;
      const answer = await fetch(`/work/emails/recipients?q=${encodeURIComponent(text)}`, { headers: { "hx-request": "true" } });
      if (!answer.ok || mine !== asked || document.activeElement !== input) return;
      offers = await answer.json();
      show();
    };
    input.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => look().catch(close), 150); });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      if (event.key === "ArrowDown") { event.preventDefault(); mark((at + 1) % offers.length); }
      else if (event.key === "ArrowUp") { event.preventDefault(); mark((at + offers.length - 1) % offers.length); }
      else if (event.key === "Escape") { event.preventDefault(); close(); }
      else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) { event.preventDefault(); take(at); }
    });
  }
})();
