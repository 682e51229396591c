"""The mistakes of a hand-written backward pass: one record each, read by the search and by the report.

A part of the derivation (`error`, `back`, `slope`, `delta`, `W`, `b`) is filled with a formula; `formulas` are the wrong ones that
belong to the mistake, by part, in the language of `formulas`. Behind the colon stands what the layer or the loss has to be. What is
in no record is found by enumeration, and then has the name of its part in `UNNAMED`.

In a sentence {l} is the layer, {p} the layer before, {n} the layer after, {used} the formula that was used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Mistake(NamedTuple):
    """One mistake: its name, a title of a few words, the sentence that explains it, and the wrong formulas by part."""

    name: str
    title: str
    words: str
    formulas: Mapping[str, tuple[str, ...]] = {}


RIGHT = {  # the formulas that are right, by part
    "error": "error", "delta": "error * df(z)", "back": "da @ Wa.T", "slope": "df(z)", "W": "x.T @ d", "b": "d.sum(axis=0)",
}  # fmt: skip

MISTAKES = {m.name: m for m in (
    # slope
    Mistake("missing_activation_derivative", "the slope is missing", "The error of layer {l} is used as its delta: the slope {slope} is missing, because the cost reaches z{l} only through a{l} = f(z{l}).", {"slope:curved": ("one",)}),
    Mistake("extra_activation_derivative", "the slope is there twice", "The slope {slope} is multiplied in twice; the chain rule has it once.", {"slope:curved": ("df(z) ** 2",)}),
    Mistake("se_delta_with_ce", "the slope of a squared error with cross-entropy", "delta{l} is {used}, the delta of a squared error; with cross-entropy the slope cancels, and delta{l} is the bare a{l} - y.", {"delta:ce": ("(a - y) * a * (1 - a)", "through(a - y)")}),
    Mistake("ce_delta_with_se", "the delta of cross-entropy with a squared error", "delta{l} is the bare a{l} - y, the delta of cross-entropy; a squared error keeps the slope: (a{l} - y) * f'(z{l}).", {"delta:squared": ("a - y",)}),
    Mistake("wrong_activation_derivative", "the slope of another activation", "The slope is {used}, which belongs to another activation than layer {l} has."),
    Mistake("wrong_derivative_formula", "a wrong formula for the slope", "The slope of layer {l} is {used}; that is not the derivative of its activation.", {"slope:relu": ("z <= 0", "sign(z)", "where(z > 0, 1, 0.01)", "where(z > 0, 1, 0.1)"), "slope:softmax": ("a", "1 - a", "a ** 2"), "slope:linear": ("a", "1 - a"), "slope:sigmoid": ("a", "1 - a", "a * (1 + a)", "a ** 2", "a * (1 - a) ** 2", "1 - a ** 2"), "slope:tanh": ("1 - a", "1 + a ** 2", "a ** 2", "(1 - a) ** 2", "a", "a * (1 - a)", "sqrt(1 - a ** 2)")}),
    Mistake("derivative_applied_to_activation", "the slope is taken at the activation", "The slope is {used}: f' wants the pre-activation z{l} and was given the activation a{l}.", {"slope:curved": ("df(a)",)}),
    Mistake("activation_form_derivative_on_preactivation", "the slope's formula for the activation is given the pre-activation", "The slope is {used}: this form of f' wants the activation a{l} and was given the pre-activation z{l}.", {"slope:curved": ("g(z)",)}),
    Mistake("derivative_at_wrong_layer", "the slope of another layer", "The slope of layer {l} is {used}, taken at another layer."),
    Mistake("derivative_at_error", "the slope is taken at the error", "The slope of layer {l} is {used}: f' was taken at the error instead of at layer {l}'s own z{l}.", {"slope:curved": ("g(e)", "df(e)", "g(ef)", "df(ef)"), "slope:last": ("g(a - y)", "df(a - y)", "g(y - a)", "df(y - a)", "g((a - y) * factor)", "df((a - y) * factor)")}),
    Mistake("derivative_at_layer_input", "the slope is taken at the layer's input", "The slope of layer {l} is {used}: f' was taken at what comes into the layer, not at its z{l}."),
    Mistake("relu_mask_ge_on_output", "a mask that is true everywhere", "The mask is {used}, which is true everywhere, for a relu's output is never negative; it has to be (z{l} > 0).", {"slope:relu": ("a >= 0",)}),
    Mistake("relu_applied_to_gradient", "the gradient was put through relu", "The gradient itself was put through relu, {used}; the mask has to be (z{l} > 0).", {"whole:relu": ("maximum(e, 0)", "(e > 0) * 1.0", "e * (e > 0) * (z > 0)")}),
    Mistake("relu_backward_multiplies_by_value", "relu's value for its slope", "The error is multiplied with relu's value instead of its slope, (z{l} > 0).", {"slope:relu": ("a",)}),
    Mistake("softmax_diagonal_only", "only the diagonal of softmax's Jacobian", "The slope is {used}, the diagonal of softmax's Jacobian; every output depends on every z{l}, so it takes the whole of it: a{l} * (e - sum(e * a{l})).", {"slope:softmax": ("a * (1 - a)",)}),
    Mistake("softmax_jacobian_wrong", "softmax's Jacobian is wrong", "delta{l} is {used}; softmax's Jacobian gives a{l} * (e - sum(e * a{l})), summed over the outputs of each sample.", {"whole:softmax": ("a * (e - (e * a).sum(axis=0, keepdims=True))", "a * (e + (e * a).sum(axis=1, keepdims=True))", "z * (e - (e * z).sum(axis=1, keepdims=True))", "a * (e - e.sum(axis=1, keepdims=True))", "a * e - (e * a).sum(axis=1, keepdims=True)", "(e * a).sum(axis=1, keepdims=True) * a", "z * e - z * (e * a).sum(axis=1, keepdims=True)")}),
    Mistake("softmax_wrong_axis", "the softmax of the forward pass runs over the wrong axis", "delta{l} is {used}: the outputs of each sample have to sum to 1, so the sum of softmax runs over the outputs of one sample.", {"delta:softmax": ("exp(z) / exp(z).sum(keepdims=True) - y", "exp(z) / exp(z).sum(axis=0, keepdims=True) - y")}),
    # chain
    Mistake("error_propagated_without_delta", "the error is sent back instead of the delta", "Layer {n} sends back its error instead of its delta: error{l} is {used}, without the slope {slope_after}.", {"back": ("ea @ Wa.T",)}),
    Mistake("upstream_gradient_dropped", "what comes back is left out", "error{l} is {used}: what comes back from layer {n}, delta{n}, is missing.", {"back": ("ones(da) @ Wa.T", "ones(da) / factor @ Wa.T", "ones(a)", "ones(a) / factor")}),
    Mistake("upstream_not_propagated", "it is not sent through the weights", "error{l} is {used}: what comes back has to go through the weights, {right}.", {"back": ("da", "da.sum(axis=1, keepdims=True)", "da.mean(axis=1, keepdims=True)", "ea", "ea.sum(axis=1, keepdims=True)", "ea.mean(axis=1, keepdims=True)"), "back:deep": ("(out - y) @ Wa.T", "out - y")}),
    Mistake("missing_error_factor", "the error is missing", "The error at the outputs is {used}; the derivative of the loss, which knows the targets, is missing.", {"error": ("one", "one / factor", "a", "y"), "delta:ce": ("a",)}),
    Mistake("delta_of_wrong_layer", "the delta of another layer", "Layer {l} uses {used}, the delta of another layer."),
    Mistake("updated_weights_used", "the weights had been updated", "error{l} is {used}: W{n} had been updated before it was used to go back; compute all gradients first.", {"back:rates": ("da @ (Wa - rate * dWa).T", "da @ (Wa + rate * dWa).T")}),
    Mistake("gradient_used_as_weight", "the gradient for the weights", "error{l} is {used}: the gradient dW{n} stands where the weights W{n} belong.", {"back:gradient": ("da @ dWa.T",)}),
    Mistake("missing_transpose", "a transpose is missing", "The formula is {used}: a transpose is missing; the index that is summed over has to be the shared one.", {"back": ("da @ Wa",), "W": ("x @ d", "d @ x", "x @ d.T")}),
    Mistake("matmul_instead_of_elementwise", "a matrix product for a product entry by entry", "Error and slope are multiplied as matrices, {used}; each entry of the error has its own slope, so they multiply entry by entry.", {"whole": ("e @ df(z)", "df(z) @ e", "e @ df(z).T", "df(z) @ e.T", "e @ df(z).T @ e", "e @ (df(z).T @ df(z))", "(e.T @ df(z)).T", "e.T @ df(z)")}),
    Mistake("wrong_backpropagated_error", "a wrong error is sent back", "error{l} is {used}; it has to be {right}."),
    # input
    Mistake("own_output_as_input", "the layer's own output for its input", "dW{l} is {used}: the layer's own output stands where its input, {input}, belongs.", {"W": ("a.T @ d",)}),
    Mistake("preactivation_as_input", "the pre-activation for the input", "dW{l} is {used}: what W{l} was multiplied with is a{p} = f(z{p}), not z{p}.", {"W:inner": ("zx.T @ d",)}),
    Mistake("weight_as_input", "the weights for the input", "dW{l} is {used}: the derivative of a product by the weight is the other factor, the input {input}.", {"W": ("W * d.sum(axis=0, keepdims=True)", "W.T @ d", "W @ d.T", "W @ d", "W @ (d.T @ d)", "(d @ W.T)")}),
    Mistake("missing_input_factor", "the input is missing", "dW{l} is {used}: the factor {input}, with which each weight was multiplied, is missing.", {"W": ("ones(x).T @ d", "d.sum(axis=0, keepdims=True)", "d", "d.T @ d")}),
    Mistake("elementwise_instead_of_matmul", "a product entry by entry for a matrix product", "dW{l} is {used}: the product has to be a matrix product, which sums over the samples.", {"W": ("x * d", "x.T * d", "(x * d).sum(axis=0)", "x.sum(axis=0, keepdims=True).T @ d.sum(axis=0, keepdims=True)", "ones(W) * (x * d).sum(axis=0, keepdims=True).T")}),
    Mistake("transposed_gradient", "it is transposed", "dW{l} is {used}: it has the transposed shape; it has to be {right}.", {"W": ("d.T @ x",)}),
    Mistake("input_of_wrong_layer", "the input of another layer", "dW{l} is {used}: what comes into layer {l} is {input}."),
    Mistake("only_one_sample", "only one sample counts", "{gradient} is {used}: it has to be summed over all samples; in a loop that takes +=, not =.", {"W": ("last(x).T @ last(d)", "first(x).T @ first(d)"), "b": ()}),
    Mistake("accumulated_twice", "a sum is added up again and again", "{gradient} is {used}: what was summed up so far is added again with each sample.", {"W": ("x.T @ (down * d)", "x.T @ (up * d)"), "b": ("(down * d).sum(axis=0)", "(up * d).sum(axis=0)")}),
    Mistake("weight_gradient_zero", "it is zero", "dW{l} is zero."),
    Mistake("wrong_weight_gradient", "a wrong formula", "dW{l} is {used}; it has to be {right}."),
    # bias
    Mistake("bias_not_summed_over_batch", "not summed over the samples", "db{l} is {used}: the bias is added to every sample, so every sample adds its share.", {"b": ("d", "first(d)", "last(d)")}),
    Mistake("bias_summed_over_wrong_axis", "summed over the wrong axis", "db{l} is {used}: the sum has to run over the samples.", {"b": ("d.sum(axis=1)", "d.mean(axis=1)")}),
    Mistake("bias_summed_over_all_axes", "summed over everything", "db{l} is {used}: each neuron has a bias of its own, so only the samples are summed.", {"b": ("d.sum()", "ones(b) * d.sum(keepdims=True)", "d.mean()")}),
    Mistake("bias_mean_instead_of_sum", "a mean for the sum", "db{l} is {used}; the loss sums over the samples in this line as in dW{l}.", {"b": ("d.mean(axis=0)",)}),
    Mistake("bias_from_weight_gradient", "made from the gradient of the weights", "db{l} is {used}: what reaches the bias is delta{l}, without the input.", {"b": ("(x.T @ d).sum(axis=0)", "(x.T @ d).mean(axis=0)", "(x.T @ d).sum(axis=1)", "(x.T @ d).sum()", "x.T @ d")}),
    Mistake("bias_times_delta", "the bias is multiplied in", "db{l} is {used}: z{l} contains the bias once, with the factor 1, so its derivative has no bias in it.", {"b": ("b * d.sum(axis=0)", "(b * d)", "b", "b * d.mean(axis=0)")}),
    Mistake("bias_gradient_zero", "it is zero", "db{l} is zero."),
    Mistake("wrong_bias_gradient", "a wrong formula", "db{l} is {used}; it has to be {right}."),
    Mistake("bias_gradient_shape", "the shape does not fit the bias", "db{l} has the right numbers in the shape {used}: b{l} - db{l} {update}."),
    # scale and sign
    Mistake("missing_1_over_n", "the mean over the samples is missing", "The loss is a mean over the samples, and the 1/n is missing."),
    Mistake("extra_1_over_n", "a 1/n too many", 'There is a 1/n that the loss does not have. (If the loss is a mean over the samples, ask with reduction="samples".)'),
    Mistake("missing_1_over_k", "the mean over the outputs is missing", "The loss is a mean over the outputs, and the 1/k is missing."),
    Mistake("extra_1_over_k", "a 1/k too many", "There is a 1/k that the loss does not have."),
    Mistake("extra_factor_n", "a factor n too many", "There is a factor n that the loss does not have."),
    Mistake("extra_factor_k", "a factor k too many", "There is a factor k that the loss does not have."),
    Mistake("missing_factor_2", "half of what it should be", "It is half of what it should be: a factor 2 is missing, or a 1/2 too many."),
    Mistake("extra_factor_2", "twice what it should be", "It is twice what it should be: a factor 2 too many, or a 1/2 missing."),
    Mistake("extra_factor_4", "four times what it should be", "It is four times what it should be."),
    Mistake("learning_rate_folded", "the learning rate is in the gradient", "The learning rate ({used}) is in the gradient already; it belongs to the update."),
    Mistake("wrong_scale", "a wrong factor", "It is {used} times what it should be."),
    Mistake("sign_flipped", "the sign is flipped", "The sign is flipped: this is the negative of the gradient, good for +=, not for -=."),
    Mistake("sign_error_inside_bce_derivative", "one of two signs is wrong", "The derivative of the loss is {used}: one of its two terms has the wrong sign; it is -y / a{l} + (1 - y) / (1 - a{l}).", {"error:bce": ("-(y / a) - (1 - y) / (1 - a)",)}),
    Mistake("wrong_loss_derivative", "the derivative of another loss", "The derivative of the loss is {used}, which is not that of this loss.", {"error": ("(a - y) ** 2", "abs(a - y)", "sign(a - y)", "(a - y) ** 3", "log(a) - y", "-y * log(a)", "a + y", "loss"), "error:bce": ("-y / a", "(1 - y) / (1 - a)", "(a - y) / a", "(a - y) / (1 - a)"), "error:other": ("-y / a + (1 - y) / (1 - a)",), "error:curious": ("a - y",), "delta:ce": ("abs(a - y)", "(a - y) ** 2", "sign(a - y)", "a + y")}),
    # state and forward pass
    Mistake("state_between_calls", "something is kept from call to call", "Called again with the same data, the function returns something else: {used}."),
    Mistake("forward_bias", "the biases in the forward pass", "The gradients are right for a forward pass {used}."),
    # penalty
    Mistake("penalty_missing", "the penalty is missing", "The loss has an L2 penalty, and {gradient} lacks its part: + {right}."),
    Mistake("penalty_doubled", "the penalty is doubled", "The penalty adds {used} to {gradient}, twice what belongs there: {right}."),
    Mistake("penalty_halved", "the penalty is halved", "The penalty adds {used} to {gradient}, half of what belongs there: {right}."),
    Mistake("penalty_sign_flipped", "the penalty has the wrong sign", "The penalty adds {used} to {gradient}; it has to be {right}."),
    Mistake("penalty_wrong", "the penalty is wrong", "The penalty adds {used} to {gradient}; it has to be {right}."),
    Mistake("penalty_misplaced", "a penalty where none belongs", "{gradient} contains {used}, a penalty that the loss does not have there."),
)}  # fmt: skip

UNNAMED = {
    "error": "wrong_loss_derivative",
    "back": "wrong_backpropagated_error",
    "slope": "wrong_derivative_formula",
    "W": "wrong_weight_gradient",
    "b": "wrong_bias_gradient",
}
