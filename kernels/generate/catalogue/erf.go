package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// erf is x p(x^2) near 0 and 1 - 2^p(x) beyond. Near 0 the last three steps of
// the polynomial are sums of two floats; beyond, errors shrink with what is
// subtracted from 1, so that one float is enough from 1.375 on.
func erf(b *ir.B, x ir.V, narrow bool) ir.V {
	bound, near, far := 1.375, erfNear, erfFar
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
	// erf(x) = x p(x^2): x <= 1.375, 2^-61.3.
	q := halves(u, u.Mul(u), 0x1.a28418361da4ep-43, -0x1.740b6d4863fdap-38, 0x1.885e33c4e9ed4p-34, -0x1.4e855f0136b6bp-30,
		0x1.fc102045de735p-27, -0x1.5f663939702acp-23, 0x1.b9e53ac0a4258p-20, -0x1.f4d23c181d5e3p-17, 0x1.f9a32523998a4p-14, -0x1.c02db3edc7364p-11,
		0x1.565bcd0df0a1fp-8).FMA(u, u.C(-0x1.b82ce31284ec5p-6))
	// The rest, each coefficient in two floats.
	steps := [][2]float64{
		{0x1.ce2f21a042ae4p-4, 0x1.76527e3d93c18p-58},
		{-0x1.812746b0379e5p-2, -0x1.e06d5bd4f7fdcp-58},
		{0x1.20dd750429b6dp0, 0x1.139f4e7220d98p-56},
	}
	value, low := q, u.C(0)
	for at, c := range steps {
		sum := u.FMA(value, u.C(c[0]))
		e := u.FMA(value, u.C(c[0]).Sub(sum))
		more := u.C(c[1])
		if at > 0 {
			more = u.FMA(low, rest.FMA(value, more))
		}
		value, low = sum, e.Add(more)
	}
	return a.FMA(value, a.Mul(low))
}

func erfFar(a ir.V) ir.V {
	// erfc(x) = 2^p(x): 1.375 <= x <= 5.95, where erf(x) has become 1, 2^-60.2.
	p := horner(a.C(5.95).Min(a), 0x1.9f764878fc9cp-36, -0x1.35c531f66eda8p-30, 0x1.b0eb86be1b25ep-26, -0x1.78d95eee6cd3ap-22,
		0x1.c9ba29c07540fp-19, -0x1.9b022a461a9bep-16, 0x1.1918386fce195p-13, -0x1.2716eff34685ap-11, 0x1.cfd9c4f90589ap-10, -0x1.e3c6527a011aap-9,
		0x1.a60c874a75504p-10, 0x1.b2e82de510cbp-6, -0x1.2e5fb5e3068cbp-3, -0x1.d660ee60a9afp-1, -0x1.a0ba19c95df4ap0, -0x1.12aaa79bd7b63p-17)
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
	e := halves(r, r.Mul(r), coefficients...).FMA(r, r.C(1))
	return e.FNMA(k.Bits().ShlI(52).AsFloat(), e.C(1))
}
