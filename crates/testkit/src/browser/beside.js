// Whether one of the innermost rows, sections and groups that show one text
// shows another, too. arguments: the one, the other.
const [near, text] = [...arguments].map((words) => words.replace(/\s+/g, " ").trim().toLowerCase());
const shows = (e, words) => (e.innerText || "").replace(/\s+/g, " ").toLowerCase().includes(words);
const all = [...document.querySelectorAll("tr, li, fieldset, details, section, article, dl > div, [role=group], [role=row]")]
  .filter((e) => shows(e, near));
return all.filter((e) => !all.some((other) => other !== e && e.contains(other))).some((e) => shows(e, text));
