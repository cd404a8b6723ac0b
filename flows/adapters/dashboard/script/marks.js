/* Marks: buttons that are bars, columns and cells of a grid, so that keyboard and screen reader reach each. */

const updates = []; // each brings one picture up to date

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made[name] = value; else if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const place = (id) => document.getElementById(id);

function mark(members, ...children) {
  const made = element("button", { type: "button", class: "mark", onclick: () => toggle(members) }, ...children);
  updates.push(() => made.setAttribute("aria-pressed", isChosen(members)));
  return made;
}

function label(button, ...words) {
  button.setAttribute("aria-label", words.join(", "));
  button.title = words.join("\n");
}

/** A grid of marks: rows and columns are members of two dimensions, or of one whose members are pairs. */
function grid(id, { rows, columns, membersOf, of, name, cellClass }) {
  const marks = [];
  const body = rows.map(({ title, members, key }) =>
    element("tr", {}, element("th", { scope: "row" }, members ? titled(members, title) : title()),
      ...columns.map((column) => {
        const made = mark(membersOf(key, column.key));
        marks.push({ made, row: key, column: column.key });
        return element("td", { class: cellClass?.(key, column.key) }, made);
      })));
  place(id).replaceChildren(element("table", { class: "heat" },
    element("thead", {}, element("tr", {}, element("td"), ...columns.map((column) => element("th", { scope: "col" }, column.title())))),
    element("tbody", {}, ...body)));
  updates.push(() => {
    const values = of();
    const most = Math.max(...marks.map(({ row, column }) => values(row, column)), 1e-9);
    for (const { made, row, column } of marks) {
      const value = values(row, column);
      made.textContent = value >= 0.5 ? shown(measure, Math.round(value)) : "";
      made.style.setProperty("--share", (55 * Math.sqrt(Math.max(value, 0) / most)).toFixed(1));
      label(made, name(row, column), `${text(measure)}: ${shown(measure, value)}`);
    }
  });
}

function titled(members, title) {
  const made = mark(members);
  made.textContent = title();
  return made;
}

const positions = (dimension) => data.members[dimension].map((_, position) => position);
const axis = (dimension) => (key) => ({ key, title: () => memberName(dimension, key) });

/** Makes one tab stop of all marks of a picture; arrows, Home and End lead from mark to mark. `role`: of what they are in. */
function oneTabStop(id, role = "grid") {
  const box = place(id);
  const rows = () => [...box.querySelectorAll("tr:not([hidden]), .columns")].map((row) => [...row.querySelectorAll("button.mark")]).filter((marks) => marks.length);
  const stopAt = (made) => { for (const other of box.querySelectorAll("button.mark")) other.tabIndex = other === made ? 0 : -1; };
  const holder = box.querySelector("table, .columns");
  holder.setAttribute("role", role);
  holder.setAttribute("aria-label", box.closest("section").querySelector("h2 [data-text], h2").textContent + (box.querySelector("caption") ? `, ${text(id)}` : ""));
  holder.addEventListener("focusin", ({ target }) => { if (target.matches("button.mark")) stopAt(target); });
  holder.addEventListener("keydown", (event) => {
    const marks = rows(), y = marks.findIndex((row) => row.includes(event.target));
    if (y < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const x = marks[y].indexOf(event.target), last = marks[y].length - 1;
    const to = { ArrowRight: [y, Math.min(x + 1, last)], ArrowLeft: [y, Math.max(x - 1, 0)], ArrowDown: [Math.min(y + 1, marks.length - 1), x], ArrowUp: [Math.max(y - 1, 0), x], Home: [y, 0], End: [y, last] }[event.key];
    if (!to) return;
    event.preventDefault(); // the page stays where it is
    marks[to[0]][Math.min(to[1], marks[to[0]].length - 1)].focus();
  });
  updates.push(() => {
    const all = rows().flat();
    if (all.length && !all.some((made) => made.tabIndex === 0)) stopAt(all[0]); // the row of the stop may be hidden now
  });
  stopAt(rows()[0]?.[0]);
}
