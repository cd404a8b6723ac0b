/* The pictures that are filtered. Each is built once, and brought up to date by what it adds to `updates`. */

function drawSegments() {
  const rows = positions("segment").map((key) => {
    const [size, value] = [element("div", { class: "track" }, element("i")), element("div", { class: "track" }, element("i"), element("i"))];
    const cells = { customers: element("td", { class: "n" }), spend_last_365_days: element("td", { class: "n" }), expected_loss: element("td", { class: "n scored" }), leave: element("td", { class: "n scored" }), expected_spend: element("td", { class: "n scored" }) };
    const row = element("tr", {}, element("th", { scope: "row" }, titled({ segment: key }, () => memberName("segment", key)), element("div", { class: "definition" }, phrase(data.meta.definitions[key]))),
      cells.customers, element("td", {}, size), cells.spend_last_365_days, element("td", {}, value), cells.expected_loss, cells.leave, cells.expected_spend);
    for (const [name, cell] of Object.entries(cells)) cell.dataset.head = text(name === "leave" ? "mean_probability" : name); // on a phone, a row is a card
    return { key, row, size, value, cells };
  });
  const heads = ["", "customers", "", "spend_last_365_days", "", "expected_loss", "mean_probability", "expected_spend"];
  place("segments").replaceChildren(element("table", { class: "bars" },
    element("thead", {}, element("tr", {}, ...heads.map((key, n) => key ? element("th", { scope: "col", class: n > 4 ? "n scored" : "n" }, text(key)) : element("td")))),
    element("tbody", {}, ...rows.map(({ row }) => row))));
  updates.push(() => {
    const found = Object.fromEntries([...MEASURES, "expected_to_leave"].map((of) => [of, sums(of, ["segment"])]));
    const [mostCustomers, mostSpent] = [Math.max(...found.customers, 1), Math.max(...found.spend_last_365_days, 1)];
    for (const { key, size, value, cells } of rows) {
      const of = (name) => found[name][key + 1];
      for (const name of MEASURES) cells[name].textContent = shown(name, of(name));
      cells.leave.textContent = of("customers") ? formats.share(of("expected_to_leave") / of("customers")) : "–";
      size.firstChild.style.setProperty("--share", (100 * of("customers")) / mostCustomers);
      value.firstChild.style.setProperty("--share", (100 * of("spend_last_365_days")) / mostSpent);
      value.lastChild.style.setProperty("--share", (100 * of("expected_loss")) / mostSpent);
    }
  });
}

function drawRfm() {
  const scores = [5, 4, 3, 2, 1].map((score) => score - 1);
  const one = (key, low, high) => ({ key, title: () => `${key + 1}${key === 4 ? ` (${text(high)})` : key === 0 ? ` (${text(low)})` : ""}` });
  grid("rfm", {
    rows: scores.map((key) => one(key, "long_ago", "recent")),
    columns: scores.toReversed().map((key) => one(key, "seldom", "often")),
    membersOf: (r, f) => ({ r_f: r * 5 + f }),
    name: (r, f) => memberName("r_f", r * 5 + f),
    of: () => { const found = sums(measure, ["r_f"]); return (r, f) => found[r * 5 + f + 1]; },
  });
  const outside = titled({ r_f: -1 }, () => "");
  place("rfm-none").replaceChildren(outside);
  updates.push(() => { outside.textContent = named(memberName("r_f", -1), shown(measure, sums(measure, ["r_f"])[0])); });
}

function pairs(id, [rowDimension, columnDimension], { rowKeys, cellClass }) {
  const width = data.members[columnDimension].length + 1;
  grid(id, {
    rows: rowKeys.map((key) => ({ ...axis(rowDimension)(key), members: { [rowDimension]: key } })),
    columns: positions(columnDimension).map(axis(columnDimension)),
    membersOf: (row, column) => ({ [rowDimension]: row, [columnDimension]: column }),
    name: (row, column) => `${memberName(rowDimension, row)} → ${memberName(columnDimension, column)}`,
    of: () => { const found = sums(measure, [rowDimension, columnDimension]); return (row, column) => found[(row + 1) * width + column + 1]; },
    cellClass,
  });
}

function drawMovement() {
  pairs("movement", ["previous_segment", "segment"], {
    rowKeys: [...positions("previous_segment"), -1],
    cellClass: (before, now) => (before === now ? "stays" : undefined),
  });
  updates.push(() => {
    const [moved, bought] = [total("moved"), total("moved_and_bought")];
    place("movement-note").textContent = text("movement_note", {
      moved: formats.count(moved), bought: formats.count(bought), silent: formats.count(moved - bought),
    });
  });
}

const disagrees = (segment, band) =>
  (data.meta.rules_expect[segment] === "stays" && band === 2) || (data.meta.rules_expect[segment] === "leaves" && band === 0);

function drawDisagreement() {
  pairs("disagreement", ["segment", "risk_band"], {
    rowKeys: positions("segment"),
    cellClass: (segment, band) => (disagrees(segment, band) ? "odd" : undefined),
  });
  updates.push(() => {
    const [customers, stake, expected] = ["customers", "expected_loss", "expected_spend"].map((of) => sums(of, ["segment", "risk_band"]));
    const figures = { healthy: 0, stake: 0, hopeless: 0, expected: 0 };
    for (const segment of positions("segment")) {
      if (data.meta.rules_expect[segment] === "stays") { figures.healthy += customers[(segment + 1) * 4 + 3]; figures.stake += stake[(segment + 1) * 4 + 3]; }
      if (data.meta.rules_expect[segment] === "leaves") { figures.hopeless += customers[(segment + 1) * 4 + 1]; figures.expected += expected[(segment + 1) * 4 + 1]; }
    }
    place("disagreement-note").textContent = text("disagreement_note", {
      healthy: formats.count(figures.healthy), stake: formats.money(figures.stake), hopeless: formats.count(figures.hopeless), expected: formats.money(figures.expected),
    });
  });
}

function drawChurn() {
  const colours = data.meta.bucket_bands.map((band) => `var(--${band})`);
  const marks = positions("bucket").map((key) => ({ key, made: mark({ bucket: key }, element("i")) }));
  marks.forEach(({ key, made }) => made.style.setProperty("--colour", colours[key]));
  const scale = element("div", { class: "scale", "aria-hidden": "true" });
  place("churn").replaceChildren(
    scale,
    element("div", { class: "columns" }, ...marks.map(({ made }) => made)),
    element("div", { class: "axis" }, ...[0, 0.2, 0.4, 0.6, 0.8, 1].map((p) => element("span", {}, formats.share(p)))),
    element("div", { class: "legend" }, ...data.members.risk_band.flatMap((band) => [element("i", { style: `background: var(--${band})` }), text(band)])));
  updates.push(() => {
    const found = sums(measure, ["bucket"]);
    const most = Math.max(...found.slice(1), 1e-9);
    scale.replaceChildren(...[1, 0.5, 0].map((part) => element("span", {}, shown(measure, Math.round(part * most)))));
    for (const { key, made } of marks) {
      made.classList.toggle("is-chosen", filters.get("bucket")?.has(key) ?? true);
      made.firstChild.style.setProperty("--share", ((100 * found[key + 1]) / most).toFixed(2));
      label(made, memberName("bucket", key), `${text(measure)}: ${shown(measure, found[key + 1])}`);
    }
  });
}

/** Bars of a dimension's members; `meaning`: what a member means, below its name; the section's title is its caption. */
function drawBars(id, meaning) {
  const rows = [...positions(id), -1].map((key) => {
    const [bar, number] = [element("div", { class: "track" }, element("i")), element("td", { class: "n" })];
    return { key, bar, number, row: element("tr", {}, element("th", { scope: "row" }, titled({ [id]: key }, () => memberName(id, key)), ...(meaning && key >= 0 ? [element("div", { class: "definition" }, meaning(data.members[id][key]))] : [])), element("td", {}, bar), number) };
  });
  place(id).replaceChildren(element("table", { class: "bars" }, meaning ? "" : element("caption", { class: "legend" }, text(id)), element("tbody", {}, ...rows.map(({ row }) => row))));
  updates.push(() => {
    const found = sums(measure, [id]);
    const most = Math.max(...found, 1e-9);
    for (const { key, bar, number, row } of rows) {
      row.hidden = key < 0 && !found[0];
      number.textContent = shown(measure, found[key + 1]);
      bar.firstChild.style.setProperty("--share", (100 * found[key + 1]) / most);
    }
  });
}

function drawRetention() {
  const { cohort, quarters_since, customers, active } = data.retention;
  const cohorts = positions("cohort").filter((key) => data.members.cohort[key][0] !== "(");
  const quarters = Array.from({ length: quarters_since.reduce((most, n) => Math.max(most, n + 1), 0) }, (_, n) => n);
  const rows = cohorts.map((key) => {
    const cells = quarters.map(() => element("td", { class: "n" }, element("div", { class: "mark" })));
    const size = element("td", { class: "n" });
    return { key, cells, size, row: element("tr", {}, element("th", { scope: "row" }, titled({ cohort: key }, () => memberName("cohort", key))), size, ...cells) };
  });
  place("retention").replaceChildren(element("table", { class: "heat" },
    element("thead", {}, element("tr", {}, element("td"), element("th", { scope: "col" }, text("customers")), ...quarters.map((n) => element("th", { scope: "col" }, `+${n}`)))),
    element("tbody", {}, ...rows.map(({ row }) => row))));
  updates.push(() => {
    const fails = failing(data.retention, cohort.length);
    const sizes = sums("customers", ["cohort"], ["segment", "country", "channel", "risk_band"]);
    const width = quarters.length;
    const [all, came] = [new Float64Array(data.members.cohort.length * width), new Float64Array(data.members.cohort.length * width)];
    for (let row = 0; row < cohort.length; row++) {
      if (fails[row] & ~BIT.cohort) continue;
      all[cohort[row] * width + quarters_since[row]] += customers[row];
      came[cohort[row] * width + quarters_since[row]] += active[row];
    }
    for (const { key, cells, size } of rows) {
      size.textContent = formats.count(sizes[key + 1]);
      cells.forEach((cell, n) => {
        const [of, share] = [all[key * width + n], came[key * width + n] / all[key * width + n]];
        cell.firstChild.textContent = of ? formats.share(share) : "";
        cell.firstChild.title = of ? `${formats.count(came[key * width + n])} / ${formats.count(of)}` : "";
        cell.firstChild.style.setProperty("--share", of && n ? Math.min(55, 110 * share) : 0);
      });
    }
  });
}
