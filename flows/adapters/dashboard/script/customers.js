/* Everybody, to be found by id. They are unpacked when the first is wanted. */

const MAX_OFFERED = 8;
let customers; // a promise of their columns; the most valuable are first
let details;

const allCustomers = () => (customers ??= unpacked("customers").then((columns) => ({ ...columns, at: new Map(columns.id.map((id, n) => [id, n])) })));
/** Of the most valuable; `starts`: where their orders, campaigns and products begin. */
const allDetails = () => (details ??= unpacked("details").then((columns) => ({ ...columns, ...Object.fromEntries(["orders", "campaigns", "products"].map((name) => [name, { ...columns[name], starts: startsOf(columns[name].count) }])) })));

function startsOf(counts) {
  let start = 0;
  return counts.map((count) => (start += count) - count);
}

/** What is known of everybody, in a few words. */
function inShort({ segment, lifecycle, risk }, n) {
  const words = [memberName("segment", segment[n])];
  if (lifecycle[n] >= 0) words.push(memberName("lifecycle", lifecycle[n]));
  if (risk[n] !== null) words.push(formats.share(risk[n] / 100));
  return words.join(" · ");
}

/** The positions of those whose id has the words in it; those who begin with them come first. */
function found({ id }, words) {
  const [first, then] = [[], []];
  for (let n = 0; n < id.length && first.length < MAX_OFFERED; n++) {
    const at = id[n].toLowerCase().indexOf(words);
    if (at === 0) first.push(n); else if (at > 0 && then.length < MAX_OFFERED) then.push(n);
  }
  return [...first, ...then].slice(0, MAX_OFFERED);
}

async function offer(words) {
  const everybody = await allCustomers();
  if (place("find").value.trim().toLowerCase() !== words) return; // somebody types faster than this unpacks
  const offered = words ? found(everybody, words) : [];
  place("found").hidden = !words;
  place("found").replaceChildren(
    ...offered.map((n) => element("button", { type: "button", onclick: () => choose(everybody.id[n]) }, element("b", {}, everybody.id[n]), " ", inShort(everybody, n))),
    ...(offered.length ? [] : [element("p", {}, text("found_nobody"))]),
    ...(everybody.id.length < data.meta.customers ? [element("p", {}, text("found_of", { found: formats.count(everybody.id.length), all: formats.count(data.meta.customers) }))] : []));
}

/** Shows one of those who are offered. */
function choose(id) {
  place("find").value = "";
  place("found").hidden = true;
  showCustomer(id);
}

function drawFind() {
  const field = place("find");
  field.placeholder = text("find_id");
  place("find-label").textContent = text("find");
  field.oninput = () => offer(field.value.trim().toLowerCase());
  field.onkeydown = ({ key }) => {
    if (key === "Enter" && !place("found").hidden) place("found").querySelector("button")?.click();
    if (key === "Escape") { field.value = ""; place("found").hidden = true; }
  };
}
