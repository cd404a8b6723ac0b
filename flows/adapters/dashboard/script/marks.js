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
