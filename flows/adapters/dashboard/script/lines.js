/* Pictures of something over time: lines and layers on two axes. Their figures are in a table next to them. */

const SHEET = { width: 460, height: 190, left: 54, right: 12, top: 10, bottom: 22 };

/** A picture with its caption. `names`: below the steps from left to right; `draw(x, y)`: what is on the axes, as SVG. */
function chart(caption, { names, most, format, draw, right = SHEET.right }) {
  const { width, height, left, top, bottom } = SHEET;
  const x = (step) => (left + (step * (width - left - right)) / Math.max(1, names.length - 1)).toFixed(1);
  const y = (value) => (height - bottom - (value / (most || 1)) * (height - top - bottom)).toFixed(1);
  const across = roundNumbers(0, most || 1).map((value) =>
    `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="var(--line)"/><text x="${left - 6}" y="${+y(value) + 3}" text-anchor="end">${format(value)}</text>`);
  const every = Math.ceil(names.length / (names[0]?.length > 4 ? 4.5 : 6)), last = names.length - 1;
  const below = names.map((name, step) => ((last - step) % every ? "" : `<text x="${x(step)}" y="${height - 6}" text-anchor="${step === last && right < 40 ? "end" : "middle"}">${name}</text>`));
  const made = element("figure", {}, element("figcaption", {}, caption), element("div"));
  made.lastChild.innerHTML = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${caption}">${across.join("")}${below.join("")}${draw(x, y)}</svg>`;
  return made;
}

/** The path of a line, which ends where a value is not known and goes on after it. */
function path(values, x, y) {
  return values.map((value, step) => (value === null ? "" : `${step && values[step - 1] !== null ? "L" : "M"}${x(step)} ${y(value)}`)).join("");
}

const line = (values, x, y, colour, more = "") => `<path d="${path(values, x, y)}" fill="none" stroke="${colour}" stroke-width="2" ${more}/>`;

/** A layer between two lines. */
function layer(lower, upper, x, y, colour) {
  const along = (values, steps) => steps.map((step) => `${x(step)} ${y(values[step])}`).join("L");
  const steps = upper.map((_, step) => step);
  return `<path d="M${along(upper, steps)}L${along(lower, steps.toReversed())}Z" fill="${colour}"/>`;
}

const tableOf = (heads, rows) => element("table", {},
  element("thead", {}, element("tr", {}, ...heads.map((head, n) => head ? element("th", { scope: "col", class: n ? "n" : undefined }, head) : element("td")))),
  element("tbody", {}, ...rows.map(([name, ...cells]) => element("tr", {}, element("th", { scope: "row" }, name), ...cells.map((cell) => element("td", { class: "n" }, cell))))));
