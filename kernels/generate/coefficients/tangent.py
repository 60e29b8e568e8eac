"""Coefficients of tan for catalogue/trigonometric.go. Run: python3 tangent.py

With z = x^2, tan(x)/x is N/D with N = 1 + z*n(z) and D = 1 + z*d(z), of degrees 2
and 3. Both agree with it at the Chebyshev points of [0, (pi/4 + 2^-10)^2]. The
coefficients of d are rounded, and those of n found anew, which makes up for that.
"""
from decimal import Decimal, getcontext
from math import cos as nearly_cos, pi as nearly_pi

getcontext().prec = 80


def series(z, first):
    """sin(x)/x for first = 1, cos(x) for first = 0, of z = x^2."""
    term = total = Decimal(1)
    n = first
    while abs(term) > Decimal(10) ** -78:
        term = -term * z / ((n + 1) * (n + 2))
        total, n = total + term, n + 2
    return total


def f(z):
    return series(z, 1) / series(z, 0)


def solve(rows):
    """The solution of linear equations, whose right sides are the last column."""
    n = len(rows)
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(n):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    return [row[-1] / row[i] for i, row in enumerate(rows)]


def points(n, most):
    return [most * (1 + Decimal(nearly_cos((2 * k + 1) * nearly_pi / (2 * n)))) / 2 for k in range(n)]


def horner(coefficients, z):
    total = Decimal(0)
    for c in reversed(coefficients):
        total = total * z + Decimal(c)
    return total


most = (Decimal(nearly_pi) / 4 + Decimal(2) ** -10) ** 2
# 1 + z*n(z) = f(z) + f(z)*z*d(z)
rows = [[z, z**2, z**3] + [-f(z) * z**k for k in (1, 2, 3, 4)] + [f(z) - 1] for z in points(7, most)]
d = [float(c) for c in solve(rows)[3:]]
rows = [[z, z**2, z**3, f(z) * (1 + z * horner(d, z)) - 1] for z in points(3, most)]
n = [float(c) for c in solve(rows)]
error = max(abs((1 + z * horner(n, z)) / (1 + z * horner(d, z)) / f(z) - 1) for z in (most * k / 1000 for k in range(1, 1001)))
print("n:", *(c.hex() for c in reversed(n)))
print("d:", *(c.hex() for c in reversed(d)))
print("relative error: %.2e, 2^%.1f" % (error, error.ln() / Decimal(2).ln()))
