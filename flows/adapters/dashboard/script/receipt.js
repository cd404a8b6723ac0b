/* What the run has read, to be compared with the shop's own report. No filter changes it. */

function drawReceipt() {
  const { totals, months, rejections, contacts, left_out } = data.receipt;
  const sum = (rows, of) => rows.reduce((all, row) => all + row[of], 0);
  const sentences = totals.flatMap((of) => {
    const money = formats.moneyIn(of.currency), exactly = formats.moneyIn(of.currency, { maximumFractionDigits: 2 });
    return [
      text("receipt_orders", { orders: formats.count(of.orders), customers: formats.count(of.customers), rows: formats.count(of.lines), first: formats.day(of.first_on), last: formats.day(of.last_on) }),
      text("receipt_sizes", { median: exactly(of.median_order), largest: exactly(of.largest_order), share: formats.share(of.gross ? of.most_sales / of.gross : 0) }),
      of.refunds_of_nobody ? text("receipt_refunds_of_nobody", { amount: money(of.refunds_of_nobody) }) : null];
  });
  if (contacts.contacts) sentences.push(text("receipt_contacts", { contacts: formats.count(contacts.contacts), nobody: formats.count(contacts.of_nobody) }));
  const reported = formats.moneyIn(data.meta.currency);
  if (left_out.unmatched_returns) sentences.push(text("receipt_unmatched_returns", { refunds: formats.count(left_out.unmatched_returns), amount: reported(left_out.unmatched_amount) }));
  if (left_out.returned_customers) sentences.push(text("receipt_returned_customers", { customers: formats.count(left_out.returned_customers), amount: reported(left_out.returned_amount) }));
  place("receipt").replaceChildren(element("ul", {}, ...sentences.filter(Boolean).map((line) => element("li", {}, line))));
  const cells = (rows, currency) => [formats.count(sum(rows, "orders")), ...["gross", "refunds", "net"].map((of) => formats.moneyIn(currency)(sum(rows, of)))];
  const row = (name, rows, currency) => element("tr", {}, element("th", { scope: "row" }, name), ...cells(rows, currency).map((cell) => element("td", { class: "n" }, cell)));
  const head = (...keys) => element("thead", {}, element("tr", {}, ...keys.map((key) => element("th", { scope: "col", class: ["month", "reason", "example"].includes(key) ? undefined : "n" }, text(key)))));
  place("receipt-months").setAttribute("aria-label", text("receipt"));
  place("receipt-months").replaceChildren(element("table", {}, head("month", "orders", "gross", "refunds", "net"), ...totals.map(({ currency }) => {
    const known = months.filter((month) => month.currency === currency);
    return element("tbody", {}, row(text("in_all"), known, currency), ...known.toReversed().map((month) => row(formats.month(month.month), [month], currency)));
  })));
  place("receipt-rejections").replaceChildren(rejections.length
    ? element("table", {}, head("reason", "rows", "amount", "example"), element("tbody", {}, ...rejections.map((of) => element("tr", {},
      element("th", { scope: "row" }, phrase(of.reason)), element("td", { class: "n" }, formats.count(of.rows)), element("td", { class: "n" }, of.amount ? formats.moneyIn(of.currency)(of.amount) : "–"),
      element("td", {}, of.example, ...(of.file ? [element("div", {}, text("place", { file: of.file, line: formats.count(of.line) }))] : []))))))
    : element("p", {}, text("nothing_rejected")));
}
