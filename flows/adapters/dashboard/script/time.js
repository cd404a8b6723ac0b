/* The shop month by month, and what its cohorts have brought in. */

const OUTLOOKS = { stays: "var(--low)", unsure: "var(--medium)", leaves: "var(--high)" }; // what the segments of a layer do, as the rules see it
const STAGES = { active: "var(--low)", new: "color-mix(in oklab, var(--low) 45%, var(--paper))", due: "var(--medium)", slipping: "var(--high)", gone: "var(--dim)" }; // of the lifecycle, from the lowest layer up

/** The months, each with its sums over the segments that are chosen. */
function monthsShown() {
  const { month_ends_on, segment, history_days, ...counted } = data.months;
  const chosen = filters.get("segment");
  const months = new Map(), stages = Object.keys(STAGES).map((stage) => `lifecycle_${stage}`);
  month_ends_on.forEach((day, row) => {
    if (!months.has(day)) months.set(day, { day, history: history_days[row], bySegment: new Float64Array(data.members.segment.length), customers: 0, active_customers: 0, new_customers: 0, bought_before: 0, bought_again: 0, revenue: 0, at_risk: 0, ...Object.fromEntries(stages.map((of) => [of, 0])) });
    if (chosen && !chosen.has(segment[row])) return;
    const month = months.get(day);
    month.bySegment[segment[row]] += counted.customers[row];
    for (const of of ["customers", "active_customers", "new_customers", "bought_before", "bought_again", ...stages]) month[of] += counted[of][row];
    month.revenue += counted.revenue[row] / 100;
    if (data.meta.rules_expect[segment[row]] === "leaves") month.at_risk += counted.spend_last_365_days[row] / 100;
  });
  const { horizon_days } = data.meta;
  for (const month of months.values()) {
    if (month.history < 364) month.at_risk = month.active_customers = null; // there is no whole year yet
    month.retained = month.history >= 2 * horizon_days && month.bought_before ? month.bought_again / month.bought_before : null;
  }
  return [...months.values()];
}

function drawTime() {
  const stages = data.meta.is_scored ? data.members.lifecycle : [];
  place("time-note").textContent = text("time_note", { leaving: positions("segment").filter((key) => data.meta.rules_expect[key] === "leaves").map((key) => memberName("segment", key)).join(", ") }) + (stages.length ? ` ${text("time_lifecycle_note")}` : "");
  place("time-table").setAttribute("aria-label", text("time"));
  updates.push(() => {
    const months = monthsShown();
    const names = months.map(({ day }) => formats.month(day));
    const single = (of, format) => {
      const values = months.map((month) => month[of]);
      return chart(text(`time_${of}`, { horizon: data.meta.horizon_days }), { names, format, most: Math.max(0, ...values), draw: (x, y) => line(values, x, y, "var(--heat)") });
    };
    const brief = formats.moneyIn(data.meta.currency, { notation: "compact", maximumFractionDigits: 1 });
    place("time").replaceChildren(single("active_customers", formats.count), single("new_customers", formats.count), single("at_risk", brief), single("retained", formats.share), bySegment(months, names), ...(data.meta.is_scored ? [byLifecycle(months, names)] : []));
    const shownAs = (format, value) => (value === null ? "–" : format(value));
    const rows = months.toReversed();
    place("time-table").replaceChildren(
      tableOf(["", ...["active_customers", "new_customers", "revenue", "at_risk", "retained"].map((of) => text(`time_${of}`, { horizon: data.meta.horizon_days })), ...stages.map((stage) => named(text("lifecycle"), text(`lifecycle_${stage}`)))],
        rows.map((month) => [formats.day(month.day), shownAs(formats.count, month.active_customers), formats.count(month.new_customers), formats.money(month.revenue),
          shownAs(formats.money, month.at_risk), shownAs(formats.share, month.retained), ...stages.map((stage) => formats.count(month[`lifecycle_${stage}`]))])),
      tableOf(["", ...positions("segment").map((key) => memberName("segment", key))], rows.map((month) => [formats.day(month.day), ...Array.from(month.bySegment, formats.count)])));
  });
}

/** Customers of all segments, in three layers by what the rules expect of them. */
function bySegment(months, names) {
  const of = (outlook) => months.map(({ bySegment }) => bySegment.reduce((sum, count, key) => sum + (data.meta.rules_expect[key] === outlook ? count : 0), 0));
  return layers(text("time_segments"), names, Object.entries(OUTLOOKS).map(([outlook, colour]) => ({ name: text(`segments_${outlook}`), colour, counts: of(outlook) })));
}

/** The same customers by their lifecycle. */
const byLifecycle = (months, names) =>
  layers(text("time_lifecycle"), names, Object.entries(STAGES).map(([stage, colour]) => ({ name: text(`lifecycle_${stage}`), colour, counts: months.map((month) => month[`lifecycle_${stage}`]) })));

/** Counts on top of one another, the first one lowest. */
function layers(caption, names, each) {
  let below = names.map(() => 0);
  const stacked = each.map(({ counts, colour }) => {
    const lower = below, upper = counts.map((count, step) => count + lower[step]);
    below = upper;
    return { lower, upper, colour };
  });
  const made = chart(caption, { names, format: formats.count, most: Math.max(1, ...below), draw: (x, y) => stacked.map(({ lower, upper, colour }) => layer(lower, upper, x, y, colour)).join("") });
  made.append(element("div", { class: "legend" }, ...each.flatMap(({ name, colour }) => [element("i", { style: `background: ${colour}` }), name])));
  return made;
}

/** What each cohort has spent so far, per customer; a cohort is its quarter of first purchase. */
function drawCohortValue() {
  const { cohort, quarters_since, customers, revenue } = data.retention;
  place("cohort-value").setAttribute("aria-label", text("cohort_value"));
  const cohorts = positions("cohort").filter((key) => data.members.cohort[key][0] !== "(");
  const isFirst = (key) => key === cohorts[0] && data.members.cohort[0][0] !== "("; // of the records, so it has older customers too
  const width = quarters_since.reduce((most, n) => Math.max(most, n + 1), 0);
  const steps = Array.from({ length: width }, (_, n) => n);
  updates.push(() => {
    const fails = failing(data.retention, cohort.length);
    const [sizes, spent] = [new Float64Array(data.members.cohort.length * width), new Float64Array(data.members.cohort.length * width)];
    for (let row = 0; row < cohort.length; row++) {
      if (fails[row] & ~BIT.cohort) continue;
      sizes[cohort[row] * width + quarters_since[row]] += customers[row];
      spent[cohort[row] * width + quarters_since[row]] += revenue[row] / 100;
    }
    const shownCohorts = cohorts.filter((key) => filters.get("cohort")?.has(key) ?? true).map((key) => {
      let sum = 0;
      return { key, name: memberName("cohort", key) + (isFirst(key) ? " *" : ""), size: sizes[key * width], values: steps.map((n) => (sizes[key * width + n] ? (sum += spent[key * width + n]) / sizes[key * width + n] : null)) };
    }).filter(({ size }) => size);
    place("cohort-value-note").textContent = [text("cohort_value_note"), ...(shownCohorts.some(({ key }) => isFirst(key)) ? [text("first_cohort", { cohort: memberName("cohort", cohorts[0]) })] : [])].join(" ");
    const most = Math.max(1, ...shownCohorts.flatMap(({ values }) => values));
    place("cohort-lines").replaceChildren(chart(text("cohort_value_caption"), { names: steps.map((n) => `+${n}`), most, format: formats.money, right: 46, draw: (x, y) => cohortLines(shownCohorts, isFirst, x, y) }));
    const cents = formats.moneyIn(data.meta.currency, most < 20 ? { maximumFractionDigits: 2 } : {});
    place("cohort-value").replaceChildren(tableOf(["", text("customers"), ...steps.map((n) => `+${n}`)],
      shownCohorts.map(({ name, size, values }) => [name, formats.count(size), ...values.map((value) => (value === null ? "" : cents(value)))])));
  });
}

/** A line for each cohort with its name at its end; names that would lie on one another are moved down. */
function cohortLines(cohorts, isFirst, x, y) {
  const named = [];
  return cohorts.map(({ key, name, values }, n) => {
    const colour = `color-mix(in oklab, var(--accent) ${Math.round((100 * (n + 1)) / cohorts.length)}%, var(--dim))`;
    const last = values.findLastIndex((value) => value !== null);
    const [right, end] = [+x(last), +y(values[last])];
    let down = end + 3;
    while (named.some((other) => Math.abs(other.right - right) < 48 && Math.abs(other.down - down) < 9)) down += 3;
    named.push({ right, down });
    return `${line(values, x, y, colour, isFirst(key) ? 'stroke-dasharray="4 4"' : "")}<circle cx="${right}" cy="${end}" r="3" fill="${colour}"/><text class="named" x="${right + 5}" y="${down}">${name}</text>`;
  }).join("");
}
