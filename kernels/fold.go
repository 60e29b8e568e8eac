package kernels

// laneFold is a kernel that folds elements into states of Lanes words each, lane
// by lane; state s of lane l is word s*Lanes+l. Floats travel as their bits.
// Elements begin with lane 0.
type laneFold struct {
	// These set states to the fold of elements.
	fold    [numTiers]laneFunc
	combine *combination // nil: lanes stay as they are
	// With AVX-512, what does both for blocks of so many whole rows, and of bytes to be
	// skipped behind them: of each block it puts a word for each state into words, and
	// takes one of u for each uniform operand. Nil if nothing does.
	combined func(words []uint64, a, b []byte, rows, blocks, skip int, u []uint64)
	words    int // states
	size     int // of an element of a
}

type laneFunc func(states []uint64, a, b []byte, u0, u1 uint64)

// run sets states to the fold of elements, combined as combination has it unless the
// fold has no way to. u0 and u1 are the uniform operands, as far as it has any.
func (f *laneFold) run(states []uint64, a []byte, u0, u1 uint64) { f.run2(states, a, nil, u0, u1) }

// run2 folds pairs of elements.
func (f *laneFold) run2(states []uint64, a, b []byte, u0, u1 uint64) {
	tier := CurrentTier()
	if rows := len(a) / (Lanes * f.size); tier == AVX512 && f.combined != nil && rows > 0 && len(a)%(Lanes*f.size) == 0 {
		u := states[len(states)-2:]
		u[0], u[1] = u0, u1
		f.combined(states, a, b, rows, 1, 0, u)
		return
	}
	f.fold[tier](states, a, b, u0, u1)
	if f.combine != nil {
		f.combine.run(states)
	}
}

// rows are functions in assembly that fold rows of Lanes elements.
type rows[A, B any] func(state *uint64, a *A, b *B, rows int, u0, u1 uint64)

// blocks are functions in assembly that fold blocks and combine their lanes.
type blocks[A, B any] func(state *uint64, a *A, b *B, rows, blocks, skip int, u *uint64)

// run folds as many rows as there are and returns what is left.
func (f rows[A, B]) run(states []uint64, a []A, b []B, u0, u1 uint64) ([]A, []B) {
	n := len(a) / Lanes
	if b == nil {
		f(&states[0], &a[0], nil, n, u0, u1)
		return a[n*Lanes:], nil
	}
	f(&states[0], &a[0], &b[0], n, u0, u1)
	return a[n*Lanes:], b[n*Lanes:]
}

// newLaneFold makes a fold of its functions: those in assembly, if there are any,
// set states to the fold of rows of Lanes elements, to which rest adds what is left.
// Each state starts with the same bits in all lanes.
func newLaneFold[A, B any](rest func(state []uint64, a []A, b []B, u0, u1 uint64), avx2, avx512 rows[A, B], combined512 blocks[A, B], combine *combination, start ...uint64) *laneFold {
	f := &laneFold{combine: combine, words: len(start), size: len(bytesView(make([]A, 1)))}
	none := make([]uint64, 0, Lanes*len(start)) // the states of no elements
	for _, bits := range start {
		for range Lanes {
			none = append(none, bits)
		}
	}
	f.fold[Scalar] = func(state []uint64, a, b []byte, u0, u1 uint64) {
		copy(state, none)
		rest(state, view[A](a), view[B](b), u0, u1)
	}
	for tier, rows := range [numTiers]rows[A, B]{AVX2: avx2, AVX512: avx512} {
		if rows == nil {
			continue
		}
		f.fold[tier] = func(state []uint64, aBytes, bBytes []byte, u0, u1 uint64) {
			a, b := view[A](aBytes), view[B](bBytes)
			if len(a) >= Lanes {
				a, b = rows.run(state, a, b, u0, u1)
			} else {
				copy(state, none)
			}
			if len(a) > 0 {
				rest(state, a, b, u0, u1)
			}
		}
	}
	if combined512 != nil {
		f.combined = func(words []uint64, aBytes, bBytes []byte, rows, blocks, skip int, u []uint64) {
			a, b := view[A](aBytes), view[B](bBytes)
			var first *B
			if b != nil {
				first = &b[0]
			}
			combined512(&words[0], &a[0], first, rows, blocks, skip, &u[0])
		}
	}
	return f
}

// combination folds the lanes of states, the first half with the second, until one
// is left: of state s it is word s afterwards, and other words mean nothing.
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
		for s := range len(states) / Lanes {
			states[s] = states[s*Lanes]
		}
	}
}
