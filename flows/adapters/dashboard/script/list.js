/* Whom to contact: three queues, one of which is shown. */

const LIST_COLUMNS = [
  ["customer", "customer_id"], ["segment", "segment"], ["risk", "churn_probability", "n scored"],
  ["queue_value", "queue_value", "n"], ["expected_spend", "expected_spend", "n scored"],
  ["next_order", "next_order_on", "scored"], ["why", null], ["what", null],
];
const order = { by: null, ascending: false }; // null: as the warehouse ranks
let search = "", rowsShown = 25;
let queue = 0; // its position

/** The first queue that anybody is in: a page does not begin with an empty list. */
const firstQueue = () => Math.max(0, data.meta.queues.findIndex((name) => data.cells[name].some((customers) => customers > 0)));

/** What a queue is sorted by. */
const valueOf = (name) => text(data.meta.is_scored ? `value_${name}` : "monetary", { days: data.meta.clv_days });

const listHead = (key) => (key === "queue_value" ? valueOf(data.meta.queues[queue]) : text(key));

/** The search words of each row: as they are shown, and as they are in the warehouse. */
const searchable = (list) => list.customer_id.map((id, row) => {
  const english = [data.members.segment[list.segment[row]], list.reason_1[row], list.reason_2[row], list.reason_3[row], list.why[row], list.recommended_action[row]];
  return [id, list.email[row], ...english, ...english.map(phrase)].join(" ").toLowerCase();
});

/** Where the CRM has a customer, by their customer_id and email; null where these are not known, or masked. */
function crmLink(customer) {
  const link = data.meta.crm_link;
  if (!link) return null;
  const filled = link.replace(/\{(customer_id|email)\}/g, (_, name) => encodeURIComponent(customer[name] ?? "•"));
  return filled.includes(encodeURIComponent("•")) ? null : filled;
}

function drawList() {
  const body = element("tbody");
  const heads = LIST_COLUMNS.map(([key, column, kind]) => {
    const button = column ? element("button", { type: "button", onclick: () => {
      order.ascending = order.by === column ? !order.ascending : !kind?.startsWith("n");
      order.by = column; draw();
    } }, listHead(key)) : listHead(key);
    const head = element("th", { scope: "col", class: kind }, button);
    if (column) updates.push(() => {
      const sorted = order.by === column ? (order.ascending ? "ascending" : "descending") : null;
      if (sorted) head.setAttribute("aria-sort", sorted); else head.removeAttribute("aria-sort");
      button.textContent = listHead(key) + (sorted ? (order.ascending ? " ↑" : " ↓") : "");
    });
    return head;
  });
  place("list").replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body));
  place("queues").setAttribute("aria-label", text("list"));
  place("queues").replaceChildren(...data.meta.queues.map((name, position) => {
    const button = element("button", { type: "button", onclick: () => { queue = position; rowsShown = 25; draw(); } });
    updates.push(() => {
      button.textContent = `${text(`queue_${name}`)} (${formats.count(total(name))})`;
      button.setAttribute("aria-pressed", queue === position);
    });
    return button;
  }));
  drawTake();
  place("search").placeholder = text("search");
  place("search").setAttribute("aria-label", text("search"));
  updates.push(() => {
    const found = listed();
    body.replaceChildren(...found.slice(0, rowsShown).map(listRow));
    place("more").hidden = found.length <= rowsShown;
    updateTake(found.length);
    const name = data.meta.queues[queue];
    place("list").hidden = !found.length;
    const isEmpty = total(name) === 0;
    place("list-note").textContent = isEmpty
      ? text(filters.size ? "queue_filtered_out" : textOf(`queue_${name}_empty`))
      : !found.length ? text("queue_search_empty") : text(textOf(`queue_${name}_note`), { days: data.meta.clv_days });
  });
}

function listed(words = search) {
  const { list } = data;
  const fails = failing(list, list.customer_id.length);
  const rows = [];
  for (let row = 0; row < fails.length; row++) if (list.queue[row] === queue && !fails[row] && (!words || list.words[row].includes(words))) rows.push(row);
  if (order.by) {
    const column = list[order.by], direction = order.ascending ? 1 : -1;
    rows.sort((a, b) => (column[a] === null) - (column[b] === null) || direction * (column[a] < column[b] ? -1 : column[a] > column[b] ? 1 : 0));
  }
  return rows;
}

/** When the next order is expected; else, when it would come if they came back at all. */
function nextOrder(row) {
  const { next_order_on: on, next_order_if_back_on: ifBack } = data.list;
  if (on[row]) return formats.day(on[row]);
  return ifBack[row] ? text("if_back", { day: formats.day(ifBack[row]) }) : text("none_expected");
}

function listRow(row) {
  const { list } = data;
  const band = data.members.risk_band[list.risk_band[row]];
  const id = list.customer_id[row], link = crmLink({ customer_id: id, email: list.email[row] });
  const opens = (words) => element("button", { type: "button", class: "mark opens", tabindex: -1, onclick: () => showCustomer(id) }, words);
  const name = link ? [element("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, id), " ", opens(text("details"))] : [opens(id)];
  const isSaid = (reason) => list.why[row].includes(reason.replace(/^.*?: /, "").split(";")[0]);
  const reasons = [1, 2, 3].map((n) => list[`reason_${n}`][row]).filter((reason) => reason && !isSaid(reason)).map((reason) => element("div", {}, phrase(reason)));
  const money = (value) => (value === null ? "–" : formats.money(value));
  const cells = [
    element("td", {}, element("div", {}, ...name), ...(list.email[row] ? [element("div", {}, list.email[row])] : [])),
    element("td", {}, memberName("segment", list.segment[row])),
    element("td", { class: "n scored" }, band ? element("span", { class: `pill ${band}` }, `${formats.share(list.churn_probability[row])} · ${text(band)}`) : "–"),
    element("td", { class: "n" }, money(list.queue_value[row])), element("td", { class: "n scored" }, money(list.expected_spend[row])),
    element("td", { class: "scored" }, nextOrder(row)),
    element("td", { class: "why" }, element("div", {}, phrase(list.why[row])), ...reasons), element("td", { class: "what" }, phrase(list.recommended_action[row])),
  ];
  // on a phone, where a row is a card, each figure has its head with it
  LIST_COLUMNS.slice(2).forEach(([key], position) => { cells[position + 2].dataset.head = listHead(key); });
  return element("tr", {}, ...cells);
}
