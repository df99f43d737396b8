const faults = [], width = document.documentElement.clientWidth;
const name = element => `${element.tagName.toLowerCase()}#${element.id}.${element.getAttribute("class") ?? ""} "${element.textContent.trim().slice(0, 30)}"`;
const visible = element => element.checkVisibility() && !element.closest(".hidden, .skip, .dense .word") && element.getClientRects().length > 0;
if (document.documentElement.scrollWidth > innerWidth) faults.push(`the page is ${document.documentElement.scrollWidth} wide, of ${innerWidth}`);
for (const element of document.body.querySelectorAll("*")) {
  if (!visible(element) || element.closest("pre")) continue;
  const box = element.getBoundingClientRect();
  const isShape = element instanceof SVGElement && !(element instanceof SVGTextElement);
  if (!isShape && (box.right > width + .5 || box.left < -.5)) faults.push(`${name(element)} sticks out: ${box.left} to ${box.right}`);
  if (element instanceof HTMLElement && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline") faults.push(`${name(element)} is cut short: ${element.scrollWidth} in ${element.clientWidth}`);
}
const groups = ["header > *", ".brand > *", ".controls > *", "main > *", ".tile", ".tile > *", ".chart", ".chart > *", ".legend li", ".worker", ".worker > *", ".worker .row > *", ".worker .now > *", ".pair > *", ".stall", ".stall .what > *", "footer > *", "#totals tr"];
for (const group of groups) {
  const parents = new Map();
  for (const element of document.querySelectorAll(group)) if (visible(element)) parents.set(element.parentElement, [...parents.get(element.parentElement) ?? [], element]);
  for (const siblings of parents.values()) overlap(siblings);
}
for (const plot of document.querySelectorAll(".plot svg")) overlap([...plot.querySelectorAll("text")]);
function overlap(elements) {
  const boxes = elements.map(element => [element, element.getBoundingClientRect()]);
  boxes.forEach(([one, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5) faults.push(`${name(one)} and ${name(other)} overlap`);
  }));
}
return faults.slice(0, 8);
