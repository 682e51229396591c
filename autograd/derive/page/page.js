// The page of a derivation. The graph is data; RULES and FORMULAS, in the script above, are printed from the library's table,
// so no derivative is written here. What is written here: the sweep, which is the chain rule, and what shows it.
"use strict";

const byId = (id) => document.getElementById(id);
const { nodes, sweep } = JSON.parse(byId("program").textContent); // parents come first in nodes, consumers first in sweep
const edges = nodes.flatMap(({ parents }, consumer) => parents.map((parent, position) => ({ parent, consumer, position })));
const results = nodes.flatMap(({ operation }, i) => (operation ? [i] : []));
const inputs = nodes.flatMap(({ kind }, i) => (kind === "input" ? [i] : []));
const output = sweep[0];

// ---- The numbers: forward in the order of the nodes, then back over every edge, once.

const data = nodes.map((node) => Number(node.data));
let adjoints; // d output / d node, for each node
let terms; // for each node one term for each edge to a consumer; they sum to its adjoint

function compute() {
  for (const i of results) data[i] = RULES[nodes[i].operation].forward(...operands(i));
  adjoints = nodes.map(() => 0);
  terms = nodes.map(() => []);
  adjoints[output] = 1;
  for (const consumer of sweep) {
    const partials = partialsOf(consumer);
    for (let position = partials.length - 1; position >= 0; position--) { // the library's order, for sums are rounded
      const parent = nodes[consumer].parents[position];
      const contribution = adjoints[consumer] * partials[position];
      adjoints[parent] += contribution;
      terms[parent].push({ consumer, position, partial: partials[position], contribution });
    }
  }
}

const operands = (i) => nodes[i].parents.map((parent) => data[parent]);
const ofRow = (rows, i) => (nodes[i].operation ? rows[nodes[i].operation].partials(data[i], ...operands(i)) : []);
const partialsOf = (i) => ofRow(RULES, i);
const formulasOf = (i) => ofRow(FORMULAS, i); // of each partial: the number of the formula that holds at these operands

// ---- Steps: the first ones compute one result each, in the others the sweep reaches one node each.

const last = results.length + sweep.length;
const computedAt = nodes.map((_, i) => results.indexOf(i) + 1);
const reachedAt = nodes.map((_, i) => (sweep.includes(i) ? results.length + sweep.indexOf(i) + 1 : Infinity));
const isVaried = (i) => reachedAt[i] <= last; // constants, and what does not depend on what is varied, get no gradient
const isComputed = (i) => computedAt[i] <= step;
const isReached = (i) => reachedAt[i] <= step;
const active = () => (step <= results.length ? results[step - 1] : sweep[step - results.length - 1]);

let step = results.length; // the page opens where the sweep begins
let chosen = null; // the node whose story was asked for

function goTo(target) {
  step = Math.min(Math.max(target, 0), last);
  chosen = null;
  show();
}

function choose(i) {
  chosen = i;
  show();
}

function show(news = status()) {
  const lit = chosen ?? active();
  byId("slider").value = step;
  byId("slider").setAttribute("aria-valuetext", `${step} of ${last}`);
  byId("back").setAttribute("aria-disabled", step === 0);
  byId("next").setAttribute("aria-disabled", step === last);
  byId("status").textContent = news;
  byId("story").replaceChildren(...(lit === undefined ? [] : story(lit)));
  for (const i of inputs) {
    byId(`gradient${i}`).textContent = isReached(i) ? short(adjoints[i]) : "";
    byId(`gradient${i}`).title = isReached(i) ? written(adjoints[i]) : "";
  }
  paint(lit);
}

function status() {
  const [back, i] = [step - results.length, active()];
  if (chosen !== null) return `The story of ${nodes[chosen].name}; Next and Back go on with the steps.`;
  if (step === 0 && back < 0) return "The inputs are given. Next: the first result.";
  if (back < 0) return `Forward, ${step} of ${results.length}: ${nodes[i].name} is ${short(data[i])}.`;
  if (back === 0) return `All values are computed: ${nodes[output].name} is ${short(data[output])}. Next: the sweep back.`;
  const [one, ...more] = terms[i];
  const factors = one && `${short(adjoints[one.consumer])} \u00b7 ${short(one.partial)} = `;
  const sum = more.length < 6 ? `${terms[i].map(({ contribution }) => short(contribution)).join(" + ")} = ` : "";
  const gradient = `the gradient of ${nodes[i].name} is ${!one ? "" : more.length ? sum : factors}${short(adjoints[i])}`;
  return `Backward, ${back} of ${sweep.length}: ${gradient}${more.length ? `, a sum over its ${more.length + 1} uses` : ""}.`;
}

// ---- Formulas: MathML. Every text goes in as text.

const into = (element, children) => (element.append(...children), element);
const html = (tag, attributes, ...children) => into(Object.assign(document.createElement(tag), attributes), children);
const math = (tag, ...children) => into(document.createElementNS("http://www.w3.org/1998/Math/MathML", tag), children);
const mo = (text) => math("mo", text);
const enclosed = (...children) => math("mrow", mo("("), ...children, mo(")"));
const template = (id) => byId(id)?.content.firstElementChild.cloneNode(true).childNodes;
const times = () => mo("\u00b7");

function short(x) { // four digits; a whole number below a million has all of its own
  const size = Math.abs(x);
  const isPlain = (size >= 1e-4 && size < 1e4) || !Number.isFinite(x);
  const isWhole = Number.isInteger(x) && size < 1e6;
  const text = isWhole ? String(x) : isPlain ? String(Number(x.toPrecision(4))) : x.toExponential(3);
  return text.replace(/\.?0+e/, "e").replace("Infinity", "inf").replace("NaN", "nan").replaceAll("-", "\u2212");
}

const written = (x) => (Object.is(x, -0) ? "-0" : String(x).replace("Infinity", "inf").replace("NaN", "nan")); // all digits

function number(x) {
  const [digits, exponent] = short(x).split("e");
  const power = () => [times(), math("msup", math("mn", "10"), math("mn", exponent.replace("+", "")))];
  return math("mrow", math("mn", digits), ...(exponent ? power() : []));
}

const value = (i) => number(data[i]);
const typeset = (i) => template(`name${i}`) ?? [math("mi", nodes[i].name)];
const name = (i) => (nodes[i].kind === "constant" ? value(i) : math("mrow", ...typeset(i)));
const isTwice = (consumer) => nodes[consumer].parents[0] === nodes[consumer].parents[1];
const side = (position) => (position ? "right" : "left");

function derivative(of, by, position) { // d of / d by; where by is both operands, with the one that is meant
  const fraction = math("mfrac", math("mrow", mo("\u2202"), name(of)), math("mrow", mo("\u2202"), name(by)));
  return position !== undefined && isTwice(of) ? math("msub", enclosed(fraction), math("mtext", side(position))) : fraction;
}

// Formula `id` for node i: `put` gives what stands for its operands, u and v, and for itself, w: names, or numbers.
function formula(id, i, put) {
  const filled = math("mrow", ...template(`formula${id}`));
  const meant = { u: nodes[i].parents[0], v: nodes[i].parents[1], w: i };
  for (const hole of filled.querySelectorAll("[class]")) {
    const filling = put(meant[hole.className]);
    hole.replaceWith(isClear(filling, hole) ? filling : enclosed(filling));
  }
  return filled;
}

function isClear(filling, hole) { // without parentheses: not where a sign would follow an operator, or a power have a power
  const [before, around] = [hole.previousElementSibling, hole.parentElement.localName];
  const isSimple = !/[\u2212\u00b7]/.test(filling.textContent) && !filling.querySelector("msup, msubsup");
  if (around === "msup" && !before) return isSimple;
  return !filling.textContent.startsWith("\u2212") || around !== "mrow" || !before || "([|".includes(before.textContent);
}

function product(upstream, id, i, put) {
  const partial = formula(id, i, put);
  const isExposed = byId(`formula${id}`).className === "sum" || partial.textContent.startsWith("\u2212");
  return [upstream, times(), isExposed ? enclosed(partial) : partial];
}

function equation(...sides) { // left = right = right; a line may break before each sign, and what comes twice is left out
  const pieces = sides.map((side, k) => math("math", ...(k ? [mo("=")] : []), ...side));
  const kept = pieces.filter((piece, k) => k < 2 || piece.textContent !== pieces[k - 1].textContent);
  for (const piece of kept) {
    piece.setAttribute("displaystyle", "true");
    for (const sign of piece.querySelectorAll("mo")) {
      if (sign.textContent === "=") sign.setAttribute("form", "infix"); // also at the beginning of a line
      if ("()[]|".includes(sign.textContent)) sign.setAttribute("stretchy", sign.parentElement.querySelector("mfrac") !== null);
    }
  }
  return html("p", { className: "equation" }, ...kept);
}

// ---- The story of a node: what it is, where its gradient comes from, what it hands on.

const title = (textContent) => html("h3", { textContent });
const visit = (i) => (choose(i), byId("story").focus());
const link = (i) => html("button", { type: "button", textContent: nodes[i].name, onclick: () => visit(i) });

function story(i) {
  const { kind, operation } = nodes[i];
  const kinds = { input: "An input.", constant: "A constant.", given: "Given: it does not depend on what is varied." };
  const sides = operation ? [name, value].map((put) => [formula(FORMULAS[operation].value, i, put)]) : [];
  return [
    html("h2", { textContent: nodes[i].name }),
    html("p", { textContent: kinds[kind] ?? `The result of ${operation}.` }),
    ...(kind === "constant" ? [] : [equation([name(i)], ...sides, [value(i)])]),
    ...(isVaried(i) && (isReached(i) || chosen !== null) ? [title("Its gradient"), ...gradient(i)] : []),
    ...(operation ? partials(i) : []),
  ];
}

function gradient(i) {
  const whole = () => [derivative(output, i)];
  if (i === output) return [equation(whole(), [number(1)]), html("p", { textContent: "Here the sweep starts." })];
  if (!terms[i].length) return [html("p", { textContent: `It is 0: ${nodes[output].name} does not depend on it.` })];
  const chains = terms[i].map((term) => chain(i, term));
  if (chains.length === 1) return [equation(whole(), ...chains[0])];
  const sum = (parts) => parts.flatMap((part, k) => (k ? [mo("+"), ...part] : part));
  const shares = terms[i].map(({ contribution: x }) => [x < 0 ? enclosed(number(x)) : number(x)]);
  return [
    html("p", { textContent: `It is used ${chains.length} times, so its gradient is a sum, with a term for each use.` }),
    ...(chains.length < 5 ? [equation(whole(), sum(terms[i].map((term) => chain(i, term)[0])))] : []),
    html("ol", {}, ...chains.map((sides, k) => html("li", {}, ...use(terms[i][k]), equation(...sides)))),
    equation(whole(), ...(chains.length < 9 ? [sum(shares)] : []), [number(adjoints[i])]),
  ];
}

function chain(i, { consumer, position, contribution }) { // one term: the chain rule, the row's formula, numbers, what it is
  const id = formulasOf(consumer)[position];
  return [
    [derivative(output, consumer), times(), derivative(consumer, i, position)],
    product(derivative(output, consumer), id, consumer, name),
    product(number(adjoints[consumer]), id, consumer, value),
    [number(contribution)],
  ];
}

const which = (consumer, position) => (isTwice(consumer) ? `, as its ${side(position)} operand` : "");
const use = ({ consumer, position }) => ["through ", link(consumer), which(consumer, position)];

function partials(i) {
  const items = nodes[i].parents.flatMap((parent, position) => {
    if (!isVaried(parent)) return [];
    const sides = [name, value].map((put) => [formula(formulasOf(i)[position], i, put)]);
    return html("li", {}, equation([derivative(i, parent, position)], ...sides, [number(partialsOf(i)[position])]));
  });
  return items.length ? [title("Its local derivatives"), html("ul", {}, ...items)] : [];
}

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
  const digits = [isComputed(i) ? ` = ${written(data[i])}` : "", isReached(i) ? `, gradient ${written(adjoints[i])}` : ""];
  group.querySelector("title").textContent = node.name + digits.join("");
}

function paintArrows(lit) { // as in a drawing: the stronger what flows back, the thicker; the strongest is 4 wide
  const flows = edges.map(({ consumer, position }) => adjoints[consumer] * partialsOf(consumer)[position]);
  const strongest = Math.max(...flows.filter((flow, k) => isVaried(edges[k].parent) && Number.isFinite(flow)).map(Math.abs));
  arrows.forEach((group, k) => {
    const { parent, consumer, position } = edges[k];
    const flow = isReached(parent) ? flows[k] : undefined;
    const isLit = chosen !== null ? [parent, consumer].includes(lit) : (step > results.length ? parent : consumer) === lit;
    const partial = isComputed(consumer) ? short(partialsOf(consumer)[position]) : "";
    const share = Number.isFinite(flow) ? Math.abs(flow) / strongest : 1;
    group.setAttribute("class", `edge ${flow === undefined ? "" : signOf(flow)}${isLit ? " lit" : ""}`);
    group.style.setProperty("--width", flow ? 1 + 3 * Math.sqrt(share) : 1);
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
  field.defaultValue = written(data[i]);
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
  const kept = wrong && `is not a number: ${nodes[i].name} stays ${written(data[i])}.`;
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
byId("rows").append(...inputs.map(row));
byId("slider").max = last;
byId("forward").style.flexGrow = results.length;
byId("backward").style.flexGrow = sweep.length;
for (const arrow of arrows) arrow.setAttribute("aria-hidden", true);
zoom(Math.min(Math.max(fitting(), 1), 1.6));
compute();
show();
