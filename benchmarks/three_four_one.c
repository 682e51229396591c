/* 60,000 steps of the 3-4-1 network, as one writes them by hand in C. */

#include <math.h>

enum { SAMPLES = 4, INPUTS = 3, HIDDEN = 4 };

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }

/* Gradient descent on half the squared error; w1 and w2 are changed in place. */
void descend(const double x[SAMPLES][INPUTS], const double y[SAMPLES], double w1[INPUTS][HIDDEN], double w2[HIDDEN],
             long steps, double rate)
{
    for (long step = 0; step < steps; step++) {
        double dw1[INPUTS][HIDDEN] = {{0}}, dw2[HIDDEN] = {0};
        for (int s = 0; s < SAMPLES; s++) {
            double a1[HIDDEN], z2 = 0;
            for (int j = 0; j < HIDDEN; j++) {
                double z1 = 0;
                for (int i = 0; i < INPUTS; i++)
                    z1 += x[s][i] * w1[i][j];
                a1[j] = sigmoid(z1);
                z2 += a1[j] * w2[j];
            }
            double a2 = sigmoid(z2);
            double delta2 = (a2 - y[s]) * a2 * (1 - a2);
            for (int j = 0; j < HIDDEN; j++) {
                double delta1 = delta2 * w2[j] * a1[j] * (1 - a1[j]);
                dw2[j] += a1[j] * delta2;
                for (int i = 0; i < INPUTS; i++)
                    dw1[i][j] += x[s][i] * delta1;
            }
        }
        for (int j = 0; j < HIDDEN; j++) {
            w2[j] -= rate * dw2[j];
            for (int i = 0; i < INPUTS; i++)
                w1[i][j] -= rate * dw1[i][j];
        }
    }
}
