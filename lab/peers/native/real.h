/* `real` and its functions: float, or double where DOUBLE is defined. */

#ifdef DOUBLE
typedef double real;
#define SIN sin
#define TANH tanh
#define EXP exp
#define LOG log
#define SQRT sqrt
#define FABS fabs
#define FMAX fmax
#else
typedef float real;
#define SIN sinf
#define TANH tanhf
#define EXP expf
#define LOG logf
#define SQRT sqrtf
#define FABS fabsf
#define FMAX fmaxf
#endif
