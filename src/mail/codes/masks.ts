/**
 * What is written in digits and is no code, whatever stands around it.
 *
 * Each pattern is bounded, so that a line is gone through in linear time. What only might be something else (a year, a
 * postal code, a number of ten digits) is left to `judge.ts`, which knows the words around it.
 */

const MONTHS =
  'jan(?:uary|uar|vier)?|j[aä]nner|feb(?:ruary|ruar)?|f[ée]v(?:rier)?|mar(?:ch|s|zo)?|märz|apr(?:il)?|avr(?:il)?|abr(?:il)?|' +
  'may|mai|mayo|june?|juni|juin|junio|july?|juli|juil(?:let)?|julio|aug(?:ust)?|ao[uû]t|ago(?:sto)?|sept?(?:ember|embre|iembre)?|' +
  'o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre|iembre)?|de[cz](?:ember)?|d[ée]c(?:embre)?|dic(?:iembre)?|ene(?:ro)?|febrero';
const AMOUNT = "\\d{1,9}(?:[.,'’ ]\\d{3}){0,4}(?:[.,]\\d{1,2})?";
const CURRENCY =
  '[$€£¥₹₩￥₽]|\\b(?:USD|EUR|GBP|CHF|JPY|CNY|RMB|CAD|AUD|MXN|ARS|COP|INR|HKD|NT\\$|US\\$|R\\$|Rs\\.?|Fr\\.)';
const UNITS =
  'km|kg|mg|ml|cm|mm|mi|lbs?|oz|gb|mb|kb|tb|gib|mib|kwh|kw|px|dpi|fps|mbit|hz|mhz|ghz|' +
  'sec(?:onds?|s)?|min(?:utes?|s|uten|utos)?|hours?|hrs?|days?|weeks?|months?|years?|times?|people|users?|points?|pts|miles|items?|pieces?|' +
  'characters?|employees|customers|stunden?|tagen?|tage|wochen|monaten?|jahren?|jahre|uhr|punkten?|punkte|personen|kunden|stück|' +
  'heures?|jours?|semaines?|mois|ans|années|clients|personnes|horas?|días|semanas|meses|años|puntos|personas|clientes|kunden';
const CJK_UNITS =
  '[年月日号號时時点點分秒人个個件枚円元圆圓块塊万萬亿億千百楼樓階层層室条條名様台冊本回度位步步]|小时|小時|分钟|分鐘|丁目|番地|ポイント|ページ|積分|积分|歳|岁';

/** All of them; each match is blotted out. Order matters: the wider ones first. */
// biome-ignore format: one row a line
const MASKS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['address of the web',      /\b(?:https?|ftp|mailto|tel|sms|otpauth):[^\s<>"\u3000-\u9fff\uff00-\uffef]+/gi],
  ['www address',             /\bwww\.[^\s<>"\u3000-\u9fff\uff00-\uffef]+/gi],
  ['mail address',            /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}/g],
  ['domain with a path',      /(?<![\w.-])(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,12}\/[^\s<>"\u3000-\u9fff]*/gi],
  ['UUID',                    /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi],
  ['colour, number, tag',     /[#№][\w-]+/g],
  ['person',                  /(?<!\w)@\w+/g],
  ['file',                    /\b[\w-]{1,80}\.(?:pdf|jpe?g|png|gif|zip|docx?|xlsx?|csv|txt|ics|html?|mp[34]|eml)\b/gi],
  ['card or account',         /(?:[•●]{2}|(?<![a-z])x{2,16}|\*{3}|\.{3}|…)[ -]?\d{3,4}(?![\d*])/gi],
  ['copyright',               /(?:©|\(c\)|copyright)\s{0,3}(?:\d{4}\s?[-–]\s?)?\d{4}/gi],
  ['date, year first',        /(?<!\d)(?:19|20)\d{2}([-/.])\d{1,2}\1\d{1,2}(?!\d)/g],
  ['date',                    /(?<!\d)(?:0?[1-9]|[12]\d|3[01])([-/.])\s?(?:0?[1-9]|[12]\d|3[01])\1\s?(?:\d{4}|\d{2})(?!\d)/g],
  ['date, day and month',     new RegExp(`(?<!\\w)\\d{1,2}(?:st|nd|rd|th|er|\\.|º)?[ -](?:de )?(?:${MONTHS})(?![a-zä-ü])\\.?,?(?:[ -](?:del? )?(?:19|20)\\d{2}(?!\\d))?`, 'gi')],
  ['date, month and day',     new RegExp(`\\b(?:${MONTHS})\\.? \\d{1,2}(?!\\d)(?:st|nd|rd|th)?(?:,? (?:19|20)\\d{2}(?!\\d))?`, 'gi')],
  ['month and year',          new RegExp(`\\b(?:${MONTHS})\\.?,? (?:del? )?(?:19|20)\\d{2}(?!\\d)`, 'gi')],
  ['date in Chinese',         /(?<!\d)\d{2,4}\s?年(?:\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?[日号號])?)?|\d{1,2}\s?月\s?\d{1,2}\s?[日号號]/g],
  ['years',                   /(?<!\d)(?:19|20)\d{2}\s?[-–/]\s?(?:19|20)?\d{2}(?!\d)/g],
  ['time',                    /(?<![\d:])\d{1,2}(?::\d{2}){1,2}(?!\d)|(?<!\w)\d{1,2}h\d{2}(?!\w)/gi],
  ['zone',                    /\b(?:GMT|UTC)\s?[+-]\s?\d{1,2}(?::?\d{2})?/g],
  ['price',                   new RegExp(`(?:${CURRENCY})\\s?${AMOUNT}(?!\\d)`, 'gi')],
  ['price, currency behind',  new RegExp(`(?<!\\d)${AMOUNT}\\s?(?:[€$£¥₹₩円元圆圓₽]|(?:USD|EUR|GBP|CHF|JPY|CNY|RMB|CAD|AUD|MXN|euros?|dollars?|pesos|yen|pounds|francs?|franken)\\b)`, 'gi')],
  ['postal code',             /〒\s?\d{3}-?\d{4}|, ?[A-Z]{2},? {1,2}\d{5}(?:-\d{4})?(?!\d)|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b|\b[A-Z]{1,2}-\d{4,5} (?=[A-ZÄÖÜ])/g],
  ['telephone',               /\+\s?\d[\d\s().\-/]{5,20}\d/g],
  ['telephone, area apart',   /\(\d{2,5}\)[\s-]?\d[\d\s-]{3,12}\d/g],
  ['telephone, trunk zero',   /(?<![\d-])0\d{1,4}[\s./-]\d{1,8}(?:[\s.-]\d{2,4}){1,4}(?!\d)|(?<![\d-])0\d{1,4}[\s/-]\d{5,8}(?!\d)/g],
  ['telephone, 3-3-4',        /(?<![\d-])(?:1[\s.-])?\d{3}[\s.-]\d{3}[\s.-]\d{4}(?![\d-])/g],
  ['telephone, free',         /(?<![\d-])[48]00[\s-]\d{3,4}[\s-]\d{3,4}(?!\d)|(?<![\d-])[689]\d{2}(?: \d{2}){3}(?!\d)/g],
  ['card or account number',  /(?<![\d-])\d{4}(?:[ -]\d{4}){2,5}(?!\d)|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b/g],
  ['per cent',                /(?<!\d)\d{1,9}(?:[.,]\d{1,9})?\s?[%‰]/g],
  ['version, decimal',        /(?<![\w.])v?\d+(?:\.\d+){1,6}(?![\w])/gi],
  ['number with thousands',   /(?<!\d)\d{1,3}(?:[,'’]\d{3}){1,4}(?!\d)|(?<!\d)\d{1,9},\d{1,9}(?!\d)/g],
  ['quantity',                new RegExp(`(?<![\\d-])\\d+\\s?(?:${UNITS})(?![a-zä-ü])`, 'gi')],
  ['quantity in Chinese',     new RegExp(`(?<!\\d)\\d+\\s?(?:${CJK_UNITS})`, 'g')],
  ['ordinal',                 /\b\d+(?:st|nd|rd|th|ème|er)\b/gi],
];

/** Stands for what is blotted out. */
export const BLOT = '\u0000';

/** Blots out what is no code; every character keeps its place. Takes text with ASCII digits (`narrow`). */
export function maskOthers(text: string): string {
  let masked = text;
  for (const [, pattern] of MASKS) masked = masked.replace(pattern, blot);
  return masked;
}

function blot(match: string): string {
  return BLOT.repeat(match.length);
}
