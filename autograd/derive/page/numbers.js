// The numbers of the page. The graph is data; RULES and FORMULAS, in the script above, are printed from the library's table, so
// no derivative stands here, only the sweep, which is the chain rule. Where an operation has no JavaScript form, `fixed` says so,
// and the data has the numbers of the recording.
"use strict";

const byId = (id) => document.getElementById(id);
const { nodes, sweep, widths, fixed } = JSON.parse(byId("program").textContent); // parents first in nodes, consumers in sweep
const edges = nodes.flatMap(({ parents }, consumer) => parents.map((parent, position) => ({ parent, consumer, position })));
const results = nodes.flatMap(({ operation }, i) => (operation ? [i] : []));
const inputs = nodes.flatMap(({ kind }, i) => (kind === "input" ? [i] : []));
const output = sweep[0];

// ---- The numbers: forward in the order of the nodes, then back over every edge, once.

const data = nodes.map((node) => Number(node.data));
let adjoints; // d output / d node, for each node
let terms; // for each node one term for each edge to a consumer; they sum to its adjoint

function compute() {
  if (!fixed) for (const i of results) data[i] = RULES[nodes[i].row].forward(...operands(i));
  adjoints = nodes.map(() => 0);
  terms = nodes.map(() => []);
  adjoints[output] = 1;
  const sent = nodes.map((_, i) => i === output); // whether anything was sent to a node: an arm that is not taken gets nothing
  for (const consumer of sweep) {
    const partials = partialsOf(consumer);
    for (let position = partials.length - 1; position >= 0; position--) { // the library's order, for sums are rounded
      const parent = nodes[consumer].parents[position];
      const takes = sent[consumer] && !(nodes[consumer].selects && partials[position] === 0);
      const contribution = takes ? adjoints[consumer] * partials[position] : 0;
      sent[parent] ||= takes;
      adjoints[parent] += contribution;
      terms[parent].push({ consumer, position, partial: partials[position], contribution, takes });
    }
  }
}

// A term of which nothing was sent, where that is not seen: its product is not 0, as inf times 0.
const isUnsent = ({ consumer, partial, takes }) => !takes && adjoints[consumer] * partial !== 0;
const operands = (i) => nodes[i].parents.map((parent) => data[parent]);
const ofRow = (rows, i) => (nodes[i].row ? rows[nodes[i].row].partials(data[i], ...operands(i)) : []);
const partialsOf = (i) => (fixed ? (nodes[i].partials ?? []).map(Number) : ofRow(RULES, i));
const formulasOf = (i) => (fixed ? nodes[i].formulas : ofRow(FORMULAS, i)); // the number of each partial's formula that holds here
const formulaOf = (i) => (fixed ? nodes[i].value : FORMULAS[nodes[i].row].value);

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
    byId(`gradient${i}`).title = isReached(i) ? exact(adjoints[i]) : "";
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
  const factors = one && (isUnsent(one) ? "nothing is sent, " : `${short(adjoints[one.consumer])} \u00b7 ${short(one.partial)} = `);
  const sum = more.length < 6 ? `${terms[i].map(({ contribution }) => short(contribution)).join(" + ")} = ` : "";
  const gradient = `the gradient of ${nodes[i].name} is ${!one ? "" : more.length ? sum : factors}${short(adjoints[i])}`;
  return `Backward, ${back} of ${sweep.length}: ${gradient}${more.length ? `, a sum over its ${more.length + 1} uses` : ""}.`;
}
