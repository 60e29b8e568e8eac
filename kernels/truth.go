package kernels

import (
	"fmt"
	"sync"
)

// Truth is the partial of the truth reduction: how many elements are true,
// which is to say not 0. NaN is true, as it is for NumPy.
type Truth struct{ count, nonzero uint64 }

// CountTruth is the truth reduction.
var CountTruth = registerTree("truth", partial[Truth]{
	size:  2 * 8,
	empty: func(Type) Truth { return Truth{} },
	fold:  func(f *blockFold, p *Truth, t Type, block []byte) { *p = f.truthOf(t, block) },
	merge: func(a, b *Truth) { *a = Truth{a.count + b.count, a.nonzero + b.nonzero} },
	encode: func(p Truth, w *words) {
		w.put(p.count)
		w.put(p.nonzero)
	},
	decode: func(_ Type, r *words) (Truth, error) {
		p := Truth{r.get(), r.get()}
		if p.count > maxCount || p.nonzero > p.count {
			return Truth{}, fmt.Errorf("counts %d of %d elements", p.nonzero, p.count)
		}
		return p, nil
	},
})

// Count returns the number of elements.
func (p *Truth) Count() uint64 { return p.count }

// CountNonzero returns the number of elements that are true.
func (p *Truth) CountNonzero() uint64 { return p.nonzero }

// Any reports whether any element is true; of none, false.
func (p *Truth) Any() bool { return p.nonzero > 0 }

// All reports whether all elements are true; of none, true.
func (p *Truth) All() bool { return p.nonzero == p.count }

// toTruth are the kernels that cast to bool, by type.
var toTruth = castsTo(Bool)

// castsTo returns what finds the kernels that cast to t, by type: when they are first
// needed, since a process may need none.
func castsTo(t Type) func() *[numTypes]*Elementwise {
	return sync.OnceValue(func() *[numTypes]*Elementwise {
		var all [numTypes]*Elementwise
		for _, from := range Types() {
			all[from], _ = LookupCast("cast", from, t)
		}
		return &all
	})
}

func (f *blockFold) truthOf(t Type, block []byte) Truth {
	p := Truth{count: uint64(len(block) / t.Size())}
	t, block = f.widened(t, block)
	truth := block
	if t != Bool {
		truth = f.truth[:p.count]
		toTruth()[t].Run(truth, block, nil, nil)
	}
	scanFolds[Bool].run(f.states[:], truth, 0, 0)
	p.nonzero = f.word(0)
	return p
}

// toFloat32 are the kernels that cast 16-bit floats, by type.
var toFloat32 = castsTo(Float32)

// widened returns a block of 16-bit floats as float32, any other as it is.
func (f *blockFold) widened(t Type, block []byte) (Type, []byte) {
	if t != Float16 && t != BFloat16 {
		return t, block
	}
	wide := f.wideBlock[:2*len(block)]
	toFloat32()[t].Run(wide, block, nil, nil)
	return Float32, wide
}
