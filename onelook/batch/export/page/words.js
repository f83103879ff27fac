/** What the page says, in its two languages. `{name}` is replaced by a value. */

const WORDS = {
  en: {
    skip: "Skip to the pictures",
    language: "Language",
    filters: "Filters",
    path: "Path contains",
    status: "Status",
    category: "Category",
    confidence: "Least confidence up to",
    sort: "Order",
    reset: "Reset",
    save: "Save the paths as a list",
    pictures: "Pictures",
    none: "No picture matches these filters.",
    close: "Close",
    before: "Previous",
    after: "Next",
    any: "any",
    uncategorized: "no category",
    "status.ok": "ok",
    "status.needs_review": "to review",
    "status.failed": "failed",
    "status.todo": "to do",
    "sort.listed": "as listed",
    "sort.unsure": "least sure first",
    "sort.path": "path",
    count: "{shown} of {all} pictures",
    title: "{name}, version @{version}",
    about: "{model} · {failed} failed · {review} to review · {todo} to do",
    noThumbnail: "no thumbnail",
    model: "Model",
    duplicateOf: "Same bytes as",
    errors: "Errors",
    file: "File",
    original: "Open the picture",
    unknown: "unknown",
    nothing: "none",
  },
  zh: {
    skip: "跳到图片",
    language: "语言",
    filters: "筛选",
    path: "路径包含",
    status: "状态",
    category: "类别",
    confidence: "最低置信度不超过",
    sort: "排序",
    reset: "重置",
    save: "把路径存成列表",
    pictures: "图片",
    none: "没有符合条件的图片。",
    close: "关闭",
    before: "上一张",
    after: "下一张",
    any: "不限",
    uncategorized: "无类别",
    "status.ok": "正常",
    "status.needs_review": "待复核",
    "status.failed": "失败",
    "status.todo": "未处理",
    "sort.listed": "原顺序",
    "sort.unsure": "最没把握的在前",
    "sort.path": "路径",
    count: "{all} 张图片中的 {shown} 张",
    title: "{name}，版本 @{version}",
    about: "{model} · {failed} 失败 · {review} 待复核 · {todo} 未处理",
    noThumbnail: "没有缩略图",
    model: "模型",
    duplicateOf: "内容相同于",
    errors: "错误",
    file: "文件",
    original: "打开图片",
    unknown: "未知",
    nothing: "无",
  },
};
const LOCALES = { en: "en", zh: "zh-CN" };

let language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";

const say = (key, values = {}) =>
  WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

/** The label of a taxonomy entry in the page's language, if the taxonomy has it. */
const labelOf = (entry) => entry.label[language] ?? Object.values(entry.label)[0] ?? entry.id;

const number = (value) => value.toLocaleString(LOCALES[language]);

/** 99.96 % is not 100 %. */
function percent(value) {
  if (value === null) return "";
  const digits = value > 0.995 && value < 1 ? 1 : 0;
  const shown = digits ? Math.floor(value * 1000) / 10 : Math.round(value * 100);
  return `${shown.toLocaleString(LOCALES[language], { minimumFractionDigits: digits })}%`;
}

function sayAll() {
  document.documentElement.lang = LOCALES[language];
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.dataset.say);
  for (const place of document.querySelectorAll("[data-say-label]"))
    place.setAttribute("aria-label", say(place.dataset.sayLabel));
  for (const button of document.querySelectorAll("[data-language]"))
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
}
