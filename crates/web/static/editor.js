// Formatted text in place of a text area: Squire does the editing, this gives
// it a toolbar, cleans what is pasted, and hands the HTML to the form. The
// server cleans it again. Without this the text area works as it is.
(() => {
  if (!window.Squire) return;

  // What the editor makes, and what becomes a paragraph, nothing, or just its content.
  const KEPT = new Set("A B BLOCKQUOTE BR CODE DIV EM H1 H2 H3 H4 HR I LI OL P PRE S STRONG SUB SUP U UL".split(" "));
  const BLOCKS = new Set("ADDRESS ARTICLE ASIDE CAPTION CENTER DD DL DT FIELDSET FIGCAPTION FIGURE FOOTER FORM H5 H6 HEADER MAIN NAV SECTION TR".split(" "));
  const GONE = new Set("APPLET AUDIO BUTTON CANVAS EMBED HEAD IFRAME IMG INPUT LINK MATH META NOSCRIPT OBJECT SCRIPT SELECT STYLE SVG TEMPLATE TEXTAREA TITLE VIDEO".split(" "));
  const DEEPEST = 60;
  const link = (text) => (/^(https?:\/\/|mailto:|tel:)[^\s]+$/i.test(text.trim()) ? text.trim() : "");

  // Styles are not kept, but what they say of bold and the like is.
  const marks = (element) => {
    const style = (element.getAttribute("data-style") || "").toLowerCase();
    const said = (name, value) => new RegExp(`${name}\\s*:[^;]*(${value})`).test(style);
    const found = [];
    if (said("font-weight", "bold|[6-9]00")) found.push("b");
    if (said("font-style", "italic|oblique")) found.push("i");
    if (said("text-decoration(-line)?", "underline") && element.nodeName !== "A") found.push("u");
    if (said("text-decoration(-line)?", "line-through")) found.push("s");
    return found;
  };
  const copy = (from, to, depth) => {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) { to.append(node.data); continue; }
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      const name = node.nodeName.toUpperCase();
      if (GONE.has(name)) continue;
      if (depth > DEEPEST) { to.append(node.textContent); continue; }
      const styled = name === "SPAN" || name === "FONT" || name === "B" || name === "STRONG";
      // Some programs wrap all of what they copy in a <b> that is not bold.
      const plain = (name === "B" || name === "STRONG") && /font-weight\s*:\s*(normal|400)/i.test(node.getAttribute("data-style") || "");
      let inner = to;
      const open = (tag) => {
        const element = document.createElement(tag);
        inner.append(element);
        inner = element;
      };
      if (KEPT.has(name) && !plain) {
        open(name);
        if (name === "A") {
          const to = link(node.getAttribute("href") || "");
          if (to) inner.setAttribute("href", to);
        }
      } else if (BLOCKS.has(name)) {
        open("div");
      }
      if (styled) marks(node).forEach(open);
      copy(node, inner, depth + 1);
      if (name === "TD" || name === "TH") to.append(" ");
    }
  };
  // Our policy would forbid these even there, and complain of each.
  const disarmed = (tag) => tag.replace(/\s(on[a-z]+|style)(?=\s*=)/gi, " data-$1");
  const clean = (html) => {
    // An inert document: nothing in it runs or is loaded.
    const inert = new DOMParser().parseFromString(html.replace(/<[a-z][^<>]*>/gi, disarmed), "text/html");
    const fragment = document.createDocumentFragment();
    copy(inert.body, fragment, 0);
    return fragment;
  };
  const escaped = (text) => {
    const holder = document.createElement("p");
    holder.textContent = text;
    return holder.innerHTML;
  };
  const lines = (text) => text.split("\n").map((line) => {
    const html = escaped(line).replace(/^ +| {2,}/g, (spaces) => "\u00a0".repeat(spaces.length));
    return `<div>${html || "<br>"}</div>`;
  }).join("");

  const setUp = (block) => {
    const area = block.querySelector("textarea");
    const label = document.getElementById(`${area.id}-label`);
    const tools = block.querySelector("[role=toolbar]");
    const root = document.createElement("div");
    root.id = `${area.id}-editor`;
    root.className = "editable";
    root.dir = "auto";
    for (const [key, value] of [["role", "textbox"], ["aria-multiline", "true"], ["aria-labelledby", label.id], ["spellcheck", "true"]]) {
      root.setAttribute(key, value);
    }
    const described = `${area.id}-help ${area.id}-fault`.split(" ").filter((id) => document.getElementById(id));
    if (described.length > 0) root.setAttribute("aria-describedby", described.join(" "));
    const begins = area.autofocus;
    area.before(root);
    area.hidden = true;
    block.querySelector("[data-plain]")?.remove();
    tools.hidden = false;
    label.addEventListener("click", () => root.focus());

    const editor = new window.Squire(root, { sanitizeToDOMFragment: clean });
    editor.setHTML(block.dataset.formatted || lines(area.value));
    let told = editor.getHTML();
    area.form.addEventListener("formdata", (event) => {
      event.formData.set(area.name, editor.getHTML());
      event.formData.set(`${area.name}-format`, "html");
    });

    const has = (...tags) => tags.some((tag) => editor.hasFormat(tag));
    const does = {
      bold: [() => has("B", "STRONG"), () => editor.bold(), () => editor.removeBold()],
      italic: [() => has("I", "EM"), () => editor.italic(), () => editor.removeItalic()],
      underline: [() => has("U"), () => editor.underline(), () => editor.removeUnderline()],
      bullets: [() => has("UL"), () => editor.makeUnorderedList(), () => editor.removeList()],
      numbers: [() => has("OL"), () => editor.makeOrderedList(), () => editor.removeList()],
      quote: [() => has("BLOCKQUOTE"), () => editor.increaseQuoteLevel(), () => editor.decreaseQuoteLevel()],
      link: [() => has("A"), () => ask(), () => ask()],
      clear: [() => false, () => editor.removeAllFormatting(), () => {}],
    };
    const run = (name) => {
      const [on, start, end] = does[name];
      if (on()) end(); else start();
      show();
    };
    const buttons = Array.from(tools.querySelectorAll("[data-does]"));
    const show = () => {
      for (const button of buttons) {
        if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(does[button.dataset.does][0]()));
      }
    };
    for (const event of ["pathChange", "select", "cursor"]) editor.addEventListener(event, show);
    editor.addEventListener("input", () => {
      const now = editor.getHTML();
      if (now === told) return;
      told = now;
      area.dispatchEvent(new Event("input", { bubbles: true }));
      show();
    });
    // A picture of the clipboard is a file like any other.
    editor.addEventListener("pasteImage", (event) => {
      const files = event.detail.clipboardData.files;
      if (files.length > 0) area.form.dispatchEvent(new CustomEvent("postroom:files", { detail: files }));
    });

    // The toolbar is one stop of the Tab key; arrows go through it (ARIA's pattern).
    let at = 0;
    const stop = (index) => {
      at = (index + buttons.length) % buttons.length;
      buttons.forEach((button, i) => { button.tabIndex = i === at ? 0 : -1; });
    };
    stop(0);
    tools.addEventListener("keydown", (event) => {
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to !== undefined) {
        event.preventDefault();
        stop(to);
        buttons[at].focus();
      } else if (event.key === "Escape") {
        event.preventDefault();
        editor.focus();
      }
    });
    buttons.forEach((button, index) => {
      // The selection stays where it is.
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("focus", () => stop(index));
      button.addEventListener("click", () => run(button.dataset.does));
    });
    for (const held of ["Ctrl-", "Meta-"]) {
      const key = (name, command) => editor.setKeyHandler(held + name, (_, event) => { event.preventDefault(); run(command); });
      key("k", "link");
      key("\\", "clear");
      // What has no button has no key: sub- and superscript, code.
      for (const name of ["d", "Shift-5", "Shift-6", "Shift-7"]) editor.setKeyHandler(held + name, null);
    }
    // Tab leaves the editor, as it leaves every field.
    for (const key of ["Tab", "Shift-Tab"]) editor.setKeyHandler(key, null);
    root.addEventListener("keydown", (event) => {
      if (event.altKey && event.key === "F10") { event.preventDefault(); buttons[at].focus(); }
    });

    const ask = () => {
      const range = editor.getSelection();
      const element = range.startContainer.nodeType === Node.TEXT_NODE ? range.startContainer.parentElement : range.startContainer;
      const standing = element.closest("a");
      const dialog = document.createElement("dialog");
      dialog.setAttribute("aria-labelledby", `${area.id}-link-title`);
      dialog.append(block.querySelector("template[data-link]").content.cloneNode(true));
      const input = dialog.querySelector("input");
      const fault = dialog.querySelector("[role=alert]");
      input.value = standing?.getAttribute("href") || "";
      dialog.querySelector("[value=remove]").hidden = !standing;
      const target = () => {
        const text = input.value.trim();
        if (/^[^\s@]+@[^\s@/]+\.[^\s@/]+$/.test(text)) return `mailto:${text}`;
        return link(text) || link(/^[^\s:/]+\.[^\s:/]+(\/\S*)?$/.test(text) ? `https://${text}` : "");
      };
      dialog.querySelector("form").addEventListener("submit", (event) => {
        if (event.submitter?.value !== "set" || target()) return;
        event.preventDefault();
        fault.textContent = dialog.querySelector("[data-wrong]").textContent;
        input.setAttribute("aria-invalid", "true");
        input.focus();
      });
      dialog.addEventListener("close", () => {
        const said = dialog.returnValue;
        dialog.remove();
        editor.focus();
        editor.setSelection(range);
        if (said === "set") {
          const inserted = range.collapsed;
          editor.makeLink(target());
          if (inserted) {
            // What is typed next stands behind the link, not in its place.
            const behind = editor.getSelection();
            behind.collapse(false);
            editor.setSelection(behind);
            editor.changeFormat(null, { tag: "A" });
          }
        }
        else if (said === "remove") editor.removeLink();
        show();
      });
      document.body.append(dialog);
      dialog.showModal();
    };
    if (begins) { editor.focus(); editor.moveCursorToStart(); }
  };
  document.querySelectorAll("[data-editor]").forEach(setUp);
})();
