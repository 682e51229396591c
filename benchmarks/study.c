/* An interpreter of the study's graph: all operations forward, then all of them back, in double. */

#include <math.h>
#include <string.h>

enum kind { SOFTPLUS, SUM, PRODUCT, SOFTMAX };

/* The slots of up to four operands, and of the result; softmax has four results, one after the other. */
typedef struct {
    int kind, in[4], out;
} operation;

static double softplus(double a) { return a > 0 ? a + log1p(exp(-a)) : log1p(exp(a)); }

static double sigmoid(double a) { return 1 / (1 + exp(-a)); }

static void forward(const operation *op, double *v)
{
    const int *in = op->in;
    double *out = v + op->out;
    switch (op->kind) {
    case SOFTPLUS:
        *out = softplus(v[in[0]]);
        break;
    case SUM:
        *out = v[in[0]] + v[in[1]] + v[in[2]] + v[in[3]];
        break;
    case PRODUCT:
        *out = v[in[0]] * v[in[1]];
        break;
    case SOFTMAX: {
        double largest = v[in[0]], sum = 0;
        for (int k = 1; k < 4; k++)
            if (v[in[k]] > largest)
                largest = v[in[k]];
        for (int k = 0; k < 4; k++)
            sum += out[k] = exp(v[in[k]] - largest);
        for (int k = 0; k < 4; k++)
            out[k] /= sum;
        break;
    }
    }
}

static void backward(const operation *op, const double *v, double *d)
{
    const int *in = op->in;
    const double *out = v + op->out, *d_out = d + op->out;
    switch (op->kind) {
    case SOFTPLUS:
        d[in[0]] += *d_out * sigmoid(v[in[0]]);
        break;
    case SUM:
        for (int k = 0; k < 4; k++)
            d[in[k]] += *d_out;
        break;
    case PRODUCT:
        d[in[0]] += *d_out * v[in[1]];
        d[in[1]] += *d_out * v[in[0]];
        break;
    case SOFTMAX: {
        double mean = 0;
        for (int k = 0; k < 4; k++)
            mean += out[k] * d_out[k];
        for (int k = 0; k < 4; k++)
            d[in[k]] += out[k] * (d_out[k] - mean);
        break;
    }
    }
}

/* The values v of all nodes, from those of the inputs, and the adjoints d of all nodes, from that of the last. */
void replay(const operation *program, long count, double *v, double *d, long nodes)
{
    for (long k = 0; k < count; k++)
        forward(program + k, v);
    memset(d, 0, nodes * sizeof *d);
    d[nodes - 1] = 1;
    for (long k = count - 1; k >= 0; k--)
        backward(program + k, v, d);
}
