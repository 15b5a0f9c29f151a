// What can be checked of accessibility by a program: contrast, names, order of headings, sizes of targets. Returns what is wrong.
const wrong = [];
const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && element.getClientRects().length > 0;
const label = (element) => `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""}.${element.getAttribute("class") ?? ""} "${element.textContent.trim().slice(0, 40)}"`;

// Colours, whatever space they are written in, as the screen has them.
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
function ground(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, layer) => over(layer, below), rgba("Canvas").slice(0, 3));
}
function luminance(colour) {
  const [r, g, b] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

let texts = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.textContent.trim() || !shown(element) || ["SCRIPT", "STYLE", "OPTION", "NOSCRIPT"].includes(element.tagName)) continue;
  if (getComputedStyle(element).opacity === "0" || element.closest(".skip")) continue;
  texts += 1;
  const style = getComputedStyle(element);
  const below = ground(element);
  const colour = element instanceof SVGElement ? style.fill : style.color;
  const ratio = contrast(over(rgba(colour), below), below);
  if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)}: ${label(element)}`);
}
if (texts < 50) wrong.push(`only ${texts} texts were looked at`);

// Edges of what can be used, and lines of graphs: 3 to 1.
for (const element of document.querySelectorAll("button:not(.link):not(th button), select, input[type=search]")) {
  if (!shown(element)) continue;
  const ratio = contrast(over(rgba(getComputedStyle(element).borderTopColor), ground(element.parentElement)), ground(element.parentElement));
  if (ratio < 3) wrong.push(`edge ${ratio.toFixed(2)}: ${label(element)}`);
}
for (const line of document.querySelectorAll("path.line")) {
  const ratio = contrast(over(rgba(getComputedStyle(line).stroke), ground(line.closest(".panel"))), ground(line.closest(".panel")));
  if (ratio < 3) wrong.push(`line ${ratio.toFixed(2)}: ${label(line)}`);
}

// Everything that can be reached has a name.
const named = (element) => element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.[0]?.textContent.trim() || element.title;
for (const element of document.querySelectorAll("a[href], button, select, input, [tabindex], svg[role=img], dialog, section, table, nav")) {
  const by = element.getAttribute("aria-labelledby");
  if (by ? !document.getElementById(by) : !named(element)) wrong.push(`no name: ${label(element)}`);
}
for (const svg of document.querySelectorAll("svg")) {
  if (svg.getAttribute("role") !== "img" && svg.getAttribute("aria-hidden") !== "true") wrong.push(`neither picture nor ornament: ${label(svg)}`);
}
for (const element of document.querySelectorAll("[tabindex]")) if (Number(element.getAttribute("tabindex")) > 0) wrong.push(`tabindex above 0: ${label(element)}`);

// One title, no level left out, one main part, no id twice, a language.
const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter((element) => !element.closest("dialog")).map(({ tagName }) => Number(tagName[1]));
if (levels.filter((level) => level === 1).length !== 1) wrong.push("not one h1");
levels.forEach((level, at) => { if (at && level > levels[at - 1] + 1) wrong.push(`a level of headings is left out at ${at}`); });
if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
if (!document.documentElement.lang) wrong.push("no language");
const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) wrong.push(`id twice: ${id}`);
for (const head of document.querySelectorAll("th")) if (head.scope !== "col") wrong.push(`th without scope: ${label(head)}`);
for (const list of document.querySelectorAll("ul")) if ([...list.children].some(({ tagName }) => tagName !== "LI")) wrong.push(`ul with something else: ${label(list)}`);

// Targets of at least 24 pixels, unless they stand in a line of text.
for (const element of document.querySelectorAll("button, select, input, nav a")) {
  if (!shown(element)) continue;
  const box = element.getBoundingClientRect();
  if (box.height < 19 || (box.height < 24 && !element.matches("nav a, .link"))) wrong.push(`low target ${box.height.toFixed(0)}: ${label(element)}`);
}
return wrong;
