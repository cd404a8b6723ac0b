/* One customer: where they stand, why, what they are worth, and what they have bought. */

let shownCustomer = null; // their id; the address has it too

function showCustomer(id) {
  shownCustomer = id;
  draw();
}

/** Opens, fills or closes the drawer as `shownCustomer` says. */
async function updateDrawer() {
  const drawer = place("drawer"), id = shownCustomer;
  if (!id) { if (drawer.open) drawer.close(); return; }
  const [everybody, detail] = await Promise.all([allCustomers(), allDetails()]);
  if (id !== shownCustomer) return; // another was chosen meanwhile
  const n = everybody.at.get(id);
  place("customer").replaceChildren(...(n === undefined ? [element("p", {}, text("not_found", { id }))] : customerParts(everybody, detail, n)));
  place("drawer-title").textContent = id;
  if (!drawer.open) drawer.showModal();
}

function customerParts(everybody, detail, n) {
  const band = data.members.risk_band[everybody.band[n]];
  const standing = element("p", { class: "standing" }, memberName("segment", everybody.segment[n]),
    ...(everybody.lifecycle[n] >= 0 ? [` · ${memberName("lifecycle", everybody.lifecycle[n])} · `] : []),
    ...(band ? [element("span", { class: `pill ${band}` }, named(text("churn_probability"), formats.share(everybody.risk[n] / 100)))] : []));
  if (n >= detail.contact.length) return [standing, element("p", {}, text("no_details", { detailed: formats.count(detail.contact.length), id: everybody.id[n] }))];
  const orders = ordersOf(detail.orders, n);
  return [
    standing, ...reachOf(everybody, detail, n), figuresOf(detail, orders, n), ...reasonsOf(detail, n), ...productsOf(detail.products, n), ...campaignsOf(detail.campaigns, n),
    element("h3", {}, text("orders")), purchases(orders), element("div", { class: "history" }, tableOf([text("day"), text("amount")], orders.toReversed().map(({ day, amount }) => [formats.day(day), formats.exactly(amount)])))];
}

/** Purchases, the first one first. */
function ordersOf({ count, starts, days, amount }, n) {
  let ago = 0;
  const today = Date.parse(data.meta.as_of) / 86_400_000;
  return Array.from({ length: count[n] }, (_, k) => {
    const at = starts[n] + k;
    ago = k ? ago - days[at] : days[at];
    return { ago, day: isoDay(today - ago), amount: amount[at] / 100 };
  });
}

const isoDay = (number) => new Date(number * 86_400_000).toISOString().slice(0, 10);

function reachOf(everybody, detail, n) {
  const email = detail.email[n];
  const link = crmLink({ customer_id: everybody.id[n], email });
  return [element("p", {}, ...(email ? [`${email} · `] : []), text(["may_be_contacted", "opted_out", "reserved"][detail.contact[n]]),
    ...(link ? [" · ", element("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, text("in_crm"))] : []))];
}

/** What they are worth, and when they are expected again. */
function figuresOf(detail, orders, n) {
  const money = (name) => (detail[name][n] === null ? null : formats.money(detail[name][n]));
  const after = (days) => formats.day(isoDay(Date.parse(data.meta.as_of) / 86_400_000 + days));
  const [on, ifBack] = [detail.next_order_on[n], detail.next_order_if_back_on[n]];
  const spent = orders.reduce((sum, { amount }) => sum + amount, 0);
  const last = orders.at(-1);
  const figures = [
    ...(data.meta.is_scored ? [
      [text("value_thank", { days: data.meta.clv_days }), money("clv")], [text("expected_loss"), money("expected_loss")], [text("value_win_back"), money("win_back_value")],
      [text("expected_spend"), money("expected_spend")],
      [text("next_order"), on !== null ? after(on) : ifBack !== null ? text("if_back", { day: after(ifBack) }) : text("none_expected")]] : []),
    [text("last_order"), last && text("days_ago", { day: formats.day(last.day), days: formats.count(last.ago) })], [text("orders"), formats.count(orders.length)], [text("monetary"), formats.money(spent)],
    [text("country"), memberName("country", detail.country[n])], [text("channel"), memberName("channel", detail.channel[n])]];
  return element("dl", {}, ...figures.filter(([, value]) => value).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function reasonsOf(detail, n) {
  const texts = (name) => detail[`${name}_texts`][detail[name][n]];
  const reasons = [1, 2, 3].map((k) => texts(`reason_${k}`)).filter(Boolean);
  return [element("h3", {}, text("what")), element("p", { class: "standing" }, phrase(texts("recommended_action"))),
    ...(reasons.length ? [element("h3", {}, text("why")), element("ul", {}, ...reasons.map((reason) => element("li", {}, phrase(reason))))] : [])];
}

/** What to show them next, as far as they may be written to and their orders name products. */
function productsOf({ count, starts, product, reason, products, categories, reasons }, n) {
  const each = Array.from({ length: count[n] }, (_, k) => starts[n] + k);
  return each.length ? [element("h3", {}, text("next_products")), element("ol", {}, ...each.map((at) => {
    const category = categories[product[at]];
    return element("li", {}, element("b", {}, products[product[at]]), `${category ? ` (${category})` : ""} · ${phrase(reasons[reason[at]])}`);
  }))] : [];
}

function campaignsOf({ count, starts, campaign, arm, variant, was_sent }, n) {
  const each = Array.from({ length: count[n] }, (_, k) => starts[n] + k);
  const became = (at) => text(arm[at] !== "treated" ? "was_held_out" : was_sent[at] ? "was_contacted" : "was_not_sent");
  return each.length ? [element("h3", {}, text("campaigns_of_one")), element("ul", {}, ...each.map((at) => element("li", {}, `${campaign[at]}: ${became(at)}${variant[at] ? ` (${variant[at]})` : ""}`)))] : [];
}

/** A bar for each purchase, from the first to now. */
function purchases(orders) {
  if (!orders.length) return element("p", {}, text("no_orders"));
  const [width, height, bottom] = [460, 110, 20], most = Math.max(...orders.map(({ amount }) => amount)), span = Math.max(orders[0].ago, 1);
  const x = (ago) => (4 + (1 - ago / span) * (width - 8)).toFixed(1);
  const bars = orders.map(({ ago, amount }) => `<line x1="${x(ago)}" x2="${x(ago)}" y1="${height - bottom}" y2="${(height - bottom - (amount / most) * (height - bottom - 4)).toFixed(1)}" stroke="var(--bars)" stroke-width="3"/>`);
  const words = text("purchases", { count: formats.count(orders.length), first: formats.day(orders[0].day), largest: formats.exactly(most) });
  const made = element("figure", {}, element("figcaption", {}, words), element("div"));
  made.lastChild.innerHTML = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${words}"><line x1="0" x2="${width}" y1="${height - bottom}" y2="${height - bottom}" stroke="var(--dim)"/>${bars.join("")}`
    + `<text x="4" y="${height - 6}">${formats.day(orders[0].day)}</text><text x="${width - 4}" y="${height - 6}" text-anchor="end">${formats.day(data.meta.as_of)}</text></svg>`;
  return made;
}
