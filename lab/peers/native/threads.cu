/* Descents of many lanes on a GPU: one thread a lane, whose state never leaves registers. */

#include <cuda_runtime.h>

#include "real.h"

#define HOW __device__ static __forceinline__
#define EACH _Pragma("unroll") for
#define DATA __device__ const

#include "data.h"
#include "losses.h"
#include "optimizers.h"
#include "records.h"

__global__ void descend(const real *start, real *end, real *losses, int *steps, long lanes,
                        struct limits k, real rate) {
  long lane = (long)blockIdx.x * blockDim.x + threadIdx.x;
  if (lane >= lanes) return;
  real x[D], g[D], m[D], v[D], old[D];
  struct record r = {(real)1e30, (real)1e30, 0, 0, RUNNING, {-1, -1, -1}};
  EACH(int i = 0; i < D; i++) {
    x[i] = start[i * lanes + lane];
    m[i] = v[i] = 0;
  }
  real p1 = 1, p2 = 1;
  for (int t = 0; t < k.steps + RECORD; t++) {
    p1 *= (real)0.9;
    p2 *= (real)0.999;
    EACH(int i = 0; i < D; i++) old[i] = x[i];
    real f = value_and_gradient(x, g);
    update(x, m, v, g, rate, 1 / (1 - p1), 1 / (1 - p2));
    if (!RECORD) continue;
    r = seen(r, k, t, f, old, g);
    int changed = 0;
    EACH(int i = 0; i < D; i++) {
      x[i] = r.outcome == RUNNING ? x[i] : old[i];
      changed |= x[i] != old[i];
    }
    r.moved = changed ? t + 1 : r.moved;
    if (r.outcome != RUNNING) break;
  }
  EACH(int i = 0; i < D; i++) end[i * lanes + lane] = x[i];
  if (!RECORD) return;
  losses[lane] = r.last;
  losses[lanes + lane] = r.lowest;
  steps[lane] = r.outcome;
  EACH(int i = 0; i < 3; i++) steps[(i + 1) * lanes + lane] = r.hits[i];
}

static real *start_, *end_, *losses_;
static int *steps_;

/* Room for so many lanes, and the starts in it; returns CUDA's error code. */
extern "C" int place(const real *start, long lanes) {
  cudaMalloc(&start_, sizeof(real) * D * lanes);
  cudaMalloc(&end_, sizeof(real) * D * lanes);
  cudaMalloc(&losses_, sizeof(real) * 2 * lanes);
  cudaMalloc(&steps_, sizeof(int) * 4 * lanes);
  cudaMemcpy(start_, start, sizeof(real) * D * lanes, cudaMemcpyHostToDevice);
  return cudaGetLastError();
}

extern "C" void release(void) {
  cudaFree(start_);
  cudaFree(end_);
  cudaFree(losses_);
  cudaFree(steps_);
}

/* The whole run, and its results on the host. */
extern "C" int run(real *end, real *losses, int *steps, long lanes, const struct limits *limits,
                   real rate) {
  descend<<<(lanes + 255) / 256, 256>>>(start_, end_, losses_, steps_, lanes, *limits, rate);
  cudaMemcpy(end, end_, sizeof(real) * D * lanes, cudaMemcpyDeviceToHost);
  if (RECORD) cudaMemcpy(losses, losses_, sizeof(real) * 2 * lanes, cudaMemcpyDeviceToHost);
  if (RECORD) cudaMemcpy(steps, steps_, sizeof(int) * 4 * lanes, cudaMemcpyDeviceToHost);
  return cudaGetLastError();
}
