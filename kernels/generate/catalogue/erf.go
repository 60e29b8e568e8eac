package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// erf is x p(x^2) near 0 and 1 - 2^p(x) beyond. Near 0 the first two steps of
// the polynomial are sums of two floats; beyond, errors shrink with what is
// subtracted from 1, so that one float is enough from 1.25 on.
func erf(b *ir.B, x ir.V, narrow bool) ir.V {
	bound, near, far := 1.25, erfNear, erfFar
	if narrow {
		bound, near, far = 1, erfNearNarrow, erfFarNarrow
	}
	a := abs(b, x)
	n := near(a)
	return copySign(b, a.Lt(a.C(bound)).Select(n, far(a)), x)
}

func erfNear(a ir.V) ir.V {
	u := a.Mul(a)
	rest := a.FMS(a, u)
	// erf(x) = x p(x^2): x <= 1.25, 2^-59.9.
	q := horner(u, -0x1.cb112398a2f31p-39, 0x1.5d1053e223619p-34, -0x1.46c71c6ef0c9dp-30, 0x1.fa40e56ff237ep-27,
		-0x1.5f4115cd265b7p-23, 0x1.b9e10e01d688p-20, -0x1.f4d1e78aee66bp-17, 0x1.f9a3207b5c097p-14, -0x1.c02db3c13dc9fp-11, 0x1.565bcd0cdce5dp-8,
		-0x1.b82ce3127ceffp-6, 0x1.ce2f21a0428f6p-4)
	const (
		high1 = -0x1.812746b0379e2p-2
		low1  = -0x1.60bcd65bb1696p-57
		high0 = 0x1.20dd750429b6dp0
		low0  = 0x1.07aee06a395b8p-56
	)
	p := u.FMA(q, u.C(high1))
	e := u.FMA(q, u.C(high1).Sub(p)).Add(u.C(low1))
	s := u.FMA(p, u.C(high0))
	t := u.FMA(p, u.C(high0).Sub(s))
	t = t.Add(u.FMA(e, rest.FMA(p, u.C(low0))))
	return a.FMA(s, a.Mul(t))
}

func erfFar(a ir.V) ir.V {
	// erfc(x) = 2^p(x): 1.25 <= x <= 5.95, where erf(x) has become 1, 2^-57.4.
	p := horner(a.C(5.95).Min(a), 0x1.ec6d294fc4a08p-37, -0x1.ab31f4d4b36bfp-31, 0x1.4c0aec38bf7ep-26, -0x1.3811a9cf8f1ccp-22,
		0x1.90c20f105848cp-19, -0x1.76aab2f83f65bp-16, 0x1.07b85be8b2f86p-13, -0x1.1a68e53e5f08fp-11, 0x1.c19b4a85f9978p-10, -0x1.d7752af33a7p-9,
		0x1.85848edb21dfep-10, 0x1.b4ebb4741e217p-6, -0x1.2e8e0e762a60ep-3, -0x1.d65b37b6868bdp-1, -0x1.a0baf6ee9a743p0, -0x1.a9a875672cf3dp-18)
	// 2^r = 1 + r q(r): |r| <= 0.5, 2^-56.6.
	return lessPower(p, 0x1.eb5b6dbad119ep-32, 0x1.e6055974797e7p-28, 0x1.b523dc17d3425p-24, 0x1.62bfd4fe48ea4p-20,
		0x1.ffcbfd0180bb4p-17, 0x1.430913093a10fp-13, 0x1.5d87fe7880441p-10, 0x1.3b2ab6fba1ee3p-7, 0x1.c6b08d704a1acp-5, 0x1.ebfbdff82c598p-3,
		0x1.62e42fefa39efp-1)
}

func erfNearNarrow(a ir.V) ir.V {
	// erf(x) = x p(x^2): x <= 1, 2^-34.8.
	return horner(a.Mul(a), -0x1.4383fc933ca87p-17, 0x1.d8268dd4cdfb8p-14, -0x1.bcbe99bca4597p-11, 0x1.5628eddbed84dp-8,
		-0x1.b829a7a3d5ddap-6, 0x1.ce2f079892a03p-4, -0x1.8127465fb8dbp-2, 0x1.20dd7504007d3p0).Mul(a)
}

func erfFarNarrow(a ir.V) ir.V {
	// erfc(x) = 2^p(x): 1 <= x <= 4, where erf(x) has become 1, 2^-35.4.
	p := horner(a.C(4).Min(a), -0x1.06753922f5e12p-15, 0x1.4dd220ffd336fp-11, -0x1.8d88d35969018p-8, 0x1.29ecd37b8014ap-5,
		-0x1.405676a17f64ep-3, -0x1.d3bbf019926bbp-1, -0x1.a12fe6e6f5364p0, 0x1.1c758235d8a9bp-12)
	// 2^r = 1 + r q(r): |r| <= 0.5, 2^-27.7.
	return lessPower(p, 0x1.4308fabb2c5f9p-13, 0x1.5f07b4611403dp-10, 0x1.3b2b9fbd8a94fp-7, 0x1.c6af6e92be503p-5,
		0x1.ebfbdec29c81cp-3, 0x1.62e4302eeb44cp-1)
}

// lessPower is 1 - 2^p for p from -1000 to 0. The coefficients are those of
// (2^r - 1) / r.
func lessPower(p ir.V, coefficients ...float64) ir.V {
	// The sum leaves the biased exponent in the low bits.
	const magic = 0x1.8p52 + 1023
	k := p.Add(p.C(magic))
	r := p.Sub(k.Sub(p.C(magic)))
	e := horner(r, coefficients...).FMA(r, r.C(1))
	return e.FNMA(k.Bits().ShlI(52).AsFloat(), e.C(1))
}
