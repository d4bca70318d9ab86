/* What the lab records of a lane that is looked at in step t, before the update (lab/descent.py).

   -ffast-math knows no NaN: a lane whose loss is not a number is not told apart here. */

struct limits {
  real diverged_above, gradient_below, minimum, targets[3];
  int steps, patience;
};

struct record {
  real last, lowest;
  int lowest_at, moved, outcome, hits[3];
};

enum { RUNNING, CONVERGED, DIVERGED, LEFT_DOMAIN, STALLED, OSCILLATING, BUDGET_SPENT };

/* The record after x with loss f and gradient g was seen at step t; a lane that ended keeps its. */
HOW struct record seen(struct record r, struct limits k, int t, real f, const real *x,
                       const real *g) {
  real size = 0, slope = 0;
  EACH(int i = 0; i < D; i++) {
    size = FMAX(size, FABS(x[i]));
    slope = FMAX(slope, FABS(g[i]));
  }
  int running = r.outcome == RUNNING, lower = running & (f < r.lowest);
  r.last = running ? f : r.last;
  r.lowest_at = lower ? t : r.lowest_at;
  r.lowest = lower ? f : r.lowest;
  EACH(int i = 0; i < 3; i++) {
    int hit = running & (r.hits[i] < 0) & (f - k.minimum <= k.targets[i]);
    r.hits[i] = hit ? t : r.hits[i];
  }
  int spent = t >= k.steps, end = spent ? BUDGET_SPENT : RUNNING;
  end = spent & (t - r.lowest_at >= k.patience) ? OSCILLATING : end;
  end = spent & (t - r.moved >= k.patience) ? STALLED : end;
  end = slope <= k.gradient_below ? CONVERGED : end;
  end = (size > k.diverged_above) | (f > k.diverged_above) ? DIVERGED : end;
  r.outcome = running ? end : r.outcome;
  return r;
}
