/* An XLSX file: the few parts of Office Open XML that a table needs, in a ZIP file without compression. */

const STYLES = ["text", "share", "amount", "day", "head"]; // positions in cellXfs
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** Text as XML has it: without what no XML may have, and without what Excel would decode ("_x000D_"). */
const xml = (words) => String(words).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "")
  .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_").replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);

const columnName = (n) => (n < 26 ? "" : String.fromCharCode(64 + Math.floor(n / 26))) + String.fromCharCode(65 + (n % 26));
const dayNumber = (iso) => Date.parse(`${iso}T00:00:00Z`) / 86_400_000 + 25_569; // days since 30 December 1899

/** Text is stored as text, with the style that keeps it so when somebody edits the cell: it never becomes a formula. */
function cellOf(value, kind, at) {
  if (value === null || value === undefined || value === "") return "";
  const style = STYLES.indexOf(kind);
  if (kind === "text" || kind === "head") return `<c r="${at}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${xml(value)}</t></is></c>`;
  return `<c r="${at}" s="${style}"><v>${kind === "day" ? dayNumber(value) : value}</v></c>`;
}

function sheetOf({ heads, kinds, rows }) {
  const width = (column) => Math.min(60, 3 + Math.max(...[heads, ...rows.slice(0, 200)].map((row) => String(row[column] ?? "").length)));
  const lines = [heads.map((head) => [head, "head"]), ...rows.map((row) => row.map((value, n) => [value, kinds[n]]))].map((cells, n) =>
    `<row r="${n + 1}">${cells.map(([value, kind], column) => cellOf(value, kind, `${columnName(column)}${n + 1}`)).join("")}</row>`);
  return `<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>`
    + `<cols>${heads.map((_, n) => `<col min="${n + 1}" max="${n + 1}" width="${width(n)}" customWidth="1"/>`).join("")}</cols>`
    + `<sheetData>${lines.join("")}</sheetData><autoFilter ref="A1:${columnName(heads.length - 1)}${rows.length + 1}"/></worksheet>`;
}

function asWorkbook(sheets) {
  const each = (make) => sheets.map((sheet, n) => make(n + 1, sheet)).join("");
  const link = (id, type, target) => `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`;
  const links = (all) => `<Relationships xmlns="${PACKAGE}/relationships">${all}</Relationships>`;
  const format = (font, number, more) => `<xf numFmtId="${number}" fontId="${font}" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"${more}/>`;
  const parts = {
    "[Content_Types].xml": `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>`
      + `<Override PartName="/xl/workbook.xml" ContentType="${TYPE}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${TYPE}.styles+xml"/>`
      + `${each((n) => `<Override PartName="/xl/worksheets/sheet${n}.xml" ContentType="${TYPE}.worksheet+xml"/>`)}</Types>`,
    "_rels/.rels": links(link("rId1", "officeDocument", "xl/workbook.xml")),
    "xl/workbook.xml": `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${each((n, { name }) => `<sheet name="${xml(name)}" sheetId="${n}" r:id="rId${n}"/>`)}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": links(each((n) => link(`rId${n}`, "worksheet", `worksheets/sheet${n}.xml`)) + link(`rId${sheets.length + 1}`, "styles", "styles.xml")),
    "xl/styles.xml": `<styleSheet xmlns="${MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>`
      + '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
      + `<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="${STYLES.length}">${format(0, 0, ' quotePrefix="1"')}${format(0, 10, "")}${format(0, 4, "")}${format(0, 14, "")}${format(1, 0, ' quotePrefix="1"')}</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`,
  };
  sheets.forEach((sheet, n) => { parts[`xl/worksheets/sheet${n + 1}.xml`] = sheetOf(sheet); });
  return zipped(parts);
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => { for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1; return n; });
const checksum = (bytes) => ~bytes.reduce((crc, byte) => CRC[(crc ^ byte) & 255] ^ (crc >>> 8), -1) >>> 0;

/** The parts in a ZIP file; dated 1980, so that its bytes depend on its content alone. */
function zipped(parts) {
  const write = (of) => new TextEncoder().encode(of);
  const bytes = (...numbers) => numbers.flatMap(([value, size]) => Array.from({ length: size }, (_, n) => (value >>> (8 * n)) & 255));
  const [files, index] = [[], []];
  let at = 0;
  for (const [name, content] of Object.entries(parts)) {
    const [title, body] = [write(name), write(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${content}`)];
    const common = bytes([20, 2], [0x800, 2], [0, 2], [0, 2], [0x21, 2], [checksum(body), 4], [body.length, 4], [body.length, 4], [title.length, 2], [0, 2]);
    const file = [Uint8Array.from([...bytes([0x04034b50, 4]), ...common]), title, body];
    index.push(Uint8Array.from([...bytes([0x02014b50, 4], [20, 2]), ...common, ...bytes([0, 2], [0, 2], [0, 2], [0, 4], [at, 4])]), title);
    files.push(...file);
    at += file.reduce((size, part) => size + part.length, 0);
  }
  const size = index.reduce((all, part) => all + part.length, 0), count = Object.keys(parts).length;
  const end = Uint8Array.from(bytes([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [at, 4], [0, 2]));
  return new Blob([...files, ...index, end], { type: `${TYPE}.sheet` });
}
