/* The losses by hand: value and gradient at one point x of D coordinates.

   The includer defines `real`, `HOW` (how functions are declared), `EACH` (a loop to unroll), D,
   and one of the losses' names; data.h holds the data of the models. A value that nobody reads
   costs nothing: everything is inlined. */

#if defined(ROSENBROCK)
HOW real value_and_gradient(const real *x, real *g) {
  real f = 0;
  EACH(int i = 0; i < D; i++) g[i] = 0;
  EACH(int i = 0; i < D - 1; i++) {
    real r = x[i + 1] - x[i] * x[i], s = 1 - x[i];
    f += 100 * r * r + s * s;
    g[i] -= 400 * x[i] * r + 2 * s;
    g[i + 1] += 200 * r;
  }
  return f;
}

#elif defined(RASTRIGIN)
HOW real value_and_gradient(const real *x, real *g) {
  const real pi = (real)3.14159265358979323846;
  real f = 0;
  EACH(int i = 0; i < D; i++) {
    real s = SIN(pi * x[i]); /* no cosine: gcc makes sincos of the pair, and no vectors of that */
    f += x[i] * x[i] + 20 * s * s;
    g[i] = 2 * x[i] + 20 * pi * SIN(2 * pi * x[i]);
  }
  return f;
}

#elif defined(THREE_WELLS)
/* -p / (c + q |x - (a, b)|^2) */
HOW real well(const real *x, real *g, real p, real c, real q, real a, real b) {
  real u = x[0] - a, v = x[1] - b, low = 1 / (c + q * (u * u + v * v));
  real slope = 2 * p * q * low * low;
  g[0] += slope * u;
  g[1] += slope * v;
  return -p * low;
}

HOW real value_and_gradient(const real *x, real *g) {
  g[0] = g[1] = 0;
  real first = well(x, g, 10, 3, 3, (real)0.5, (real)0.5);
  real second = well(x, g, 2, 1, 2, 3, (real)1.5);
  real third = well(x, g, 3, 1, (real)0.5, (real)3.5, 4);
  return 10 + first + second + third;
}

#elif defined(TANH_NETWORK)
HOW real value_and_gradient(const real *w, real *g) {
  real f = 0;
  EACH(int i = 0; i < D; i++) g[i] = 0;
  EACH(int j = 0; j < POINTS; j++) {
    real h[HIDDEN], r = w[3 * HIDDEN] - OUTPUTS[j];
    EACH(int i = 0; i < HIDDEN; i++) {
      h[i] = TANH(w[i] * INPUTS[j] + w[HIDDEN + i]);
      r += w[2 * HIDDEN + i] * h[i];
    }
    f += r * r / POINTS;
    r *= (real)2 / POINTS;
    EACH(int i = 0; i < HIDDEN; i++) {
      real inner = r * w[2 * HIDDEN + i] * (1 - h[i] * h[i]);
      g[i] += inner * INPUTS[j];
      g[HIDDEN + i] += inner;
      g[2 * HIDDEN + i] += r * h[i];
    }
    g[3 * HIDDEN] += r;
  }
  return f;
}

#elif defined(LOGISTIC_REGRESSION)
HOW real value_and_gradient(const real *w, real *g) {
  real f = 0;
  EACH(int i = 0; i < D; i++) {
    f += RIDGE / 2 * w[i] * w[i];
    g[i] = RIDGE * w[i];
  }
  EACH(int j = 0; j < EXAMPLES; j++) { /* SIGNED[j] is label times features */
    real margin = 0;
    EACH(int i = 0; i < D; i++) margin += SIGNED[j][i] * w[i];
    real e = EXP(-FABS(margin)), wrong = (margin < 0 ? 1 : e) / (1 + e);
    f += (FMAX(-margin, 0) + LOG(1 + e)) / EXAMPLES;
    EACH(int i = 0; i < D; i++) g[i] -= wrong / EXAMPLES * SIGNED[j][i];
  }
  return f;
}
#endif
