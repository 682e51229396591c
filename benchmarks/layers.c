/* Six layers of 16 neurons, by hand: rms-norm, a matrix, relu; then softmax and the log of one probability. The pass
   forward and back, and the step of gradient descent. Weights lie row by row, 6 x 16 x 16, then the 16 numbers that go in. */
#include <math.h>
#include <string.h>

enum { N = 16, LAYERS = 6 };

static double pass(const double *restrict x, double *restrict grads) {
    double in[LAYERS + 1][N], scaled[LAYERS][N], scale[LAYERS], p[N], up[N], down[N];
    memcpy(in[0], x + LAYERS * N * N, sizeof in[0]);
    for (int l = 0; l < LAYERS; l++) {
        const double *w = x + l * N * N;
        double squares = 0;
        for (int i = 0; i < N; i++) squares += in[l][i] * in[l][i];
        scale[l] = 1 / sqrt(squares / N + 1e-5);
        for (int i = 0; i < N; i++) scaled[l][i] = in[l][i] * scale[l];
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int i = 0; i < N; i++) sum += w[j * N + i] * scaled[l][i];
            in[l + 1][j] = sum > 0 ? sum : 0;
        }
    }
    double largest = in[LAYERS][0], sum = 0;
    for (int i = 1; i < N; i++) largest = in[LAYERS][i] > largest ? in[LAYERS][i] : largest;
    for (int i = 0; i < N; i++) sum += p[i] = exp(in[LAYERS][i] - largest);
    for (int i = 0; i < N; i++) p[i] /= sum;
    for (int i = 0; i < N; i++) up[i] = p[i] - (i == 3);
    for (int l = LAYERS - 1; l >= 0; l--) {
        const double *w = x + l * N * N;
        double *dw = grads + l * N * N, inner = 0;
        memset(down, 0, sizeof down);
        for (int j = 0; j < N; j++) {
            double g = in[l + 1][j] > 0 ? up[j] : 0;
            for (int i = 0; i < N; i++) {
                dw[j * N + i] = g * scaled[l][i];
                down[i] += g * w[j * N + i];
            }
        }
        for (int i = 0; i < N; i++) inner += down[i] * scaled[l][i];
        for (int i = 0; i < N; i++) up[i] = scale[l] * (down[i] - scaled[l][i] * inner / N);
    }
    memcpy(grads + LAYERS * N * N, up, sizeof up);
    return -log(p[3]);
}

double replay(const double *x, double *grads) { return pass(x, grads); }

void descend(double *x, double *grads, long steps, double rate) {
    for (long s = 0; s < steps; s++) {
        pass(x, grads);
        for (int k = 0; k < LAYERS * N * N + N; k++) x[k] -= rate * grads[k];
    }
}
