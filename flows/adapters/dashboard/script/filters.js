/* What is chosen, and the sums of the cells that pass.

   A cell is a combination of members (see cube.py). A mark, such as a bar, shows the cells that pass every filter but
   those on the mark's own dimensions: so a choice can be widened, and what is left out can still be seen. */

const DIMENSIONS = ["segment", "previous_segment", "r_f", "bucket", "risk_band", "lifecycle", "country", "channel", "cohort"];
const BIT = Object.fromEntries(DIMENSIONS.map((name, n) => [name, 1 << n]));
const filters = new Map(); // dimension → set of member positions

/** What is chosen, in one order however it was clicked: [dimension, position]. */
const choices = () => DIMENSIONS.flatMap((dimension) => [...(filters.get(dimension) ?? [])].sort((a, b) => a - b).map((position) => [dimension, position]));

function memberName(dimension, position) {
  if (position < 0 && dimension === "r_f") return text("nothing_in_window", { window: data.meta.borders?.window_days });
  if (position < 0) return text(dimension === "previous_segment" ? "was_none" : "unknown");
  const member = data.members[dimension][position];
  if (dimension === "r_f") return text("r_f_member", { r: member[0], f: member[2] });
  if (dimension === "bucket") return `${formats.share(+member)}–${formats.share(+member + 1 / data.members.bucket.length)}`;
  if (dimension === "cohort" && member[0] !== "(") return formats.cohort(member);
  if (dimension === "lifecycle") return text(`lifecycle_${member}`);
  return dimension === "risk_band" ? text(member) : phrase(member);
}

/** Chooses the members if they are not chosen yet, else takes the choice back. One dimension's choice may be of many. */
function toggle(members) {
  const entries = Object.entries(members);
  const chosen = entries.every(([dimension, position]) => filters.get(dimension)?.has(position));
  for (const [dimension, position] of entries) {
    const before = entries.length === 1 ? filters.get(dimension) : undefined;
    const after = new Set(before);
    if (chosen) after.delete(position); else after.add(position);
    if (after.size && !(chosen && entries.length > 1)) filters.set(dimension, after); else filters.delete(dimension);
  }
  draw();
}

const isChosen = (members) => Object.entries(members).every(([dimension, position]) => filters.get(dimension)?.has(position));

/** For each row of columns of members, the bits of the dimensions whose filter it fails. */
function failing(columns, rows) {
  const fails = new Uint16Array(rows);
  for (const [dimension, chosen] of filters) {
    const column = columns[dimension];
    if (!column) continue;
    const passes = new Uint8Array(data.members[dimension].length + 1); // [0]: no member
    for (const position of chosen) passes[position + 1] = 1;
    for (let row = 0; row < rows; row++) if (!passes[column[row] + 1]) fails[row] |= BIT[dimension];
  }
  return fails;
}

const AMOUNTS = new Set(["spend_last_365_days", "spend_last_period", "expected_loss", "expected_spend", "expected_to_leave", "keep_value", "win_back_value", "thank_value"]);
const MEASURES = ["customers", "spend_last_365_days", "expected_loss", "expected_spend"];
const measuresShown = () => MEASURES.filter((of) => data.meta.is_scored || !["expected_loss", "expected_spend"].includes(of));
let measure = "customers";
let cellsFailing;

const bits = (dimensions) => dimensions.reduce((all, name) => all | BIT[name], 0);

/** The sum of a measure for each combination of members of the dimensions, by position + 1 (0: no member). */
function sums(of, dimensions, filteredBy = DIMENSIONS) {
  const counting = bits(filteredBy) & ~bits(dimensions);
  const [a, b] = dimensions.map((name) => data.cells[name]);
  const width = b ? data.members[dimensions[1]].length + 1 : 1;
  const found = new Float64Array((data.members[dimensions[0]].length + 1) * width);
  const values = data.cells[of];
  for (let row = 0; row < values.length; row++) {
    if (cellsFailing[row] & counting) continue;
    found[(a[row] + 1) * width + (b ? b[row] + 1 : 0)] += values[row];
  }
  if (AMOUNTS.has(of)) for (let n = 0; n < found.length; n++) found[n] /= 100;
  return found;
}

/** The sum of a measure; `counts`: of which rows alone. */
function total(of, counts = () => true) {
  let sum = 0;
  const values = data.cells[of];
  for (let row = 0; row < values.length; row++) if (!cellsFailing[row] && counts(row)) sum += values[row];
  return AMOUNTS.has(of) ? sum / 100 : sum;
}

const shown = (of, value) => (AMOUNTS.has(of) ? formats.money(value) : formats.count(value));
