/* Multiply-adds as fast as the machine can: many independent sums, all in registers. */

#include <omp.h>

#define LANES (64 / (int)sizeof(real))
#define SUMS 16
typedef real vector __attribute__((vector_size(64)));

static double volatile kept;

/* Floating-point operations a second on so many threads, measured for about so many seconds. */
double peak(double seconds, int threads) {
  double rounds = 0, begun = omp_get_wtime();
#pragma omp parallel num_threads(threads) reduction(+ : rounds)
  {
    vector sum[SUMS], factor = {0}, more = {0};
    factor += (real)0.999;
    more += (real)0.001;
    for (int i = 0; i < SUMS; i++) sum[i] = more * (real)i;
    while (omp_get_wtime() - begun < seconds) {
      for (int n = 0; n < 10000; n++)
#pragma GCC unroll 16
        for (int i = 0; i < SUMS; i++) sum[i] = sum[i] * factor + more;
      rounds += 10000;
    }
    for (int i = 1; i < SUMS; i++) sum[0] += sum[i];
    kept = sum[0][0];
  }
  return rounds * 2 * SUMS * LANES / (omp_get_wtime() - begun);
}
