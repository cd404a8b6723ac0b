"use strict";
/* Words and numbers in the language of the page. */

let data, texts, phrases, language;
const translations = new Map(); // phrase of the warehouse → its words in this language

/** French as it is set: narrow spaces that no line breaks at, and curved apostrophes. */
const typeset = (words) => language === "en" ? words : words.replace(/ ([:;?!»])/g, "\u202f$1").replace(/« /g, "«\u202f").replace(/'/g, "’");

const text = (key, values = {}) =>
  typeset(texts[key][language]).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/** "name: value", with the colon set as the language has it. */
const named = (name, value) => `${typeset(language === "en" ? `${name}:` : `${name} :`)} ${value}`;

/** The text's name, or that of the text to show instead where no customer was scored. */
const textOf = (key) => (!data.meta.is_scored && texts[`${key}_unscored`] ? `${key}_unscored` : key);

const nativeNumber = (number) => language === "en" ? number : number.replace(/%/g, " %").replace(/\./g, "¤").replace(/,/g, "\u202f").replace(/¤/g, ",");

/** The warehouse's English texts (segments, actions, reasons) in the language of the page. */
function phrase(english) {
  if (!english) return "";
  if (!translations.has(english)) translations.set(english, translated(english));
  return translations.get(english);
}

function translated(english) {
  for (const { pattern, words, kinds } of phrases) {
    const found = english.match(pattern);
    if (found) return typeset(words).replace(/\{(\d)\}/g, (_, n) => (kinds[n - 1] === "¤" ? amount(found[n]) : kinds[n - 1] === "=" ? found[n] : /^[\d.,%]+$/.test(found[n]) ? nativeNumber(found[n]) : translated(found[n])));
  }
  return english;
}

/** "1234 EUR" or "1,234" as an amount of money; what has no currency is in that of the page. */
function amount(words) {
  const [, number, code] = words.match(/^([\d.,]+)(?: (.+))?$/);
  const value = +number.replaceAll(",", "");
  return formats.moneyIn(code ?? data.meta.currency, value % 1 ? { maximumFractionDigits: 2 } : {})(value);
}

/** What the page says in its language for each phrase of the warehouse. English ones are written anew for their amounts. */
const phrasesOf = (written) => written.filter(([english]) => language !== "en" || /\{[…¤]\}/.test(english)).map(([english, french]) => {
  let n = 0;
  return { pattern: asPattern(english), kinds: [...english.matchAll(/\{([…¤=]?)\}/g)].map(([, kind]) => kind), words: (language === "en" ? english : french).replace(/\{[…¤=]?\}/g, () => `{${++n}}`) };
});

/** "{} orders in {} days" as a pattern; a {} is a number, {¤} an amount of money, {…} a phrase or anything, {=} a name
 * of the shop's, which is in no language. */
function asPattern(english) {
  const escaped = english.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return new RegExp("^" + escaped.replace(/\{\}/g, "([\\d.,%-]+)").replace(/\{¤\}/g, "([\\d.,]+(?: [A-Z]{3})?)").replace(/\{[…=]\}/g, "(.+?)") + "$");
}

const formats = {};
function makeFormats() {
  const { currency } = data.meta; // as in the orders: a code, or "€"
  const locale = navigator.languages.find((tag) => tag.startsWith(language)) ?? language; // 30 Jun or Jun 30
  formats.count = new Intl.NumberFormat(locale).format;
  formats.moneyIn = (code, options) => {
    const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 0, ...options }).format;
    return /^[A-Z]{3}$/.test(code ?? "")
      ? new Intl.NumberFormat(locale, { style: "currency", currency: code, maximumFractionDigits: 0, ...options }).format
      : (amount) => (code ? `${number(amount)} ${code}` : number(amount));
  };
  formats.money = formats.moneyIn(currency);
  formats.exactly = formats.moneyIn(currency, { maximumFractionDigits: 2 });
  formats.share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }).format;
  const finer = { minimumFractionDigits: 1, maximumFractionDigits: 1, maximumSignificantDigits: 1, roundingPriority: "morePrecision" }; // 0.03 is not 0
  formats.rate = new Intl.NumberFormat(locale, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format;
  const signed = new Intl.NumberFormat(locale, { signDisplay: "exceptZero", ...finer }).format;
  formats.perHundred = (share) => signed(100 * share);
  formats.figure = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 }).format;
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  formats.day = (iso) => day.format(new Date(iso));
  const month = new Intl.DateTimeFormat(locale, { month: "short", year: "numeric", timeZone: "UTC" });
  formats.month = (iso) => month.format(new Date(iso));
  formats.cohort = (iso) => `${iso.slice(0, 4)} ${text("quarter", { n: (+iso.slice(5, 7) + 2) / 3 })}`;
}
