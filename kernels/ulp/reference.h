// The exact functions, from MPFR, and glibc's.
#include <stddef.h>

// An exact value: (hi + lo) * 2^exp with 0.5 <= |hi + lo| < 1; or a zero, an
// infinity or NaN as hi alone.
struct exact {
	double hi, lo;
	long exp;
};

// reference_find returns the number of a function, or -1.
int reference_find(const char *name);

// reference_operands returns how many operands a function has.
int reference_operands(int function);

// reference_exact computes n values. Operands that the function does not have
// may be NULL.
void reference_exact(int function, size_t n, const double *a, const double *b, const double *c, struct exact *out);

// reference_libm computes n values of a function of one operand by glibc's
// function for doubles.
void reference_libm(int function, size_t n, const float *a, double *out);
