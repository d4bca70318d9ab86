/* Descents of many lanes on every core: blocks of L lanes whose state stays in registers or in the
   first cache, steps outside, lanes inside and vectorised. Arrays are [coordinate][lane]. */

#include <math.h>
#include <string.h>

#include "real.h"

#define HOW static inline __attribute__((always_inline))
#define EACH _Pragma("GCC unroll 64") for
#define DATA static const

#include "data.h"
#include "losses.h"
#include "optimizers.h"
#include "records.h"

struct block {
  real x[D][L], m[D][L], v[D][L], last[L], lowest[L];
  int lowest_at[L], moved[L], outcome[L], hits[3][L];
};

HOW struct record load(const struct block *b, int l) {
  struct record r = {b->last[l], b->lowest[l], b->lowest_at[l], b->moved[l], b->outcome[l]};
  EACH(int i = 0; i < 3; i++) r.hits[i] = b->hits[i][l];
  return r;
}

HOW void store(struct block *b, int l, struct record r) {
  b->last[l] = r.last;
  b->lowest[l] = r.lowest;
  b->lowest_at[l] = r.lowest_at;
  b->moved[l] = r.moved;
  b->outcome[l] = r.outcome;
  EACH(int i = 0; i < 3; i++) b->hits[i][l] = r.hits[i];
}

/* One lane at step t; where records are kept, a lane that has ended no longer moves. */
HOW void step(struct block *b, int l, int t, struct limits k, real rate, real c1, real c2) {
  real x[D], g[D], m[D], v[D], old[D];
  EACH(int i = 0; i < D; i++) {
    old[i] = x[i] = b->x[i][l];
    m[i] = b->m[i][l];
    v[i] = b->v[i][l];
  }
  real f = value_and_gradient(x, g);
  update(x, m, v, g, rate, c1, c2);
  if (RECORD) {
    struct record r = seen(load(b, l), k, t, f, old, g);
    int moves = r.outcome == RUNNING, changed = 0;
    EACH(int i = 0; i < D; i++) {
      x[i] = moves ? x[i] : old[i];
      changed |= x[i] != old[i];
    }
    r.moved = changed ? t + 1 : r.moved;
    store(b, l, r);
  }
  EACH(int i = 0; i < D; i++) {
    b->x[i][l] = x[i];
    if (MOMENTS > 0) b->m[i][l] = m[i];
    if (MOMENTS > 1) b->v[i][l] = v[i];
  }
}

HOW void begin(struct block *b) {
  memset(b, 0, sizeof *b);
  for (int l = 0; l < L; l++) {
    b->last[l] = b->lowest[l] = (real)1e30;
    b->hits[0][l] = b->hits[1][l] = b->hits[2][l] = -1;
  }
}

/* `losses` holds the last and the lowest loss, `steps` the outcome and three hitting times. */
void run(const real *start, real *end, real *losses, int *steps, long lanes,
         const struct limits *limits, real rate, int threads) {
  struct limits k = *limits;
#pragma omp parallel for schedule(dynamic, 16) num_threads(threads)
  for (long first = 0; first < lanes; first += L) {
    struct block b;
    begin(&b);
    size_t count = lanes - first < L ? lanes - first : L, size = count * sizeof(real);
    for (int i = 0; i < D; i++) memcpy(b.x[i], start + i * lanes + first, size);
    double p1 = 1, p2 = 1;
    for (int t = 0; t < k.steps + RECORD; t++) {
      real c1 = 1 / (1 - (p1 *= 0.9)), c2 = 1 / (1 - (p2 *= 0.999));
#pragma omp simd
      for (int l = 0; l < L; l++) step(&b, l, t, k, rate, c1, c2);
    }
    for (int i = 0; i < D; i++) memcpy(end + i * lanes + first, b.x[i], size);
    if (!RECORD) continue;
    memcpy(losses + first, b.last, size);
    memcpy(losses + lanes + first, b.lowest, size);
    memcpy(steps + first, b.outcome, count * sizeof(int));
    for (int i = 0; i < 3; i++) memcpy(steps + (i + 1) * lanes + first, b.hits[i], count * sizeof(int));
  }
}
