/* The rows that are filtered, as a file: CSV and XLSX, made here, with what the page shows and nothing more. */

/** Columns of the files: their heads, what a row has, and what kind it is. Text is the page's, in its language. */
function takenColumns() {
  const { list, meta } = data;
  const member = (dimension) => (row) => memberName(dimension, list[dimension][row]);
  const column = (name) => (row) => list[name][row];
  const words = (name) => (row) => phrase(list[name][row]);
  const scored = (...columns) => (meta.is_scored ? columns : []);
  return [
    [text("customer"), column("customer_id"), "text"], [text("email"), column("email"), "text"],
    [text("queue"), () => text(`queue_${meta.queues[queue]}`), "text"], [text("segment"), member("segment"), "text"],
    ...scored([text("lifecycle"), member("lifecycle"), "text"], [text("risk_band"), member("risk_band"), "text"], [text("churn_probability"), column("churn_probability"), "share"]),
    [listHead("queue_value"), column("queue_value"), "amount"],
    ...scored([text("expected_spend"), column("expected_spend"), "amount"], [text("next_order"), column("next_order_on"), "day"], [text("next_order_if_back"), column("next_order_if_back_on"), "day"]),
    [text("why"), words("why"), "text"], ...scored(...[1, 2, 3].map((n) => [text("reason_n", { n }), words(`reason_${n}`), "text"])),
    [text("what"), words("recommended_action"), "text"], [text("country"), member("country"), "text"], [text("channel"), member("channel"), "text"],
    [text("currency"), () => meta.currency, "text"], [text("as_of_date"), () => meta.as_of, "day"],
  ];
}

/** Text that a spreadsheet does not take for a formula, as in the CSV of the run. */
const harmless = (words) => words.replace(/^[=+\-@\t\r\n]/, "'$&");

/** With what the language's spreadsheets expect: separators, decimals, and a mark without which Excel misreads accents. */
function asCsv(columns, rows) {
  const [separator, decimal] = language === "fr" ? [";", ","] : [",", "."];
  const quoted = (words) => `"${harmless(words).replaceAll('"', '""')}"`;
  const cell = (value, kind) => value === null || value === undefined || value === "" ? "" : kind === "text" ? quoted(value) : String(value).replace(".", decimal);
  const lines = [columns.map(([head]) => quoted(head)), ...rows.map((row) => columns.map(([, of, kind]) => cell(of(row), kind)))];
  return new Blob(["\ufeff", ...lines.map((line) => `${line.join(separator)}\r\n`)], { type: "text/csv;charset=utf-8" });
}

/** Of whom the rows are, as rows of a second sheet. */
function takenAbout(count) {
  return [
    [text("as_of_date"), data.meta.as_of], [text("queue"), text(`queue_${data.meta.queues[queue]}`)],
    ...[...filters].map(([dimension, chosen]) => [text(dimension), [...chosen].map((position) => memberName(dimension, position)).join(", ")]),
    ...(search ? [[text("searched"), search]] : []), [text("rows_taken"), formats.count(count)], ["", takenNote(count)],
  ];
}

/** How many rows a file has, of how many, and whether addresses are masked. */
function takenNote(count) {
  const [listedHere, all] = [listed("").length, total(data.meta.queues[queue])];
  return [
    text(listedHere < all ? "take_first" : "take_all", { rows: formats.count(count), listed: formats.count(listedHere), all: formats.count(all) }),
    text(data.meta.shows_pii ? "take_shown" : "take_masked"),
  ].join(" ");
}

function take(kind) {
  const [columns, rows] = [takenColumns(), listed()];
  const file = kind === "csv" ? asCsv(columns, rows) : asWorkbook([
    { name: text("take_sheet"), heads: columns.map(([head]) => head), kinds: columns.map(([, , of]) => of), rows: rows.map((row) => columns.map(([, of]) => of(row))) },
    { name: text("take_about"), heads: [text("take_about"), ""], kinds: ["text", "text"], rows: takenAbout(rows.length) }]);
  const link = element("a", { download: `${text("take_file")}_${data.meta.queues[queue]}_${data.meta.as_of}.${kind}` });
  link.href = URL.createObjectURL(file);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a large file is still being saved
}

function drawTake() {
  place("take").replaceChildren(...["csv", "xlsx"].map((kind) => element("button", { type: "button", "aria-describedby": "take-note", onclick: () => take(kind) }, text(`take_${kind}`))));
}

function updateTake(count) {
  for (const made of place("take").children) made.disabled = !count;
  place("take-note").textContent = takenNote(count);
}
