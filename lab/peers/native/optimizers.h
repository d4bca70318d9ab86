/* One update of every coordinate, as optax defines the optimizers with their usual settings.

   The includer defines one of SGD, HEAVY_BALL, ADAM, LION. `c1`, `c2` are Adam's bias corrections
   1 / (1 - b^t), the same for every lane. */

#if defined(SGD)
#define MOMENTS 0
HOW void update(real *x, real *m, real *v, const real *g, real rate, real c1, real c2) {
  EACH(int i = 0; i < D; i++) x[i] -= rate * g[i];
}

#elif defined(HEAVY_BALL)
#define MOMENTS 1
HOW void update(real *x, real *m, real *v, const real *g, real rate, real c1, real c2) {
  EACH(int i = 0; i < D; i++) {
    m[i] = g[i] + (real)0.9 * m[i];
    x[i] -= rate * m[i];
  }
}

#elif defined(ADAM)
#define MOMENTS 2
HOW void update(real *x, real *m, real *v, const real *g, real rate, real c1, real c2) {
  EACH(int i = 0; i < D; i++) {
    m[i] = (real)0.9 * m[i] + (real)0.1 * g[i];
    v[i] = (real)0.999 * v[i] + (real)0.001 * g[i] * g[i];
    x[i] -= rate * (m[i] * c1) / (SQRT(v[i] * c2) + (real)1e-8);
  }
}

#elif defined(LION)
#define MOMENTS 1
HOW void update(real *x, real *m, real *v, const real *g, real rate, real c1, real c2) {
  EACH(int i = 0; i < D; i++) {
    real c = (real)0.9 * m[i] + (real)0.1 * g[i];
    real sign = (real)(c > 0) - (real)(c < 0);
    m[i] = (real)0.99 * m[i] + (real)0.01 * g[i];
    x[i] -= rate * (sign + (real)1e-3 * x[i]);
  }
}
#endif
