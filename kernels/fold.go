package kernels

// laneFold is a kernel that folds elements into states of Lanes words each, lane
// by lane; state s of lane l is word s*Lanes+l. Floats travel as their bits.
// Elements begin with lane 0. b, u0 and u1 are the second operand and the
// uniform operands, as far as the fold has any.
type laneFold [numTiers]func(state []uint64, a, b []byte, u0, u1 uint64)

func (f *laneFold) run(state []uint64, a []byte, u0, u1 uint64) {
	f[CurrentTier()](state, a, nil, u0, u1)
}

// run2 folds pairs of elements.
func (f *laneFold) run2(state []uint64, a, b []byte, u0, u1 uint64) {
	f[CurrentTier()](state, a, b, u0, u1)
}

// newLaneFold makes a fold of its functions: those in assembly, if there are any,
// fold rows of Lanes elements, rest what is left.
func newLaneFold[A, B any](rest func(state []uint64, a []A, b []B, u0, u1 uint64), avx2, avx512 func(state *uint64, a *A, b *B, rows int, u0, u1 uint64)) *laneFold {
	f := laneFold{Scalar: func(state []uint64, a, b []byte, u0, u1 uint64) { rest(state, view[A](a), view[B](b), u0, u1) }}
	for tier, rows := range map[Tier]func(*uint64, *A, *B, int, uint64, uint64){AVX2: avx2, AVX512: avx512} {
		f[tier] = func(state []uint64, aBytes, bBytes []byte, u0, u1 uint64) {
			a, b := view[A](aBytes), view[B](bBytes)
			if n := len(a) / Lanes; n > 0 {
				var first *B
				if b != nil {
					first = &b[0]
					b = b[n*Lanes:]
				}
				rows(&state[0], &a[0], first, n, u0, u1)
				a = a[n*Lanes:]
			}
			if len(a) > 0 {
				rest(state, a, b, u0, u1)
			}
		}
	}
	return &f
}
