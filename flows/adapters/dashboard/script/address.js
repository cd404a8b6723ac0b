/* What is chosen, in the page's address: a link reproduces the view, and the back button leads to the one before.

   Members are named as in the warehouse, so that a link holds in both languages and on the page of a later run. */

let remembered = ""; // the view that the address names; null: another one
let missing = []; // what a link filters by and this page has not

function viewInAddress({ withCustomer = true } = {}) {
  const view = new URLSearchParams();
  for (const [dimension, position] of choices()) view.append(dimension, data.members[dimension][position] ?? "");
  if (measure !== MEASURES[0]) view.set("measure", measure);
  if (queue !== firstQueue()) view.set("queue", data.meta.queues[queue]);
  if (search) view.set("search", search);
  if (order.by) view.set("order", order.ascending ? order.by : `-${order.by}`);
  if (shownCustomer && withCustomer) view.set("customer", shownCustomer);
  return view.toString();
}

/** Takes a view, by default the address's; nothing is drawn. */
function readAddress(written = location.hash.slice(1)) {
  const view = new URLSearchParams(written);
  filters.clear();
  missing = [];
  for (const dimension of DIMENSIONS) {
    const wanted = view.getAll(dimension).map((member) => [member, member === "" ? -1 : data.members[dimension].indexOf(member)]);
    missing.push(...wanted.filter(([member, position]) => member && position < 0).map(([member]) => [dimension, member]));
    const found = wanted.filter(([member, position]) => !member || position >= 0).map(([, position]) => position);
    if (found.length) filters.set(dimension, new Set(found));
  }
  measure = measuresShown().find((name) => name === view.get("measure")) ?? MEASURES[0];
  const named = data.meta.queues.indexOf(view.get("queue"));
  queue = named >= 0 ? named : firstQueue();
  search = place("search").value = view.get("search") ?? "";
  const [, descends, column] = /^(-?)(.*)$/.exec(view.get("order") ?? "");
  order.by = LIST_COLUMNS.find(([, name]) => name && name === column)?.[1] ?? null;
  order.ascending = !descends;
  rowsShown = 25;
  shownCustomer = view.get("customer");
  remembered = viewInAddress();
}

/** Puts the view in the address: as the next one, or in place of the last. */
function remember(how) {
  const view = viewInAddress();
  if (view === remembered) return;
  remembered = view;
  missing = [];
  try {
    history[how](null, "", view ? `#${view}` : location.href.split("#")[0]);
  } catch { /* a preview within another page has no address of its own */ }
}
