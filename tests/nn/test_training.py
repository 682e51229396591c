"""Training as people do it: mini-batches, validation, labels, data frames, Values; and micrograd's own demo."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import killing
import numpy as np
import pytest
from test_three_paths import arrays, assert_close

import nn
from autograd import Value
from nn import MLP, MatrixMLP, fit

NUMBERS = np.random.default_rng(0)
X, Y = NUMBERS.normal(size=(10, 3)), np.eye(2)[NUMBERS.integers(2, size=10)]
LABELS = Y.argmax(axis=1)
pytestmark = pytest.mark.usefixtures("fast_disk")


def start(networks: int | None = None, last: str = "linear") -> MatrixMLP:
    return MatrixMLP.random([3, 4, 2], ("tanh", last), rng=0, networks=networks)


def same(a: MatrixMLP, b: MatrixMLP) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(arrays(a), arrays(b), strict=True))


# -- mini-batches


@pytest.mark.parametrize("networks", [None, 3])
@pytest.mark.parametrize("size", [1, 4, 5, 9])
def test_a_step_takes_the_next_samples(size: int, networks: int | None) -> None:
    fast, slow = start(networks), start(networks)
    fit(fast, X, Y, epochs=3, learning_rate=0.1, batch_size=size, shuffle=False)
    for _ in range(3):
        for i in range(0, 10, size):
            for a, slope in zip(arrays(slow), arrays(slow.gradients(X[i : i + size], Y[i : i + size])), strict=True):
                a[...] = a - 0.1 * slope
    assert_close(arrays(fast), arrays(slow))


def test_each_epoch_takes_each_sample_once_in_an_order_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    loss, seen = nn.LOSSES["half_squared_error"], []

    def noted(z: Any, a: Any, y: Any, out: Any) -> Any:
        if len(y) < 10:
            seen.append(y[:, 0].tolist())
        return loss.evaluate(z, a, y, out)

    monkeypatch.setitem(nn.LOSSES, loss.name, loss._replace(evaluate=noted))
    targets = np.arange(20.0).reshape(10, 2)
    fit(start(), X, targets, epochs=900, learning_rate=0.0, batch_size=4, rng=0)
    assert [len(part) for part in seen[:6]] == [4, 4, 2] * 2
    orders = [(*seen[i], *seen[i + 1], *seen[i + 2]) for i in range(0, 2700, 3)]
    assert all(sorted(order) == targets[:, 0].tolist() for order in orders)
    assert len(set(orders)) == 900


def test_a_batch_of_all_is_the_full_step_to_the_bit() -> None:
    whole, batched = start(), start()
    fit(whole, X, Y, 20, 0.1)
    fit(batched, X, Y, 20, 0.1, batch_size=10, rng=0)
    assert same(whole, batched)


def test_the_seed_decides_the_order() -> None:
    models = [start() for _ in range(4)]
    for model, rng in zip(models, (1, np.random.default_rng(1), 2, None), strict=True):
        fit(model, X, Y, 20, 0.1, batch_size=3, rng=rng)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])
    assert not same(models[0], models[3])


# -- rates, validation, patience, callback


def test_the_rate_of_each_step_is_the_rate_times_the_schedule() -> None:
    for schedule in ("constant", "linear", "cosine", lambda step: 1 / (1 + step)):
        model, other = start(), start()
        history = fit(model, X, Y, 8, 0.1, report_every=1, schedule=schedule)
        for rate in history.learning_rates[:-1]:
            fit(other, X, Y, 1, rate)
        assert_close(arrays(model), arrays(other))
        assert history.learning_rates[0] == 0.1
    assert history.learning_rates == pytest.approx([0.1 / (1 + step) for step in range(9)])


def test_validation_is_the_loss_on_other_data() -> None:
    model = start()
    history = fit(model, X, Y, 10, 0.1, report_every=5, validation=(X[:4] + 1, Y[:4]))
    assert len(history.validation) == len(history.steps) == 3
    assert history.validation[-1] == pytest.approx(model.gradients(X[:4] + 1, Y[:4]).loss, rel=1e-12)
    assert repr(history).startswith("History of 3 entries: step 0 loss ")


def test_patience_stops_and_puts_the_best_weights_back() -> None:
    model, kept = start(), []
    held_out = (-X[:5], Y[:5])
    history = fit(
        model, X, Y, 5000, 0.3, validation=held_out, patience=7, report_every=10,
        callback=lambda m, h: kept.append([a.copy() for a in arrays(m)]),
    )  # fmt: skip
    best = int(np.argmin(history.validation))
    assert len(history.steps) == best + 8 < 501
    assert_close(arrays(model), kept[best], 0)
    assert model.gradients(*held_out).loss == pytest.approx(history.validation[best], rel=1e-12)


def test_a_callback_sees_the_weights_and_may_stop() -> None:
    for model in (start(), start().to_mlp()):
        seen = []

        def look(m: Any, history: nn.History) -> bool:
            seen.append(m.predict(X)[0, 0])  # noqa: B023  # called within the loop
            return len(history.steps) == 3

        history = fit(model, X, Y, 100, 0.1, report_every=10, callback=look)
        assert history.steps == [0, 10, 20]
        assert len(set(seen)) == 3


# -- checkpoints of all that is new

NEW: list[dict[str, Any]] = [
    {"optimizer": "adam"},
    {"optimizer": "momentum", "batch_size": 3, "rng": 5},
    {"batch_size": 4, "rng": None, "optimizer": "rmsprop"},
    {"batch_size": 4, "shuffle": False, "schedule": "linear"},
    {"optimizer": "adamw", "validation": (X[:4], Y[:4]), "patience": 10**6, "batch_size": 3},
    {"validation": (X[:4], LABELS[:4]), "reduction": "sum", "optimizer": nn.optimizer("nesterov", momentum=0.5)},
]


@pytest.mark.parametrize("new", NEW, ids=range(len(NEW)))
def test_an_interrupted_run_ends_where_it_would_have_ended(new: dict[str, Any], tmp_path: Path) -> None:
    def train(model: MatrixMLP, path: Path, stop: int = 10**9) -> Any:
        def interrupt(_: Any, history: nn.History) -> None:
            if history.steps[-1] >= stop:
                raise KeyboardInterrupt

        arguments = {"loss": "softmax_cross_entropy", "report_every": 6, "checkpoint_every": 11, "rng": 3, **new}
        return fit(model, X, LABELS, 60, 0.05, checkpoint=path, callback=interrupt, **arguments)

    whole, broken = start(), start()
    history = train(whole, tmp_path / "whole.npz")
    if new.get("rng", 3) is None:  # another order each time: the file says which
        data = dict(np.load(tmp_path / "whole.npz"))
        with pytest.raises(KeyboardInterrupt):
            train(broken, tmp_path / "broken.npz", stop=0)
        from nn.files.npz import write

        write(str(tmp_path / "broken.npz"), {**np.load(tmp_path / "broken.npz"), "seed": data["seed"]})
    for stop in (18, 36, 42):
        with pytest.raises(KeyboardInterrupt, match="the same call goes on"):
            train(broken, tmp_path / "broken.npz", stop)
        broken = start()
    again = train(broken, tmp_path / "broken.npz")
    assert same(whole, broken)
    assert again == history
    assert again.validation == history.validation
    assert again.learning_rates == history.learning_rates
    assert same(nn.load(tmp_path / "broken.npz"), nn.load(tmp_path / "whole.npz"))


@pytest.mark.parametrize("number", [5, 6])
def test_killed_with_adam_and_mini_batches_it_ends_where_it_would_have_ended(number: int, tmp_path: Path) -> None:
    outcome = killing.kill_and_go_on(number, 1500, 25, 2, tmp_path, 0.2, random.Random(number))  # noqa: S311  # no secret
    assert outcome.right


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"optimizer": "momentum"}, "optimizer .*adam.* there, .*momentum.* here"),
        ({"optimizer": "sgd"}, "optimizer .*adam.* there, the default here"),
        ({"batch_size": 5}, "batch_size 4 there, 5 here"),
        ({"rng": 2}, "rng 1 there, 2 here"),
        ({"schedule": None}, "schedule 'linear' there, the default here; steps 20 there, the default here"),
        ({"validation": (X[:3], Y[:3])}, "validation other numbers there than here"),
    ],
)
def test_another_run_is_refused_by_what_differs(changed: dict[str, Any], said: str, tmp_path: Path) -> None:
    right: dict[str, Any] = {"optimizer": "adam", "batch_size": 4, "rng": 1, "schedule": "linear", "validation": (X[:4], Y[:4])}
    fit(start(), X, Y, 20, 0.1, checkpoint=tmp_path / "run.npz", **right)
    with pytest.raises(ValueError, match=f"it is of another run: .*{said}"):
        fit(start(), X, Y, 20, 0.1, checkpoint=tmp_path / "run.npz", **{**right, **changed})


# -- what is trained, and on what


@pytest.mark.parametrize("bias", [True, False])
def test_a_model_of_values_gets_the_numbers_of_its_twin(bias: bool) -> None:
    values = MLP(3, [4, 2], ("tanh", "linear"), bias, rng=1)
    matrices, parameters = MatrixMLP.from_mlp(values), values.parameters()
    assert fit(values, X, Y, 20, 0.1) == fit(matrices, X, Y, 20, 0.1)
    assert all(a is b for a, b in zip(values.parameters(), parameters, strict=True))
    assert same(MatrixMLP.from_mlp(values), matrices)
    with pytest.raises(nn.DivergedError):
        fit(values, X, Y, 1000, 1e9)
    assert all(np.isfinite(p.data) for p in values.parameters())


def test_labels_are_rows_of_zero_and_one() -> None:
    want = start().gradients(X, Y, "softmax_cross_entropy")
    for labels in (LABELS, LABELS.tolist(), LABELS.astype(float), LABELS[:, None], LABELS.astype(np.int8)):
        assert_close(arrays(start().gradients(X, labels, "softmax_cross_entropy")), arrays(want), 0)
    assert start().to_mlp().loss(X, LABELS, "softmax_cross_entropy").data == pytest.approx(want.loss)
    single = MatrixMLP.random([3, 1], rng=0)
    for loss in ("binary_cross_entropy", "half_squared_error"):
        assert_close(arrays(single.gradients(X, LABELS, loss)), arrays(single.gradients(X, LABELS[:, None], loss)), 0)
    for wrong, said in (
        (LABELS + 1, "Y holds 2.0; the classes of 2 outputs are the whole numbers from 0 to 1"),
        (LABELS / 2, "0.5"),
    ):
        with pytest.raises(ValueError, match=said):
            fit(start(), X, wrong, 1, 0.1, "softmax_cross_entropy")


def test_frames_and_series_train_as_arrays() -> None:
    pandas = pytest.importorskip("pandas")
    frame, series = pandas.DataFrame(X, columns=list("abc"), index=range(5, 15)), pandas.Series(LABELS, index=range(5, 15))
    one, other = start(), start()
    fit(one, frame, series, 20, 0.1, "softmax_cross_entropy", batch_size=3, rng=0, validation=(frame[:4], series[:4]))
    fit(other, X, LABELS, 20, 0.1, "softmax_cross_entropy", batch_size=3, rng=0)
    assert same(one, other)
    assert one.score(frame, series) == other.score(X, LABELS)
    fit(MatrixMLP.random([3, 1], rng=0), frame, series, 3, 0.1)
    with pytest.raises(TypeError, match="X holds"):
        fit(start(), frame.assign(a="text"), series, 1, 0.1)


def test_scores_and_classes() -> None:
    model = start(last="softmax")
    fit(model, X, LABELS, 3000, 0.5, "softmax_cross_entropy")
    assert model.predict(X).sum(axis=1) == pytest.approx(np.ones(10))
    assert_close([model(X)], [model.predict(X)], 0)
    assert model.classify(X).tolist() == LABELS.tolist()
    assert model.score(X, LABELS) == model.score(X, Y) == 1.0
    assert model.score(X, 1 - LABELS) == 0.0
    logits = MatrixMLP(model.weights, model.biases, ("tanh", "linear"))
    assert logits.classify(X).tolist() == LABELS.tolist()
    assert_close(
        arrays(logits.gradients(X, Y, "softmax_cross_entropy")), arrays(model.gradients(X, Y, "softmax_cross_entropy")), 0
    )
    for last in ("sigmoid", "linear"):
        single = MatrixMLP([[[2.0]]], activations=last)
        assert single.classify([[-0.1], [0.1]]).tolist() == [0, 1]
        assert single.to_mlp().score([[-0.1], [0.1], [3.0]], [0, 1, 0]) == pytest.approx(2 / 3)
    stacked = start(networks=3)
    assert np.shape(stacked.score(X, LABELS)) == (3,)
    for wrong in (LABELS / 2, LABELS[:4], Y / 2):
        with pytest.raises(ValueError, match=r"Y has shape .*; expected 10 labels, or as many rows of 0 and 1"):
            model.score(X, wrong)


@pytest.mark.parametrize("name", nn.LOSSES)
def test_a_reduction_is_a_factor(name: str) -> None:
    model = start()
    ways = {r: model.gradients(X, Y, name, reduction=r) for r in (None, "mean", "sum")}
    n = 10 if name == "softmax_cross_entropy" else 20
    assert_close(arrays(ways["sum"]), [n * a for a in arrays(ways["mean"])])
    assert_close(arrays(ways[None]), arrays(ways["sum" if name == "half_squared_error" else "mean"]), 0)
    assert ways["sum"].loss == pytest.approx(n * ways["mean"].loss, rel=1e-12)
    for reduction, found in ways.items():
        values = model.to_mlp()
        loss = values.loss(X, Y, name, reduction=reduction)
        loss.backward()
        assert loss.data == pytest.approx(found.loss, rel=1e-12)
        assert values.weights[0][1][2].grad == pytest.approx(found.weights[0][1, 2], rel=1e-11)


def test_where_it_diverges_the_reduction_is_said() -> None:
    with pytest.raises(nn.DivergedError, match=r"or reduction='mean': the loss is a sum over samples and outputs$"):
        fit(start(), 1e3 * X, Y, 1000, 1e3)
    with pytest.raises(nn.DivergedError, match=r"; the loss is a mean$"):
        fit(start(), 1e3 * X, Y, 1000, 1e9, reduction="mean")


# -- arrays that a user puts into a model


def test_arrays_of_other_kinds_become_floats_and_train() -> None:
    want = MatrixMLP([[[1.0], [1.0]]], activations="linear")
    fit(want, [[1.0, 2.0]], [[1.0]], 50, 0.1)
    for kind in (np.int64, np.float32, np.float16, bool):
        model = MatrixMLP([[[0.5], [0.5]]], activations="linear")
        model.weights[0] = np.ones((2, 1), kind)
        assert model.predict([[1.0, 2.0]]).dtype == np.float64
        fit(model, [[1.0, 2.0]], [[1.0]], 50, 0.1)
        assert_close(arrays(model), arrays(want), 0)
    frozen = np.ones((2, 1))
    frozen.setflags(write=False)
    model.weights[0] = frozen
    fit(model, [[1.0, 2.0]], [[1.0]], 50, 0.1)
    assert_close(arrays(model), arrays(want), 0)


@pytest.mark.parametrize(
    ("put", "said"),
    [
        (lambda m: m.weights.__setitem__(0, np.ones((2, 4))), r"X has shape \(10, 3\), expected \(n, 2\)"),
        (lambda m: m.weights.__setitem__(0, np.ones((3, 5))), r"weights\[1\] has shape \(4, 2\); the layers .* \(5, 2\)"),
        (lambda m: m.biases.__setitem__(1, np.ones(3)), r"biases\[1\] has shape \(3,\), expected \(2,\)"),
        (lambda m: m.weights.append(np.ones((2, 2))), r"biases: got 2 arrays, expected 3"),
        (lambda m: (m.weights.pop(), m.biases.pop()), r"activations: got 2 names, expected 1"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused_by_name(put: Any, said: str) -> None:
    for use in (lambda m: m.predict(X), lambda m: m.gradients(X, Y), lambda m: fit(m, X, Y, 1, 0.1)):
        model = start()
        put(model)
        with pytest.raises(ValueError, match=said):
            use(model)


# -- micrograd


def moons(n: int) -> tuple[Any, Any]:
    """Two half circles, as scikit-learn's make_moons draws them."""
    numbers, half = np.random.default_rng(1), np.linspace(0, np.pi, n // 2)
    inner = np.stack([1 - np.cos(half), 0.5 - np.sin(half)], 1)
    x = np.concatenate([np.stack([np.cos(half), np.sin(half)], 1), inner])
    return x + numbers.normal(scale=0.1, size=x.shape), np.repeat([-1, 1], n // 2)


@pytest.mark.slow
@pytest.mark.parametrize("nodes", ["each", "dot"])
def test_two_moons_by_the_demo_of_micrograd(nodes: str) -> None:
    X, y = moons(100)
    model = MLP(2, [16, 16, 1], single=True, rng=1337, nodes=nodes)  # the arguments added: rng and nodes for the test alone
    assert len(model.parameters()) == 337
    assert repr(model) == "MLP(2, [16, 16, 1], relu, relu, linear)"

    def loss() -> tuple[Any, float]:
        inputs = [list(map(Value, xrow)) for xrow in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores, strict=True)]
        return data_loss + reg_loss, sum(accuracy) / len(accuracy)

    for k in range(100):
        total_loss, acc = loss()
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
    assert acc == 1.0
    assert model.score(X, (y + 1) // 2) == 1.0


def test_the_notebook_of_the_lecture() -> None:
    n = MLP(3, [4, 4, 1], activations="tanh", rng=0)
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    ys = [1.0, -1.0, -1.0, 1.0]
    n.single = True
    assert isinstance(n(xs[0]), Value)
    for _ in range(60):
        ypred = [n(x) for x in xs]
        loss = sum((yout - ygt) ** 2 for ygt, yout in zip(ys, ypred, strict=True))
        for p in n.parameters():
            p.grad = 0.0
        loss.backward()
        for p in n.parameters():
            p.data += -0.1 * p.grad
    assert loss.data < 0.1
    assert n.layers[0].neurons[0].w[0].grad == n.weights[0][0][0].grad
    assert len(n.layers[0].neurons) == 4
    assert n.biases is not None
    assert n.layers[0].neurons[0].b is n.biases[0][0]


def test_neurons_layers_and_modules_alone() -> None:
    neuron, layer = nn.Neuron(3, rng=0), nn.Layer(3, 2, rng=0)
    assert (len(neuron.parameters()), len(layer.parameters()), nn.Module().parameters()) == (4, 8, [])
    x = [1.0, -2.0, 0.5]
    assert neuron([*map(Value, x)]).data == max(0.0, sum(w.data * a for w, a in zip(neuron.w, x, strict=True)))
    assert [a.data for a in layer(x)] == [n(x).data for n in layer.neurons]
    assert len({w.data for n in layer for w in n.w}) == 6
    sum(layer(x), Value(0.0)).backward()
    layer.zero_grad()
    assert {p.grad for p in layer.parameters()} == {0.0}

    class Twice(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Layer(3, 3, "tanh", rng=0)

        def parameters(self) -> list[Value]:
            return self.layer.parameters()

        def __call__(self, x: Any) -> Any:
            return self.layer(self.layer(x))

    model = Twice()
    sum(model(x)).backward()
    nn.optimizer("sgd").step(model.parameters())


def test_a_dot_is_one_node_and_the_same_number() -> None:
    each, dots = MLP(3, [4, 2], rng=0), MLP(3, [4, 2], rng=0, nodes="dot")
    assert [a.data for a in each(X[0])] == [a.data for a in dots(X[0])]
    assert dots(X[0])[0].left.left.operation.name == "dot"
    losses = [m.loss(X, Y) for m in (each, dots)]
    for loss in losses:
        loss.backward()
    assert [p.grad for p in each.parameters()] == pytest.approx([p.grad for p in dots.parameters()], rel=1e-13)


# -- pictures


def test_pictures_are_figures() -> None:
    pytest.importorskip("matplotlib")
    x, y = moons(40)
    model, path = MatrixMLP.random([2, 6, 1], ("tanh", "linear"), rng=0), []
    history = fit(
        model, x, y > 0, epochs=5, optimizer="adam", batch_size=8, rng=0, loss="binary_cross_entropy", validation=(x, y > 0),
        callback=lambda m, _: path.append(np.concatenate([a.ravel() for a in arrays(m)])),
    )  # fmt: skip
    assert [axes.get_ylabel() for axes in history.plot().axes] == ["loss", "learning rate"]
    assert len(nn.plot_boundary(model, x, y, points=20).axes) == 1
    assert len(nn.plot_boundary(model.to_mlp(), x, y > 0, points=5).axes) == 1
    for along in ([], path):
        figure = nn.plot_surface(model, x, y > 0, "binary_cross_entropy", path=along, points=5)
        assert figure.axes[1].get_ylabel() == "log10 binary_cross_entropy"
    with pytest.raises(ValueError, match=r"X has shape \(10, 3\); a boundary is drawn for two inputs"):
        nn.plot_boundary(start(), X, Y)
