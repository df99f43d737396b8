const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
/* Any colour that a browser knows, as what it paints. */
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
function ground(element) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
  return layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 1]);
}
const linear = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
const luminance = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]);
function contrast(colour, below) {
  const [one, other] = [luminance(over(rgba(colour), below)), luminance(below)].sort((a, b) => b - a);
  return (one + .05) / (other + .05);
}
const faint = [];
let looked = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
  if (!text || !element.checkVisibility() || element.closest("script, style, .hidden")) continue;
  const style = getComputedStyle(element), size = parseFloat(style.fontSize);
  const needed = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700 ? 3 : 4.5;
  const found = contrast(element instanceof SVGElement ? style.fill : style.color, ground(element));
  looked++;
  if (found < needed) faint.push(`${found.toFixed(2)} for "${text.slice(0, 40)}" in ${element.tagName}.${element.getAttribute("class")}`);
}
for (const line of document.querySelectorAll(".series, .limit:not(text), .control, .track")) {
  if (!line.checkVisibility()) continue;
  const style = getComputedStyle(line);
  const colour = line instanceof SVGElement ? style.stroke : line.matches(".track") ? style.backgroundColor : style.borderTopColor;
  const found = contrast(colour, ground(line.parentElement));
  looked++;
  if (found < 3) faint.push(`${found.toFixed(2)} for ${line.tagName}.${line.getAttribute("class")}`);
}
return { looked, faint };
