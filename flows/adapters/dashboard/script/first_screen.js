/* The first screen: how far to trust the page, who waits in the queues, what changed, and what is expected. */

function drawFigures() {
  const scored = data.meta.is_scored ? ["expected_spend", "expected_loss"] : [];
  const figures = ["customers", "active", "spend_last_period", ...scored].map((of) => ({ of, number: element("b", { id: `figure-${of}` }) }));
  place("figures").replaceChildren(...figures.map(({ of, number }) => element("div", {}, number, element("span", {}, text(`figure_${of}`, { horizon: data.meta.horizon_days })))));
  updates.push(() => { for (const { of, number } of figures) number.textContent = shown(of, total(of)); });
}

/** What waits in each queue, in customers and money; a click leads to its list. */
function drawQueueSums() {
  const cards = data.meta.queues.map((name, position) => {
    const [sum, words] = [element("b", { id: `sum-${name}` }), element("span")];
    return { name, sum, words, card: element("button", { type: "button", onclick: () => { queue = position; rowsShown = 25; draw(); place("list-title").focus(); } }, sum, words) };
  });
  place("queue-sums").setAttribute("aria-label", text("queue_sums"));
  place("queue-sums").replaceChildren(...cards.map(({ card }) => card));
  updates.push(() => {
    for (const { name, sum, words } of cards) {
      sum.textContent = formats.money(total(`${name}_value`));
      words.textContent = text("queue_sum", { queue: text(`queue_${name}`), customers: formats.count(total(name)), value: valueOf(name) });
    }
  });
}

/** Who changed since a month ago, by the segments of then and now. */
function drawMonth() {
  const { month_ends_on, revenue } = data.months;
  const [then, now] = [...new Set(month_ends_on)].slice(-2);
  place("month").hidden = !now;
  if (!now) return;
  const spent = (day) => formats.money(revenue.reduce((all, amount, row) => all + (month_ends_on[row] === day ? amount / 100 : 0), 0));
  const leaves = (position) => position >= 0 && data.meta.rules_expect[position] === "leaves";
  const names = positions("segment").filter(leaves).map((position) => memberName("segment", position)).join(", ");
  const { previous_segment: was, segment: is } = data.cells;
  const slips = (row) => was[row] >= 0 && !leaves(was[row]) && leaves(is[row]);
  updates.push(() => {
    place("month").textContent = text("since_a_month", {
      since: formats.day(then), leaving: names,
      new: formats.count(total("customers", (row) => was[row] < 0)),
      slipped: formats.count(total("customers", slips)), stake: formats.money(total("spend_last_365_days", slips)),
      came_back: formats.count(total("customers", (row) => leaves(was[row]) && !leaves(is[row]))),
      revenue: spent(now), before: spent(then),
    });
  });
}

/** How far to trust what is below, in a sentence. */
function verdict() {
  const { level, warnings } = data.trust;
  return level === "care" && warnings.length ? text("trust_warned", { warning: warnings.map(phrase).join(language === "en" ? "; " : "\u202f; ") }) : text(`trust_${level}`);
}

/** What is new since the run before. */
const changes = ({ since, expected_loss, expected_loss_then, ...counts }) => text("changes", {
  since: formats.day(since), loss: formats.money(expected_loss), then: formats.money(expected_loss_then),
  ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, formats.count(count)])),
});

/** What all customers are expected to spend, like for like: next to the customers of a year ago on the same days. */
function forecast({ expected, low, high, coverage, correction, last_year }, horizon) {
  const sentences = [text("forecast", { expected: formats.money(expected), horizon })];
  if (low === null) sentences.push(text("forecast_untested"));
  else sentences.push(text("forecast_range", { low: formats.money(low), high: formats.money(high), coverage: formats.share(coverage) }));
  if (correction) sentences.push(corrected(correction));
  if (last_year === null) sentences.push(text("forecast_no_season"));
  else sentences.push(text("forecast_last_year", { spent: formats.money(last_year) }));
  return sentences.join(" ");
}

/** By what past forecasts of a total were off, and this one is corrected. */
function corrected({ forecasts, too_high, factor, uncorrected }) {
  return text(too_high > 0 ? "forecast_corrected_high" : "forecast_corrected_low", { count: formats.count(forecasts), share: formats.share(Math.abs(too_high)), by: `${factor > 1 ? "+" : "−"}${formats.share(Math.abs(factor - 1))}`, uncorrected: formats.money(uncorrected) });
}

/** What came of the last promises of a kind. */
function promise({ kind, promises, promised, came, deviation }) {
  const how = deviation === null ? "promise_off" : Math.abs(deviation) < 0.005 ? "promise_right" : deviation > 0 ? "promise_high" : "promise_low";
  return text(how, { what: text(`promised_${kind}`, { count: formats.count(promises) }), share: formats.share(Math.abs(deviation ?? 0)), promised: formats.money(promised), came: formats.money(came) });
}

/** What they are all expected to spend in the years that CLV is of. */
function lifetimeValue({ expected, low, high, coverage, correction, days }, loss) {
  const sentences = [text("clv", { expected: formats.money(expected), days })];
  sentences.push(low === null ? text("clv_untested") : text("forecast_range", { low: formats.money(low), high: formats.money(high), coverage: formats.share(coverage) }));
  if (correction) sentences.push(corrected(correction), text("loss_corrected", { expected: formats.money(loss.expected), uncorrected: formats.money(loss.uncorrected) }));
  return sentences.join(" ");
}

/** Of a shop that is full of one-time buyers: who of them will order again, and how right that was before. */
function secondOrder(found, horizon) {
  if (!found) return "";
  const [customers, predicted, past, came, auc] = [formats.count(found.customers), formats.share(found.predicted), formats.share(found.predicted_then), formats.share(found.ordered_again), formats.share(found.auc)];
  return text("second_order", { customers, days: found.days_to_keep, predicted, horizon, past, came, auc });
}
