"""The mistakes of a hand-written backward pass: their sentences, the lines that they break, and wrong slopes.

In a sentence {l} is the layer, {p} the layer before, {n} the layer after and {used} the formula that was used. The other
wrong formulas stand in `fillings` and `lines`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nn.arrays import Array

LINES = {
    "delta": "(1) delta{l} = dC/da{l} * f'(z{l})",
    "error": "(1) delta{l} = dC/da{l} * f'(z{l})",
    "back": "(2) delta{l} = (delta{n} @ W{n}.T) * f'(z{l})",
    "slope": "(1), (2) delta{l} = error{l} * f'(z{l})",
    "W": "(3) dW{l} = a{p}.T @ delta{l}",
    "b": "(4) db{l} = delta{l}, summed over the samples",
}

WORDS = {
    # slope
    "missing_activation_derivative": "The error of layer {l} is used as its delta: the slope f'(z{l}) is missing, because the "
    "cost reaches z{l} only through a{l} = f(z{l}).",
    "extra_activation_derivative": "The slope f'(z{l}) is multiplied in twice; the chain rule has it once.",
    "se_delta_with_ce": "delta{l} is {used}, the delta of a squared error; with cross-entropy the slope cancels, and delta{l} is "
    "the bare a{l} - y.",
    "ce_delta_with_se": "delta{l} is the bare a{l} - y, the delta of cross-entropy; a squared error keeps the slope: "
    "(a{l} - y) * f'(z{l}).",
    "wrong_activation_derivative": "The slope is {used}, which belongs to another activation than layer {l} has.",
    "wrong_derivative_formula": "The slope of layer {l} is {used}; that is not the derivative of its activation.",
    "derivative_applied_to_activation": "The slope is {used}: f' wants the pre-activation z{l} and was given the activation a{l}.",
    "activation_form_derivative_on_preactivation": "The slope is {used}: this form of f' wants the activation a{l} and was given "
    "the pre-activation z{l}.",
    "derivative_at_wrong_layer": "The slope of layer {l} is {used}, taken at another layer.",
    "derivative_at_error": "The slope of layer {l} is {used}: f' was taken at the error instead of at layer {l}'s own z{l}.",
    "derivative_at_layer_input": "The slope of layer {l} is {used}: f' was taken at what comes into the layer, not at its z{l}.",
    "relu_mask_ge_on_output": "The mask is {used}, which is true everywhere, for a relu's output is never negative; it has to be "
    "(z{l} > 0).",
    "relu_applied_to_gradient": "The gradient itself was put through relu, {used}; the mask has to be (z{l} > 0).",
    "relu_backward_multiplies_by_value": "The error is multiplied with relu's value instead of its slope, (z{l} > 0).",
    "softmax_diagonal_only": "The slope is {used}, the diagonal of softmax's Jacobian; every output depends on every z{l}, so it "
    "takes the whole of it: a{l} * (e - sum(e * a{l})).",
    # chain
    "error_propagated_without_delta": "Layer {n} sends back its error instead of its delta: error{l} is {used}, without the slope "
    "f'(z{n}).",
    "upstream_gradient_dropped": "error{l} is {used}: what comes back from layer {n}, delta{n}, is missing.",
    "upstream_not_propagated": "error{l} is {used}: what comes back has to go through the weights, delta{n} @ W{n}.T.",
    "missing_error_factor": "The error at the outputs is {used}; the derivative of the loss, which knows the targets, is missing.",
    "delta_of_wrong_layer": "Layer {l} uses {used}, the delta of another layer.",
    "updated_weights_used": "error{l} is {used}: W{n} had been updated before it was used to go back; compute all gradients first.",
    "gradient_used_as_weight": "error{l} is {used}: the gradient dW{n} stands where the weights W{n} belong.",
    "missing_transpose": "The formula is {used}: a transpose is missing; the index that is summed over has to be the shared one.",
    "matmul_instead_of_elementwise": "Error and slope are multiplied as matrices, {used}; each entry of the error has its own "
    "slope, so they multiply entry by entry.",
    # input
    "own_output_as_input": "dW{l} is {used}: the layer's own output stands where its input, a{p}, belongs.",
    "preactivation_as_input": "dW{l} is {used}: what W{l} was multiplied with is a{p} = f(z{p}), not z{p}.",
    "weight_as_input": "dW{l} is {used}: the derivative of a product by the weight is the other factor, the input a{p}.",
    "missing_input_factor": "dW{l} is {used}: the factor a{p}, with which each weight was multiplied, is missing.",
    "elementwise_instead_of_matmul": "dW{l} is {used}: the product has to be a matrix product, which sums over the samples.",
    "transposed_gradient": "dW{l} is {used}: it has the transposed shape; input first, a{p}.T @ delta{l}.",
    "input_of_wrong_layer": "dW{l} is {used}: what comes into layer {l} is a{p}.",
    "weight_gradient_zero": "dW{l} is zero.",
    # bias
    "bias_not_summed_over_batch": "db{l} is {used}: the bias is added to every sample, so every sample adds its share.",
    "bias_summed_over_wrong_axis": "db{l} is {used}: the sum has to run over the samples.",
    "bias_summed_over_all_axes": "db{l} is {used}: each neuron has a bias of its own, so only the samples are summed.",
    "bias_mean_instead_of_sum": "db{l} is {used}; the loss sums over the samples in this line as in dW{l}.",
    "bias_gradient_zero": "db{l} is zero.",
    # scale and sign
    "missing_1_over_n": "The loss is a mean over the samples, and the 1/n is missing.",
    "extra_1_over_n": "There is a 1/n that the loss does not have. (If the loss is a mean over the samples, ask with "
    'reduction="samples".)',
    "missing_1_over_k": "The loss is a mean over the outputs, and the 1/k is missing.",
    "extra_1_over_k": "There is a 1/k that the loss does not have.",
    "extra_factor_n": "There is a factor n that the loss does not have.",
    "extra_factor_k": "There is a factor k that the loss does not have.",
    "missing_factor_2": "It is half of what it should be: a factor 2 is missing, or a 1/2 too many.",
    "extra_factor_2": "It is twice what it should be: a factor 2 too many, or a 1/2 missing.",
    "extra_factor_4": "It is four times what it should be.",
    "learning_rate_folded": "The learning rate ({used}) is in the gradient already; it belongs to the update.",
    "wrong_scale": "It is {used} times what it should be.",
    "sign_flipped": "The sign is flipped: this is the negative of the gradient, good for +=, not for -=.",
    "sign_error_inside_bce_derivative": "The derivative of the loss is {used}: one of its two terms has the wrong sign; it is "
    "-y / a{l} + (1 - y) / (1 - a{l}).",
    "wrong_loss_derivative": "The derivative of the loss is {used}, which is not that of this loss.",
}

# what people take for the slope, by activation; {a} is its output, of relu the pre-activation
WRONG_SLOPES: dict[str, tuple[tuple[str, Callable[[Array], Array]], ...]] = {
    "sigmoid": (
        ("{a}", lambda a: a),
        ("1 - {a}", lambda a: 1 - a),
        ("{a} * (1 + {a})", lambda a: a * (1 + a)),
        ("1 + {a}", lambda a: 1 + a),
        ("{a} ** 2", lambda a: a * a),
        ("{a} ** 2 * (1 - {a})", lambda a: a * a * (1 - a)),
        ("{a} * (1 - {a}) ** 2", lambda a: a * (1 - a) ** 2),
        ("(1 - {a}) ** 2", lambda a: (1 - a) ** 2),
        ("{a} - 1", lambda a: a - 1),
        ("1 - 2 * {a}", lambda a: 1 - 2 * a),
        ("{a} * (1 - {a} ** 2)", lambda a: a * (1 - a * a)),
        ("{a} / (1 - {a})", lambda a: a / (1 - a)),
        ("1 / ({a} * (1 - {a}))", lambda a: 1 / (a * (1 - a))),
        ("exp(-{a}) / (1 + exp(-{a}))", lambda a: np.exp(-a) / (1 + np.exp(-a))),
    ),
    "tanh": (
        ("1 - {a}", lambda a: 1 - a),
        ("1 + {a} ** 2", lambda a: 1 + a * a),
        ("{a} ** 2", lambda a: a * a),
        ("(1 - {a}) ** 2", lambda a: (1 - a) ** 2),
        ("{a}", lambda a: a),
        ("{a} * (1 + {a})", lambda a: a * (1 + a)),
        ("1 + {a}", lambda a: 1 + a),
        ("{a} ** 2 - 1 + {a}", lambda a: a * a - 1 + a),
        ("1 - abs({a})", lambda a: 1 - np.abs(a)),
        ("(1 - {a} ** 2) ** 0.5", lambda a: np.sqrt(1 - a * a)),
        ("1 - {a} ** 3", lambda a: 1 - a**3),
        ("1 - 2 * {a}", lambda a: 1 - 2 * a),
        ("1 / (1 - {a} ** 2)", lambda a: 1 / (1 - a * a)),
        ("1 / (1 + {a} ** 2)", lambda a: 1 / (1 + a * a)),
    ),
    "relu": (
        ("{a} <= 0", lambda a: (a <= 0) * 1.0),
        ("sign of {z}", np.sign),
        ("1 or 0.01 by the sign of {z}", lambda a: np.where(a > 0, 1, 0.01)),
        ("1 or 0.1 by the sign of {z}", lambda a: np.where(a > 0, 1, 0.1)),
    ),
    "linear": (
        ("{a}", lambda a: a),
        ("1 - {a}", lambda a: 1 - a),
    ),
    "softmax": (
        ("{a}", lambda a: a),
        ("1 - {a}", lambda a: 1 - a),
        ("{a} ** 2", lambda a: a * a),
    ),
}
