package kernels

import (
	"math"
	"math/rand/v2"
)

// specials returns the bits of elements at which kernels may go wrong.
func specials(t Type) (all []uint64) {
	switch {
	case t == Bool:
		return []uint64{0, 1, 2, 255}
	case t == Float64:
		for _, f := range []float64{0, 1, 0.5, 1.5, 2, 2.5, 3, 10, math.Pi, math.Pi / 2, math.Pi / 4, math.E, math.Ln2,
			1e-300, 1e300, 0x1p-1074, 0x1p-1022, 0x1p-1022 - 0x1p-1074, math.MaxFloat64, math.Inf(1),
			1 - 0x1p-53, 1 + 0x1p-52, 0.5 - 0x1p-54, 0x1p52 + 0.5, 0x1p52, 0x1p53 - 1, 0x1p53, 0x1p53 + 2, 0x1p62, 0x1p63, 0x1p64, 0x1p31, 0x1p32,
			709.78, 709.79, 708.4, 744.4, 745.13, 745.14, 710.5, 19.06, 36.7, 1024, 1023.5, 1074.5, 1075, 308.25, 308.3, 323.3, 324,
			0x1p-27, 0x1p-28, 0x1p-54, 0x1p-60, 0x1.6a09e667f3bcdp0, 0x1.6a09e667f3bcdp-1, 1e5, 1e10, 0x1p1000, 6.02e23} {
			all = append(all, math.Float64bits(f), math.Float64bits(-f))
		}
		return append(all, 0x7ff8000000000000, 0xfff8000000000000, 0x7ff8000000000123, 0x7ff0000000000001, 0xfff4000000000000)
	case t == Float32:
		for _, f := range []float32{0, 1, 0.5, 1.5, 2, 2.5, 3, 10, math.Pi, math.Pi / 2, math.E,
			0x1p-149, 0x1p-126, 0x1p-126 - 0x1p-149, math.MaxFloat32, float32(math.Inf(1)),
			1 - 0x1p-24, 1 + 0x1p-23, 0x1p23 + 0.5, 0x1p23, 0x1p24 - 1, 0x1p24, 0x1p31, 0x1p32, 0x1p63, 0x1p64,
			88.72, 88.73, 87.3, 103.97, 103.98, 104, 128, 149.5, 150, 38.5, 45, 1e-30, 1e30, 1e5, 1e10} {
			all = append(all, uint64(math.Float32bits(f)), uint64(math.Float32bits(-f)))
		}
		return append(all, 0x7fc00000, 0xffc00000, 0x7fc00123, 0x7f800001, 0xffa00000)
	case t == Float16:
		return []uint64{0, 0x8000, 1, 0x8001, 0x3ff, 0x400, 0x3c00, 0xbc00, 0x3c01, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xfe12}
	case t == BFloat16:
		return []uint64{0, 0x8000, 1, 0x8001, 0x7f, 0x80, 0x3f80, 0xbf80, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffc3}
	}
	w := 8 * t.Size()
	for _, v := range []uint64{0, 1, 2, 3, 7, 10, 63, 64, 65, 100} {
		all = append(all, v, -v)
	}
	for _, at := range []int{w - 1, w/2 - 1, w / 2} {
		all = append(all, 1<<at, 1<<at-1, 1<<at+1)
	}
	return append(all, uint64(w), uint64(w-1), uint64(w+1))
}

// put writes element i.
func put(dst []byte, t Type, i int, bits uint64) { putElement(dst[i*t.Size():], t, bits) }

// random returns the bits of one element: any bits, or a number of everyday
// size.
func random(r *rand.Rand, t Type) uint64 {
	if r.IntN(2) == 0 || !t.IsFloat() {
		return r.Uint64()
	}
	f := (r.Float64() - 0.5) * math.Ldexp(1, r.IntN(24)-8)
	switch t {
	case Float64:
		return math.Float64bits(f)
	case Float32:
		return uint64(math.Float32bits(float32(f)))
	}
	return r.Uint64()
}

// corpus returns operands of these types: all combinations of specials, as far
// as there is room, and random elements up to n.
func corpus(in []Type, n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	operands := make([][]byte, len(in))
	lists := make([][]uint64, len(in))
	for i, t := range in {
		operands[i] = make([]byte, n*t.Size())
		lists[i] = specials(t)
	}
	for e := range n {
		// e counts through the combinations, in a mixed radix.
		rest := e
		for i, t := range in {
			put(operands[i], t, e, lists[i][rest%len(lists[i])])
			rest /= len(lists[i])
		}
		if rest > 0 || e > n/2 {
			for i, t := range in {
				if bits := random(r, t); e%5 > 0 || i > 0 {
					put(operands[i], t, e, bits)
				}
			}
		}
	}
	return operands
}

// ordinary returns the bits of an element of everyday size.
func ordinary(t Type, i int) uint64 {
	f := float64(i%1000)/300 + 0.1
	switch t {
	case Float64:
		return math.Float64bits(f)
	case Float32:
		return uint64(math.Float32bits(float32(f)))
	case Bool:
		return uint64(i & 1)
	}
	return uint64(i%7 + 1)
}
