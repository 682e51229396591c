// ---- The picture: what Graphviz laid out, with the texts, colours and widths of the present numbers.

const picture = byId("picture");
const svg = picture.querySelector("svg");
const boxes = nodes.map((_, i) => box(svg.querySelector(`#node${i + 1}`), i));
const arrows = edges.map((_, k) => svg.querySelector(`#edge${k + 1}`));

function box(group, i) { // its texts are the title, in pieces, then data, then grad, which a constant has not
  const texts = [...group.querySelectorAll("text")];
  const numbers = texts.splice(isVaried(i) ? -2 : -1);
  const { x, width } = group.querySelector("path").getBBox();
  for (const text of numbers) text.setAttribute("text-anchor", "middle");
  for (const text of numbers) text.setAttribute("x", x + width / 2);
  let at = x + (width - texts.reduce((sum, text) => sum + text.getComputedTextLength(), 0)) / 2;
  for (const text of texts) {
    text.setAttribute("x", at);
    at += text.getComputedTextLength();
  }
  group.setAttribute("role", "button");
  group.addEventListener("click", () => choose(i));
  return { group, numbers, room: width - 6 };
}

function write(text, content, room = Infinity) { // squeezed where the box has no room
  if (!text || text.textContent === content) return;
  text.textContent = content;
  text.removeAttribute("textLength");
  const isTooLong = content.length > 12 && text.getComputedTextLength() > room;
  if (isTooLong) text.setAttribute("textLength", room);
  text.setAttribute("lengthAdjust", "spacingAndGlyphs");
}

const signOf = (x) => (x > 0 ? "positive" : x < 0 ? "negative" : "zero");

function paint(lit) {
  nodes.forEach((node, i) => paintBox(node, i, i === lit));
  paintArrows(lit);
  if (lit !== undefined) reveal(boxes[lit].group);
  else boxes[0].group.setAttribute("tabindex", 0);
}

function paintBox(node, i, isLit) {
  const { group, numbers, room } = boxes[i];
  const known = [isComputed(i) ? `data ${short(data[i])}` : "", isReached(i) ? `grad ${short(adjoints[i])}` : ""];
  known.forEach((text, k) => write(numbers[k], text, room));
  numbers[1]?.setAttribute("class", signOf(adjoints[i]));
  group.setAttribute("class", `node ${node.kind}${isLit ? " lit" : ""}`);
  group.setAttribute("tabindex", isLit ? 0 : -1); // of all boxes one is a stop of the Tab key
  group.setAttribute("aria-label", [node.name, node.operation, ...known].filter(Boolean).join(", "));
  const digits = [isComputed(i) ? ` = ${exact(data[i])}` : "", isReached(i) ? `, gradient ${exact(adjoints[i])}` : ""];
  group.querySelector("title").textContent = node.name + digits.join("");
}

function paintArrows(lit) { // as in a drawing: the stronger the gradient that flows back, the thicker
  const flows = edges.map(({ consumer, position }) => adjoints[consumer] * partialsOf(consumer)[position]);
  const strongest = Math.max(...flows.filter((flow, k) => isVaried(edges[k].parent) && Number.isFinite(flow)).map(Math.abs));
  arrows.forEach((group, k) => {
    const { parent, consumer, position } = edges[k];
    const flow = isReached(parent) ? flows[k] : undefined;
    const isLit = chosen !== null ? [parent, consumer].includes(lit) : (step > results.length ? parent : consumer) === lit;
    const partial = isComputed(consumer) ? short(partialsOf(consumer)[position]) : "";
    const share = Number.isFinite(flow) ? Math.abs(flow) / strongest : 1;
    group.setAttribute("class", `edge ${flow === undefined ? "" : signOf(flow)}${isLit ? " lit" : ""}`);
    group.style.setProperty("--width", widths.thinnest + (flow ? widths.strongest * Math.sqrt(share) : 0));
    write(group.querySelector("text"), partial);
    const fraction = `d ${nodes[consumer].name} / d ${nodes[parent].name}`;
    group.querySelector("title").textContent = partial ? `${fraction} = ${partial}` : fraction;
  });
}

function reveal(element) { // scrolls the picture, never the page
  const [pane, box] = [picture, element].map((x) => x.getBoundingClientRect());
  const isInside = box.left > pane.left && box.right < pane.right && box.top > pane.top && box.bottom < pane.bottom;
  const left = box.left + box.width / 2 - pane.left - pane.width / 2;
  const top = box.top + box.height / 2 - pane.top - pane.height / 2;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (!isInside) picture.scrollBy({ left, top, behavior });
}

const natural = svg.viewBox.baseVal;
const fitting = () => Math.min(picture.clientWidth / natural.width, (innerHeight * 0.7) / natural.height);
let scale = 1;

function zoom(to) {
  scale = Math.min(Math.max(to, 0.1), 4);
  svg.setAttribute("width", natural.width * scale);
  svg.setAttribute("height", natural.height * scale);
}

// ---- Inputs: numbers that can be changed.

function parsed(text) { // undefined where it is no number; Number("") would be 0
  const plain = text.trim().toLowerCase().replace("\u2212", "-");
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain)) return Number(plain);
  return { inf: Infinity, "+inf": Infinity, "-inf": -Infinity, nan: NaN }[plain.replace("infinity", "inf")];
}

function row(i) {
  const field = html("input", { id: `input${i}`, type: "text", autocomplete: "off", spellcheck: false });
  field.disabled = Boolean(fixed);
  field.defaultValue = exact(data[i]);
  field.setAttribute("aria-describedby", "problem");
  field.addEventListener("change", () => change(field, i, parsed(field.value)));
  const label = html("label", { htmlFor: field.id, textContent: nodes[i].name });
  return html("tr", {}, html("th", { scope: "row" }, label), html("td", {}, field), html("td", { id: `gradient${i}` }));
}

function change(field, i, x) {
  complain(field, x === undefined);
  if (x === undefined) return;
  data[i] = x;
  compute();
  show(`${nodes[i].name} is ${short(x)}: ${nodes[output].name} is ${short(data[output])}.`);
}

function complain(field, isWrong) {
  field.setAttribute("aria-invalid", isWrong);
  const wrong = byId("inputs").querySelector("[aria-invalid=true]");
  const i = wrong?.id.replace("input", "");
  const kept = wrong && `is not a number: ${nodes[i].name} stays ${exact(data[i])}.`;
  byId("problem").textContent = wrong ? `\u201c${wrong.value}\u201d ${kept} Write it like 0.5, -2, 1e-3, inf or nan.` : "";
}

function reset() {
  for (const i of inputs) {
    byId(`input${i}`).value = byId(`input${i}`).defaultValue;
    complain(byId(`input${i}`), false);
    data[i] = Number(nodes[i].data);
  }
  compute();
  show();
}

// ---- What a hand can do.

function onKey(event) {
  const target = { ArrowRight: step + 1, ArrowLeft: step - 1, Home: 0, End: last, Escape: step }[event.key];
  if (target === undefined || event.target.matches("input") || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  goTo(target);
}

function onPictureKey(event) {
  const i = boxes.findIndex(({ group }) => group === document.activeElement);
  const next = { ArrowDown: i + 1, ArrowUp: i - 1, Enter: i, " ": i }[event.key];
  if (i < 0 || !boxes[next]) return;
  event.preventDefault();
  if (next === i) return choose(i);
  boxes[next].group.focus({ preventScroll: true });
  reveal(boxes[next].group);
}

const actions = {
  back: () => goTo(step - 1),
  next: () => goTo(step + 1),
  "to-inputs": () => goTo(0),
  "to-values": () => goTo(results.length),
  "to-gradients": () => goTo(last),
  smaller: () => zoom(scale / 1.25),
  larger: () => zoom(scale * 1.25),
  fit: () => zoom(fitting()),
};
for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
byId("slider").addEventListener("input", (event) => goTo(Number(event.target.value)));
byId("inputs").addEventListener("submit", (event) => event.preventDefault());
byId("inputs").addEventListener("reset", (event) => (event.preventDefault(), reset()));
document.addEventListener("keydown", onKey);
picture.addEventListener("keydown", onPictureKey);

document.title = document.querySelector("h1").textContent = `The derivatives of ${nodes[output].name}, step by step`;
byId("summary").remove();
byId("fixed").textContent = fixed && `${fixed}.`;
byId("fixed").hidden = !fixed;
byId("inputs").querySelector("[type=reset]").disabled = Boolean(fixed);
byId("rows").append(...inputs.map(row));
byId("slider").max = last;
byId("forward").style.flexGrow = results.length;
byId("backward").style.flexGrow = sweep.length;
for (const arrow of arrows) arrow.setAttribute("aria-hidden", true);
zoom(Math.min(Math.max(fitting(), 1), 1.6));
compute();
show();
