/* Whom to contact. */

const LIST_COLUMNS = [
  ["customer", "customer_id"], ["segment", "segment"], ["risk", "churn_probability", "n scored"],
  ["expected_loss", "expected_loss", "n scored"], ["expected_spend", "expected_spend", "n scored"],
  ["next_order", "next_order_on", "scored"], ["why", null, "scored"], ["what", null],
];
const order = { by: null, ascending: false }; // null: as the warehouse ranks
let search = "", rowsShown = 25;

/** The search words of each row: as they are shown, and as they are in the warehouse. */
const searchable = (list) => list.customer_id.map((id, row) => {
  const english = [data.members.segment[list.segment[row]], list.reason_1[row], list.reason_2[row], list.reason_3[row]];
  return [id, list.email[row], ...english, ...english.map(phrase)].join(" ").toLowerCase();
});

function crmLink(row) {
  const link = data.meta.crm_link;
  if (!link) return null;
  const filled = link.replace(/\{(customer_id|email)\}/g, (_, name) => encodeURIComponent(data.list[name][row] ?? "•"));
  return filled.includes(encodeURIComponent("•")) ? null : filled;
}

function drawList() {
  const body = element("tbody");
  const heads = LIST_COLUMNS.map(([key, column, kind]) => {
    const button = column ? element("button", { type: "button", onclick: () => {
      order.ascending = order.by === column ? !order.ascending : !kind?.startsWith("n");
      order.by = column; draw();
    } }, text(key)) : text(key);
    const head = element("th", { scope: "col", class: kind }, button);
    if (column) updates.push(() => {
      const sorted = order.by === column ? (order.ascending ? "ascending" : "descending") : null;
      if (sorted) head.setAttribute("aria-sort", sorted); else head.removeAttribute("aria-sort");
      button.textContent = text(key) + (sorted ? (order.ascending ? " ↑" : " ↓") : "");
    });
    return head;
  });
  place("list").replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body));
  place("search").placeholder = text("search");
  place("search").setAttribute("aria-label", text("search"));
  updates.push(() => {
    const found = listed();
    body.replaceChildren(...found.slice(0, rowsShown).map(listRow));
    place("more").hidden = found.length <= rowsShown;
    place("list-note").textContent = text(textOf("list_note"), {
      horizon: data.meta.horizon_days, found: formats.count(found.length),
      contactable: formats.count(total("may_be_contacted")),
    });
  });
}

function listed() {
  const { list } = data;
  const fails = failing(list, list.customer_id.length);
  const rows = [];
  for (let row = 0; row < fails.length; row++) if (!fails[row] && (!search || list.words[row].includes(search))) rows.push(row);
  if (order.by) {
    const column = list[order.by], direction = order.ascending ? 1 : -1;
    rows.sort((a, b) => (column[a] === null) - (column[b] === null) || direction * (column[a] < column[b] ? -1 : column[a] > column[b] ? 1 : 0));
  }
  return rows;
}

function listRow(row) {
  const { list } = data;
  const band = data.members.risk_band[list.risk_band[row]];
  const link = crmLink(row);
  const name = link ? element("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, list.customer_id[row]) : list.customer_id[row];
  const reasons = [1, 2, 3].map((n) => list[`reason_${n}`][row]).filter(Boolean).map((reason) => element("div", {}, phrase(reason)));
  const money = (value) => (value === null ? "–" : formats.money(value));
  return element("tr", {},
    element("td", {}, element("div", {}, name), ...(list.email[row] ? [element("div", {}, list.email[row])] : [])),
    element("td", {}, memberName("segment", list.segment[row])),
    element("td", { class: "n scored" }, band ? element("span", { class: `pill ${band}` }, `${formats.share(list.churn_probability[row])} · ${text(band)}`) : "–"),
    element("td", { class: "n scored" }, money(list.expected_loss[row])), element("td", { class: "n scored" }, money(list.expected_spend[row])),
    element("td", { class: "scored" }, list.next_order_on[row] ? formats.day(list.next_order_on[row]) : text("none_expected")),
    element("td", { class: "why scored" }, ...(reasons.length ? reasons : ["–"])), element("td", { class: "what" }, phrase(data.meta.actions[list.segment[row]])));
}
