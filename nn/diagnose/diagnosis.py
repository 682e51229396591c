"""The course of a diagnosis: choose the reading, search for the mistakes, say what was found."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from time import perf_counter
from typing import Any

import numpy as np

from nn.arrays import Array
from nn.diagnose.explanations import DEPTH, Cause, State
from nn.diagnose.gradients import CLOSE, Seen, called, read
from nn.diagnose.messages import message, renamed
from nn.diagnose.mistakes import MISTAKES
from nn.diagnose.penalties import penalties, penalty_causes, usual, without
from nn.diagnose.problem import AUTO, Given, Problem, listed
from nn.diagnose.readings import Evidence, choose, fitted, names_of
from nn.diagnose.report import Finding, Report
from nn.diagnose.search import Search
from nn.diagnose.source import RIGHT, Mended, mended
from nn.diagnose.vocabulary import words_at
from nn.diagnose.watch import Line, code_of, watched

PATIENCE, ENOUGH = 0.8, 2.2  # readings are searched for so many seconds, or until an explanation costs no more
ARGUMENTS = ("activations", "loss", "reduction", "samples", "weights", "penalty")


class Diagnosis:
    """One call of `diagnose`."""

    def __init__(self, given: Given, backward: Any) -> None:
        self.given, self.backward = given, backward
        self.evidence: dict[Any, Any] = {}  # by orientation
        self.every = list(given.readings())

    def report(self) -> Report:
        """The diagnosis."""
        names = names_of(self.every[0])
        chosen = choose(self.given, self.backward, self.evidence, self.every)
        if isinstance(chosen, str):
            return Report((), (), (), names, (chosen,))
        problem, found = chosen.readings[0]
        if chosen.right:
            return self.of_right(problem, found, names)
        if not found.seen:
            return Report((), (), names, names, tuple(found.notes))
        if not any(any(reading.any() for reading in s.readings) for s in found.seen.values()):
            nothing = f"Every gradient is zero: {listed(tuple(found.seen))}. Nothing has been computed yet."
            right = tuple(name for name in found.seen if Search(problem, found.X, found.Y, found.seen).right(name))
            wrong = tuple(name for name in names if name not in right)
            return Report((), right, wrong, wrong, (*found.notes, nothing)) if wrong else Report((), right, (), (), ())
        return self.of_wrong(chosen.readings, names)

    def of_right(self, problem: Problem, found: Evidence, names: Sequence[str]) -> Report:
        """All numbers are right; a shape may still be a hazard."""
        hazards = [*kept(found), *(f for name in names if (f := hazard(found.seen[name], problem)))]
        wrong = tuple(f.gradient for f in hazards if f.layer)
        right = tuple(name for name in names if name not in wrong)
        return Report(tuple(hazards), right, wrong, (), (), self.read_as(problem), tuple(self.under_squared_error(problem)))

    def read_as(self, problem: Problem) -> str:
        """The conventions that were left out, as arguments."""
        said = problem.conventions
        left = [name for name in ARGUMENTS if name in said and self.given.stated[name] in (AUTO, None)]
        return ", ".join(f"{name}={said[name]!r}" for name in left)

    def under_squared_error(self, problem: Problem) -> list[str]:
        """What a pass that is right under cross-entropy would lack under a squared error, if the loss was left out."""
        if self.given.stated["loss"] != AUTO or not problem.loss.by_preactivation:
            return []
        lacks = f"Under a squared error it would lack the slope of {problem.activations[-1].name} in layer {len(problem.W)}"
        return [f"{lacks}; if that is the loss, say loss='half_squared_error'."]

    def of_wrong(self, readings: Sequence[tuple[Problem, Evidence]], names: Sequence[str]) -> Report:
        """The mistakes, under the reading that explains them best."""
        start, best = perf_counter(), None
        for problem, found in readings:
            search, states, causes = self.searched(problem, found)
            price = states[0].cost + len(causes)
            if best is None or price < best[0] - 0.3:
                best = price, search, states, causes, found
            if best is not None and (best[0] <= ENOUGH or perf_counter() - start > PATIENCE):
                break
        other = self.other_forward(readings) if best is not None and best[0] > ENOUGH else None
        if other is not None:
            return other
        if best is None:
            raise RuntimeError("no reading was searched")
        _, search, states, causes, found = best
        wrong = self.reported(search, states, causes, found, names)
        return self.in_their_words(wrong, search, found) if callable(self.backward) and wrong.wrong else wrong

    def other_forward(self, readings: Sequence[tuple[Problem, Evidence]]) -> Report | None:
        """The report, if all is right for a forward pass that treats the biases otherwise."""
        names = names_of(readings[0][0])
        for problem, found in readings:
            for sign, said in ((-1, "that subtracts the biases"), (0, "without the biases")):
                other = problem._replace(b=[sign * b for b in problem.b])
                fit = fitted(other, found, False, len(found.X)) if any(b.any() for b in problem.b) else None
                if fit is not None and fit.right and self.given.named(other, fit.ratio):
                    text = MISTAKES["forward_bias"].words.format(used=said)
                    return Report(
                        (Finding("forward_bias", 1, names[-1], text, (), ()),), (), names, (), (), self.read_as(problem)
                    )
        return None

    def in_their_words(self, report: Report, search: Search, found: Evidence) -> Report:
        """The report with the user's lines and names, and the lines that mend the pass."""
        problem, names = search.problem, names_of(search.problem)
        given = (problem.X.T, problem.Y.T) if problem.columns else (problem.X, problem.Y)

        def watch() -> list[Line]:
            return watched(self.backward, lambda: called(self.backward, problem.params, *given))

        def outcome() -> dict[str, bytes]:
            seen, _ = read([called(self.backward, problem.params, *given)], names, problem)
            penalty = problem.penalty or (0.0, 0.0)
            now = {name: without(s, problem, penalty[name[1] == "b"]) for name, s in seen.items()}
            fits = {
                name
                for name, s in now.items()
                if s.fits and (s.shape == problem.params[name[1:]].shape or name in report.right)
            }
            exact = {name: search.exact(name)[0] for name in fits}
            return {
                name: RIGHT if name in fits and close(s.readings[0][0], exact[name]) else s.readings[0].tobytes()
                for name, s in now.items()
            }

        end = [line for line in found.lines if line.code is code_of(self.backward)]
        names_there = words_at(problem, search.net, end[-1]).names if end else {}
        findings = [f._replace(message=renamed(f.message, names_there)) for f in report.findings]
        try:
            with warnings.catch_warnings(), redirect_stdout(StringIO()):
                warnings.simplefilter("ignore")  # of edits that make no sense
                mends = mended(self.backward, problem, search.net, watch, outcome)
        except (OSError, TypeError, SyntaxError, StopIteration):  # no source to be read
            mends = []
        for m in mends:
            at = next((i for i, f in enumerate(findings) if f.gradient in m.gradients and not f.line), None)
            if at is not None:
                findings[at] = findings[at]._replace(line=line_of(m))
        right = set(report.right).union(*(m.gradients for m in mends))
        before = {m.edit.line: m.before for m in reversed(mends)}
        after = {m.edit.line: m.after for m in mends}
        patch = tuple((n, before[n], after[n]) for n in sorted(before)) if mends and right >= set(names) else ()
        return report._replace(findings=tuple(findings), patch=patch)

    def searched(self, problem: Problem, found: Evidence) -> tuple[Search, list[State], list[Cause]]:
        """The search under one reading, after the penalty has been taken out and the reduction, if left out, been read."""
        there, seen, causes = penalties(self.backward, problem, found), found.seen, list[Cause]()
        if there or any(problem.penalty or ()):
            problem = problem._replace(penalty=problem.penalty or usual(there))
            seen = {name: without(s, problem, there.get(name, 0.0)) for name, s in found.seen.items()}
            causes = list(penalty_causes(problem, there, seen))
        bare = Search(problem._replace(reduction="sum"), found.X[:1], found.Y[:1], seen)
        for name, s in seen.items():  # the factor of the first gradient that is right up to one that has a name
            ratios = s.hits(bare.exact(name), 1) if s.fits else []
            named = self.given.named(problem, abs(ratios[0][1])) if ratios else None
            if named is not None:
                problem = named
                break
        search = Search(problem, found.X, found.Y, seen)
        if len(search.correct) < len(seen):
            return search, search.best(), causes
        return search, [State(0, frozenset(), tuple((name, frozenset()) for name in seen), None, frozenset(), 0)], causes

    def reported(
        self, search: Search, states: Sequence[State], penalised: Sequence[Cause], found: Evidence, names: Sequence[str]
    ) -> Report:
        """The report of what the search found."""
        best, *others = states
        off = {f"d{'W' if c.used.split()[-1][0] == 'W' else 'b'}{c.layer}" for c in penalised}
        right = tuple(name for name in names if name in search.correct - off)
        wrong = tuple(name for name in names if name not in right)
        findings = kept(found)
        for cause in sorted(best.causes, key=lambda c: (-c.layer, DEPTH.index(c.part), c.mistake)):
            blamed = [name for name, causes in best.by_gradient if cause in causes and name in wrong]
            if cause.mistake == "unexplained" or not blamed:
                continue
            swapped = [other.causes - best.causes for other in others if best.causes - other.causes == {cause}]
            also = sorted({instead.mistake for causes in swapped if len(causes) == 1 for instead in causes} - {cause.mistake})
            alone = tuple(name for name, causes in best.by_gradient if name in blamed[1:] and causes == {cause})
            findings.append(Finding(cause.mistake, cause.layer, blamed[0], message(cause, search.problem), alone, tuple(also)))
        for cause in penalised:
            gradient = f"d{cause.used.split()[-1]}"
            findings.append(Finding(cause.mistake, cause.layer, gradient, message(cause, search.problem), (), ()))
        findings += [f for name in names if name in search.correct and (f := hazard(search.seen[name], search.problem))]
        unexplained = tuple(
            name for name, causes in best.by_gradient if any(c.mistake == "unexplained" for c in causes) and name in wrong
        )
        notes = [*found.notes, *(_far_off(search, name) for name in unexplained if name in search.seen)]
        unexplained = (*unexplained, *(n for n in names if n not in search.seen))
        return Report(
            tuple(findings),
            right,
            wrong,
            unexplained,
            tuple(notes),
            self.read_as(search.problem),
            self.elsewhere(search.problem),
        )

    def elsewhere(self, problem: Problem) -> tuple[str, ...]:
        """The conventions under which a pass that is wrong as stated would be right."""
        stated = [name for name in ARGUMENTS if self.given.stated[name] not in (AUTO, None)]
        if not stated:
            return ()
        free = self.given._replace(stated={**self.given.stated, **dict.fromkeys(stated, AUTO), "penalty": None})
        chosen = choose(free, self.backward, self.evidence, list(free.readings()), nearest=False)
        if isinstance(chosen, str) or not chosen.right:
            return ()
        other = chosen.readings[0][0].conventions
        changed = [f"{name}={other[name]!r}" for name in stated if other.get(name) != problem.conventions.get(name)]
        return (f"It is right for {', '.join(changed)}; if that is what was meant, say so.",) if changed else ()


def kept(found: Evidence) -> list[Finding]:
    """State that survives between calls, as a finding."""
    text = MISTAKES["state_between_calls"].words.format(used=found.kept)
    return [Finding("state_between_calls", 0, "all gradients", text, (), ())] if found.kept else []


def line_of(m: Mended) -> str:
    """The user's line, and what belongs there."""
    old, new = m.edit.old, m.edit.new
    whole = m.before.strip().split("#")[0].strip()
    return f"Line {m.edit.line}: `{whole}` uses `{old}`, where `{new}` belongs."


def close(ours: Array, right: Array) -> bool:
    """Whether these are equal, rounding apart."""
    return ours.size == right.size and bool(
        np.abs(ours.ravel() - right.ravel()).max() <= CLOSE * max(np.abs(right).max(), 1e-300)
    )


def hazard(seen: Seen, problem: Problem) -> Finding | None:
    """A gradient with the right numbers in a shape that would spread over its parameter's."""
    shape = problem.params[seen.name[1:]].shape
    try:
        after = np.broadcast_shapes(shape, seen.shape)
    except ValueError:
        return None
    if np.prod(after) == np.prod(shape):
        return None
    cause = Cause("bias_gradient_shape", int(seen.name[2:]), "shape", f"{seen.shape} | would broadcast {shape} to {after}")
    return Finding(cause.mistake, cause.layer, seen.name, message(cause, problem), (), ())


def _far_off(search: Search, name: str) -> str:
    """How far a gradient that nothing explains is from the right one."""
    found, exact = search.seen[name], search.exact(name)
    if not found.fits:
        return f"{name} has the wrong shape, {found.shape}, and comes out of no mistake that is known here."
    ours, theirs = exact[0].ravel(), found.readings[0][0].ravel()
    size = float(np.linalg.norm(theirs) / np.linalg.norm(ours))
    angle = float(np.degrees(np.arccos(np.clip(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs), -1, 1))))
    signs = int((np.sign(ours) != np.sign(theirs)).sum())
    entries = int((np.abs(ours - theirs) > CLOSE * np.abs(ours).max()).sum())
    return (
        f"{name} comes out of no mistake that is known here: {entries} of {ours.size} entries are off, {signs} in sign; as a "
        f"whole it is {size:.4g} times as long as the right gradient, at an angle of {angle:.1f} degrees."
    )
