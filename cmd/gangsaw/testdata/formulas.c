// What formulas over files of numbers give, by NumPy 2's rules of promotion, each
// conversion written out: "formulas N OUT IN..." compares OUT with formula N of the
// inputs, element by element, and says how many are wrong. It shares nothing with
// gangsaw. Build with -fwrapv -ffp-contract=off.
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef long double wide;
typedef _Float128 sum_t;
typedef uint8_t bool8; // as NumPy stores truth values
typedef struct { uint16_t bits; } half;

typedef struct {
	const unsigned char *data;
	size_t bytes;
} array;

static void die(const char *what, const char *path) {
	fprintf(stderr, "formulas: %s: %s\n", path, what);
	exit(2);
}

// open_npy maps a file of NumPy's format and returns its elements.
static array open_npy(const char *path) {
	int fd = open(path, O_RDONLY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < 10) die("cannot be read", path);
	const unsigned char *m = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (m == MAP_FAILED || memcmp(m, "\x93NUMPY\x01", 7) != 0) die("is no .npy file of version 1", path);
	size_t at = 10 + m[8] + 256 * m[9];
	if (at > (size_t)st.st_size) die("is cut short", path);
	close(fd);
	return (array){m + at, st.st_size - at};
}

// float16 is computed as float and rounded after each operation.
static float widen(half h) {
	int sign = h.bits >> 15, exponent = h.bits >> 10 & 31, fraction = h.bits & 1023;
	float f;
	if (exponent == 31) f = fraction ? NAN : INFINITY;
	else if (exponent == 0) f = ldexpf(fraction, -24);
	else f = ldexpf(1024 + fraction, exponent - 25);
	return sign ? -f : f;
}

static half narrow(float f) {
	uint16_t sign = signbit(f) ? 0x8000 : 0;
	float a = fabsf(f);
	if (isnan(a)) return (half){0x7e00};
	if (a >= 65520) return (half){sign | 0x7c00};
	int exponent;
	frexpf(a, &exponent);
	if (a == 0 || exponent < -13) exponent = -13; // as of subnormal numbers
	// rint rounds to even, and the scaling is exact.
	long q = (long)rintf(ldexpf(a, 11 - exponent));
	if (exponent == -13) return (half){sign | q};
	return (half){sign | (((exponent + 13) << 10) + q)};
}

// NumPy's // and % of floats: from fmod, which is exact.
static double floor_divide(double a, double b) {
	if (b == 0) return a / b;
	double mod = fmod(a, b), div = (a - mod) / b;
	if (mod != 0 && (b < 0) != (mod < 0)) div -= 1;
	if (div == 0) return copysign(0, a / b);
	double down = floor(div);
	return div - down > 0.5 ? down + 1 : down;
}

static double remain(double a, double b) {
	double mod = fmod(a, b);
	if (mod == 0) return copysign(0, b);
	return (b < 0) != (mod < 0) ? mod + b : mod;
}

// Python's // and % of integers round down; NumPy gives 0 where the divisor is 0.
static int64_t floor_div_int(int64_t a, int64_t b) { return b == 0 ? 0 : a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }
static int64_t remain_int(int64_t a, int64_t b) { return b == 0 ? 0 : a - b * floor_div_int(a, b); }

static size_t n, wrong;
static double worst;

static void mistaken(size_t i, wide got, wide want) {
	if (wrong++ < 3) printf("element %zu is %.21Lg, want %.21Lg\n", i, got, want);
}

// near compares with a value that is all but exact, in units of the last place.
static void near(size_t i, wide got, wide want, int digits, int least, double most) {
	if (isnan(want) || isinf(want) || isnan(got)) {
		if (!(isnan(want) && isnan(got)) && got != want) mistaken(i, got, want);
		return;
	}
	int exponent = least;
	if (want != 0) frexpl(want, &exponent);
	if (exponent < least) exponent = least;
	double ulps = (double)(fabsl(got - want) / ldexpl(1, exponent - digits));
	if (ulps > worst) worst = ulps;
	if (ulps > most) mistaken(i, got, want);
}

static double mean_of(const double *x) {
	sum_t s = 0;
	for (size_t i = 0; i < n; i++) s += x[i];
	return (double)(s / n);
}

static double std_of(const double *x) {
	sum_t s = 0, m = 0;
	for (size_t i = 0; i < n; i++) m += x[i];
	m /= n;
	for (size_t i = 0; i < n; i++) s += (x[i] - m) * (x[i] - m);
	return (double)sqrtl((wide)(s / n));
}

static double meanf_of(const float *x) {
	sum_t s = 0;
	for (size_t i = 0; i < n; i++) s += x[i];
	return (double)(s / n);
}

#define IN(k, T) ((const T *)in[k].data)[i]
#define BEGIN(N, T) \
	case N: { \
		typedef T out_t; \
		if (out.bytes % sizeof(out_t)) die("elements are cut", argv[2]); \
		n = out.bytes / sizeof(out_t); \
		for (int k = 3; k < argc; k++) \
			if (n == 0 || in[k - 3].bytes == 0 || in[k - 3].bytes % n) die("has another length", argv[k]);
#define LOOP for (size_t i = 0; i < n; i++)
#define END break; }
#define GOT ((const out_t *)out.data)[i]
// The same bits, but any NaN is any other.
#define SAME(EXPR) do { \
	out_t want = (EXPR), got = GOT; \
	if (memcmp(&want, &got, sizeof want) != 0 && !(want != want && got != got)) mistaken(i, (wide)got, (wide)want); \
} while (0)
#define NEAR(MOST, EXPR) near(i, (wide)GOT, (EXPR), sizeof(out_t) == 4 ? 24 : 53, sizeof(out_t) == 4 ? -125 : -1021, MOST)

int main(int argc, char **argv) {
	if (argc < 4 || argc > 6) die("formulas N OUT IN...", "usage");
	array out = open_npy(argv[2]), in[3] = {0};
	for (int k = 3; k < argc; k++) in[k - 3] = open_npy(argv[k]);
	switch (atoi(argv[1])) {
	BEGIN(1, double) // x - mean(x)
		double m = mean_of((const double *)in[0].data);
		LOOP SAME(IN(0, double) - m);
	END
	BEGIN(2, double) // (x - mean(x)) / std(x): std is good to 14 digits
		double m = mean_of((const double *)in[0].data), s = std_of((const double *)in[0].data);
		LOOP NEAR(64, (wide)(IN(0, double) - m) / s);
	END
	BEGIN(3, double) // clip((x - y) / 3, -0.5, 0.5)
		LOOP {
			double v = (IN(0, double) - IN(1, double)) / 3.0;
			SAME(isnan(v) ? v : v < -0.5 ? -0.5 : v > 0.5 ? 0.5 : v);
		}
	END
	BEGIN(4, double) // where(x > y, x*x, -y)
		LOOP SAME(IN(0, double) > IN(1, double) ? IN(0, double) * IN(0, double) : -IN(1, double));
	END
	BEGIN(5, float) // x * 0.1 + 1: the literals take the array's type
		LOOP {
			float v = IN(0, float) * (float)0.1;
			SAME(v + (float)1);
		}
	END
	BEGIN(6, float) // sqrt(abs(x)) - mean(x): so does the value of a reduction
		float m = (float)meanf_of((const float *)in[0].data);
		LOOP SAME((float)sqrt((double)fabsf(IN(0, float))) - m);
	END
	BEGIN(7, int32_t) // x // 7 + x % -5
		LOOP SAME((int32_t)((uint32_t)floor_div_int(IN(0, int32_t), 7) + (uint32_t)remain_int(IN(0, int32_t), -5)));
	END
	BEGIN(8, double) // x / 3 of integers
		LOOP SAME((double)IN(0, int32_t) / 3.0);
	END
	BEGIN(9, int32_t) // x * 2654435 - (x ^ 12345) wraps
		LOOP SAME((int32_t)((uint32_t)IN(0, int32_t) * 2654435u - (uint32_t)(IN(0, int32_t) ^ 12345)));
	END
	BEGIN(10, int64_t) // (x << 3) | (x & 7) + abs(x) >> 5: Python's precedence
		LOOP {
			int64_t x = IN(0, int64_t), a = x < 0 ? (int64_t)(0 - (uint64_t)x) : x;
			int64_t s = (int64_t)((uint64_t)(x & 7) + (uint64_t)a);
			SAME((int64_t)((uint64_t)x << 3) | s >> 5);
		}
	END
	BEGIN(11, uint8_t) // x + 200 stays uint8
		LOOP SAME((uint8_t)(IN(0, uint8_t) + 200));
	END
	BEGIN(12, double) // int32 + float32
		LOOP SAME((double)IN(0, int32_t) + (double)IN(1, float));
	END
	BEGIN(13, float) // int16 * float32
		LOOP SAME((float)IN(0, int16_t) * IN(1, float));
	END
	BEGIN(14, half) // x * 3 - 1 of float16
		LOOP {
			half want = narrow(widen(narrow(widen(IN(0, half)) * 3.0f)) - 1.0f), got = GOT;
			if (want.bits != got.bits && !(isnan(widen(want)) && isnan(widen(got)))) mistaken(i, widen(got), widen(want));
		}
	END
	BEGIN(15, bool8) // (x > 0) & (y < 0.5) | isnan(x)
		LOOP SAME((bool8)((IN(0, double) > 0 && IN(1, double) < 0.5) || isnan(IN(0, double))));
	END
	BEGIN(16, double) // exp(-x*x / 2)
		LOOP NEAR(1, expl((wide)(-IN(0, double) * IN(0, double) / 2.0)));
	END
	BEGIN(17, float) // tanh(x)
		LOOP NEAR(1, tanhl((wide)IN(0, float)));
	END
	BEGIN(18, double) // log1p(abs(x)) of int64: float64 first
		LOOP {
			int64_t x = IN(0, int64_t);
			NEAR(1, log1pl((wide)(double)(x < 0 ? (int64_t)(0 - (uint64_t)x) : x)));
		}
	END
	BEGIN(19, double) // x // 0.3 - y % -0.7
		LOOP SAME(floor_divide(IN(0, double), 0.3) - remain(IN(1, double), -0.7));
	END
	BEGIN(20, double) // uint64 + int64 is float64
		LOOP SAME((double)IN(0, uint64_t) + (double)IN(1, int64_t));
	END
	BEGIN(21, double) // arctan2(x, y)
		LOOP NEAR(1, atan2l((wide)IN(0, double), (wide)IN(1, double)));
	END
	BEGIN(22, int16_t) // int16(x * 1000) of float32: cut off
		LOOP SAME((int16_t)(IN(0, float) * (float)1000));
	END
	default:
		die("there is no such formula", argv[1]);
	}
	if (wrong) printf("%zu of %zu elements are wrong\n", wrong, n);
	printf("compared %zu elements, at most %.3g ULP apart\n", n, worst);
	return wrong != 0;
}
