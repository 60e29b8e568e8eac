#include "reference.h"

#include <math.h>
#include <mpfr.h>
#include <string.h>

enum { PRECISION = 200, BEYOND = 1 << 20 };

static const struct {
	const char *name;
	int operands;
	int (*one)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
	int (*two)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);
	double (*libm)(double);
} functions[] = {
	{"sqrt", 1, mpfr_sqrt, NULL, sqrt},
	{"cbrt", 1, mpfr_cbrt, NULL, cbrt},
	{"exp", 1, mpfr_exp, NULL, exp},
	{"exp2", 1, mpfr_exp2, NULL, exp2},
	{"expm1", 1, mpfr_expm1, NULL, expm1},
	{"log", 1, mpfr_log, NULL, log},
	{"log2", 1, mpfr_log2, NULL, log2},
	{"log10", 1, mpfr_log10, NULL, log10},
	{"log1p", 1, mpfr_log1p, NULL, log1p},
	{"sin", 1, mpfr_sin, NULL, sin},
	{"cos", 1, mpfr_cos, NULL, cos},
	{"tan", 1, mpfr_tan, NULL, tan},
	{"arcsin", 1, mpfr_asin, NULL, asin},
	{"arccos", 1, mpfr_acos, NULL, acos},
	{"arctan", 1, mpfr_atan, NULL, atan},
	{"sinh", 1, mpfr_sinh, NULL, sinh},
	{"cosh", 1, mpfr_cosh, NULL, cosh},
	{"tanh", 1, mpfr_tanh, NULL, tanh},
	{"arcsinh", 1, mpfr_asinh, NULL, asinh},
	{"arccosh", 1, mpfr_acosh, NULL, acosh},
	{"arctanh", 1, mpfr_atanh, NULL, atanh},
	{"erf", 1, mpfr_erf, NULL, erf},
	{"divide", 2, NULL, mpfr_div, NULL},
	{"power", 2, NULL, mpfr_pow, NULL},
	{"arctan2", 2, NULL, mpfr_atan2, NULL},
	{"hypot", 2, NULL, mpfr_hypot, NULL},
	{"fma", 3, NULL, NULL, NULL},
};

int reference_find(const char *name)
{
	for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++)
		if (strcmp(functions[f].name, name) == 0)
			return f;
	return -1;
}

int reference_operands(int function) { return functions[function].operands; }

static struct exact split(mpfr_t x, mpfr_t rest)
{
	struct exact e = {0, 0, 0};
	int sign = mpfr_signbit(x) ? -1 : 1;
	if (mpfr_nan_p(x)) {
		e.hi = NAN;
	} else if (mpfr_overflow_p() || mpfr_underflow_p()) {
		// Out of even MPFR's range, but no exact infinity or zero.
		e.hi = sign * 0.5;
		e.exp = mpfr_overflow_p() ? BEYOND : -BEYOND;
	} else if (mpfr_inf_p(x)) {
		e.hi = sign * HUGE_VAL;
	} else if (mpfr_zero_p(x)) {
		e.hi = sign * 0.0;
	} else {
		// The binade is that of x itself: hi may have been rounded up to 1.
		e.exp = mpfr_get_exp(x);
		mpfr_mul_2si(rest, x, -e.exp, MPFR_RNDN);
		e.hi = mpfr_get_d(rest, MPFR_RNDN);
		mpfr_sub_d(rest, rest, e.hi, MPFR_RNDN);
		e.lo = mpfr_get_d(rest, MPFR_RNDN);
	}
	return e;
}

void reference_exact(int function, size_t n, const double *a, const double *b, const double *c, struct exact *out)
{
	mpfr_t x, y, z, r, rest;
	mpfr_inits2(PRECISION, x, y, z, r, rest, (mpfr_ptr)0);
	for (size_t i = 0; i < n; i++) {
		mpfr_set_d(x, a[i], MPFR_RNDN);
		if (functions[function].operands > 1)
			mpfr_set_d(y, b[i], MPFR_RNDN);
		if (functions[function].operands > 2)
			mpfr_set_d(z, c[i], MPFR_RNDN);
		mpfr_clear_flags();
		if (functions[function].operands == 1)
			functions[function].one(r, x, MPFR_RNDN);
		else if (functions[function].operands == 2)
			functions[function].two(r, x, y, MPFR_RNDN);
		else
			mpfr_fma(r, x, y, z, MPFR_RNDN);
		out[i] = split(r, rest);
	}
	mpfr_clears(x, y, z, r, rest, (mpfr_ptr)0);
}

void reference_libm(int function, size_t n, const float *a, double *out)
{
	double (*f)(double) = functions[function].libm;
	for (size_t i = 0; i < n; i++)
		out[i] = f(a[i]);
}
