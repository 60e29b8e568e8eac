package kernels

// laneFold is a kernel that folds elements into states of Lanes words each, lane
// by lane; state s of lane l is word s*Lanes+l. Floats travel as their bits.
// Elements begin with lane 0.
type laneFold struct {
	start   []uint64 // the states of no elements
	fold    [numTiers]func(state []uint64, a, b []byte, u0, u1 uint64)
	combine *combination // nil: lanes stay as they are
}

// run sets states to the fold of elements, combined into lane 0 unless the fold
// has no way to. u0 and u1 are the uniform operands, as far as it has any.
func (f *laneFold) run(states []uint64, a []byte, u0, u1 uint64) { f.run2(states, a, nil, u0, u1) }

// run2 folds pairs of elements.
func (f *laneFold) run2(states []uint64, a, b []byte, u0, u1 uint64) {
	copy(states, f.start)
	f.fold[CurrentTier()](states, a, b, u0, u1)
	if f.combine != nil {
		f.combine.run(states)
	}
}

// newLaneFold makes a fold of its functions: those in assembly, if there are any,
// fold rows of Lanes elements, rest what is left. Each state starts with the same
// bits in all lanes.
func newLaneFold[A, B any](rest func(state []uint64, a []A, b []B, u0, u1 uint64), avx2, avx512 func(state *uint64, a *A, b *B, rows int, u0, u1 uint64), combine *combination, start ...uint64) *laneFold {
	f := &laneFold{combine: combine}
	if len(start) > 0 {
		f.start = make([]uint64, 0, Lanes*len(start))
	}
	for _, bits := range start {
		for range Lanes {
			f.start = append(f.start, bits)
		}
	}
	f.fold[Scalar] = func(state []uint64, a, b []byte, u0, u1 uint64) { rest(state, view[A](a), view[B](b), u0, u1) }
	for tier, rows := range [numTiers]func(*uint64, *A, *B, int, uint64, uint64){AVX2: avx2, AVX512: avx512} {
		if rows == nil {
			continue
		}
		f.fold[tier] = func(state []uint64, aBytes, bBytes []byte, u0, u1 uint64) {
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
	return f
}

// combination folds the lanes of states into lane 0, the first half with the
// second, until one is left. What other lanes hold afterwards means nothing.
type combination struct {
	portable     func(state []uint64)
	avx2, avx512 func(state *uint64)
}

func newCombination(portable func(state []uint64), avx2, avx512 func(state *uint64)) *combination {
	return &combination{portable, avx2, avx512}
}

func (c *combination) run(states []uint64) {
	switch CurrentTier() {
	case AVX512:
		c.avx512(&states[0])
	case AVX2:
		c.avx2(&states[0])
	default:
		c.portable(states)
	}
}
