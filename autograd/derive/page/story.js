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

const exact = (x) => (Object.is(x, -0) ? "-0" : String(x).replace("Infinity", "inf").replace("NaN", "nan")); // all digits

function number(x) {
  const [digits, exponent] = short(x).split("e");
  const power = () => [times(), math("msup", math("mn", "10"), math("mn", exponent.replace("+", "")))];
  return math("mrow", math("mn", digits), ...(exponent ? power() : []));
}

const value = (i) => number(data[i]);
const typeset = (i) => template(`name${i}`) ?? [math("mi", nodes[i].name)];
const name = (i) => (nodes[i].kind === "constant" ? value(i) : math("mrow", ...typeset(i)));
const isTwice = (of, by) => nodes[of].parents.filter((parent) => parent === by).length > 1;
const ordinals = (of) => (nodes[of].parents.length === 2 ? ["left", "right"] : ["first", "second", "third"]);
const side = (of, position) => ordinals(of)[position] ?? `${position + 1}th`;

function derivative(of, by, position) { // d of / d by; where several operands are by, with the one that is meant
  const fraction = math("mfrac", math("mrow", mo("\u2202"), name(of)), math("mrow", mo("\u2202"), name(by)));
  return position !== undefined && isTwice(of, by) ? math("msub", enclosed(fraction), math("mtext", side(of, position))) : fraction;
}

// Formula `id` for node i: `put` gives what is put into the holes, for its operands and for itself: names, or numbers.
function formula(id, i, put) {
  const filled = math("mrow", ...template(`formula${id}`));
  for (const hole of filled.querySelectorAll("[class]")) {
    const filling = put(hole.className === "out" ? i : nodes[i].parents[hole.className]);
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
  const sides = operation ? [name, value].map((put) => [formula(formulaOf(i), i, put)]) : [];
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
  if (chains.length === 1) return [equation(whole(), ...chains[0]), ...unsent(terms[i][0])];
  const sum = (parts) => parts.flatMap((part, k) => (k ? [mo("+"), ...part] : part));
  const shares = terms[i].map(({ contribution: x }) => [x < 0 ? enclosed(number(x)) : number(x)]);
  return [
    html("p", { textContent: `It is used ${chains.length} times, so its gradient is a sum, with a term for each use.` }),
    ...(chains.length < 5 ? [equation(whole(), sum(terms[i].map((term) => chain(i, term)[0])))] : []),
    html("ol", {}, ...chains.map((sides, k) => html("li", {}, ...use(i, terms[i][k]), equation(...sides), ...unsent(terms[i][k])))),
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

const which = (of, by, position) => (isTwice(of, by) ? `, as its ${side(of, position)} operand` : "");
const unsent = (term) => (isUnsent(term) ? [html("p", { textContent: "Nothing is sent, for another arm was taken." })] : []);
const use = (i, { consumer, position }) => ["through ", link(consumer), which(consumer, i, position)];

function partials(i) {
  const items = nodes[i].parents.flatMap((parent, position) => {
    if (!isVaried(parent)) return [];
    const sides = [name, value].map((put) => [formula(formulasOf(i)[position], i, put)]);
    return html("li", {}, equation([derivative(i, parent, position)], ...sides, [number(partialsOf(i)[position])]));
  });
  return items.length ? [title("Its local derivatives"), html("ul", {}, ...items)] : [];
}
