package kernels

// laneFold is a kernel that folds elements into states of Lanes words each, lane
// by lane; state s of lane l is word s*Lanes+l. Floats travel as their bits.
// Elements begin with lane 0. u0 and u1 are the uniform operands, as far as the
// fold has any.
type laneFold [numTiers]func(state []uint64, a []byte, u0, u1 uint64)

func (f *laneFold) run(state []uint64, a []byte, u0, u1 uint64) { f[CurrentTier()](state, a, u0, u1) }

// foldOf10 makes a fold over one operand without uniform operands.
func foldOf10[T any](portable func([]uint64, []T), avx2, avx512 func(state *uint64, a *T, rows int)) *laneFold {
	f := laneFold{Scalar: func(state []uint64, a []byte, _, _ uint64) { portable(state, view[T](a)) }}
	for tier, rows := range map[Tier]func(*uint64, *T, int){AVX2: avx2, AVX512: avx512} {
		if rows == nil {
			continue
		}
		f[tier] = func(state []uint64, data []byte, _, _ uint64) {
			a := view[T](data)
			if n := len(a) / Lanes; n > 0 {
				rows(&state[0], &a[0], n)
				a = a[n*Lanes:]
			}
			if len(a) > 0 {
				portable(state, a)
			}
		}
	}
	return &f
}

// foldOf11 makes a fold with one uniform operand.
func foldOf11[T any](portable func([]uint64, []T, uint64), avx2, avx512 func(state *uint64, a *T, rows int, u0 uint64)) *laneFold {
	f := laneFold{Scalar: func(state []uint64, a []byte, u0, _ uint64) { portable(state, view[T](a), u0) }}
	for tier, rows := range map[Tier]func(*uint64, *T, int, uint64){AVX2: avx2, AVX512: avx512} {
		if rows == nil {
			continue
		}
		f[tier] = func(state []uint64, data []byte, u0, _ uint64) {
			a := view[T](data)
			if n := len(a) / Lanes; n > 0 {
				rows(&state[0], &a[0], n, u0)
				a = a[n*Lanes:]
			}
			if len(a) > 0 {
				portable(state, a, u0)
			}
		}
	}
	return &f
}

// foldOf12 makes a fold with two uniform operands.
func foldOf12[T any](portable func([]uint64, []T, uint64, uint64), avx2, avx512 func(state *uint64, a *T, rows int, u0, u1 uint64)) *laneFold {
	f := laneFold{Scalar: func(state []uint64, a []byte, u0, u1 uint64) { portable(state, view[T](a), u0, u1) }}
	for tier, rows := range map[Tier]func(*uint64, *T, int, uint64, uint64){AVX2: avx2, AVX512: avx512} {
		if rows == nil {
			continue
		}
		f[tier] = func(state []uint64, data []byte, u0, u1 uint64) {
			a := view[T](data)
			if n := len(a) / Lanes; n > 0 {
				rows(&state[0], &a[0], n, u0, u1)
				a = a[n*Lanes:]
			}
			if len(a) > 0 {
				portable(state, a, u0, u1)
			}
		}
	}
	return &f
}
