package measure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
)

// kernelBytes is what the operands and the result of a kernel have together: more
// than a core's own caches hold.
const kernelBytes = 32 << 20

// candidate is a kernel that is ready to be run over bytes of memory.
type candidate struct {
	name, ceiling string
	types         []kernels.Type // of the operands
	out           int            // bytes of an element of the result, 0 of a reduction
	run           func(dst []byte, operands [3][]byte) error
}

// kernels measures each on one core until the deadline. They come by type, so that
// operands are made few times.
func (r *Report) kernels(ctx context.Context, deadline time.Time) error {
	all := candidates()
	memory := operandMemory{}
	dst := make([]byte, kernelBytes)
	for i, k := range all {
		left := time.Until(deadline)
		if left <= 0 {
			r.Skipped = len(all) - i
			return nil
		}
		width := k.out
		for _, t := range k.types {
			width += t.Size()
		}
		n := kernelBytes / width / kernels.BlockLen * kernels.BlockLen
		var operands [3][]byte
		for j, t := range k.types {
			whole := memory.of(t)
			operands[j] = whole[j*n*t.Size() : (j+1)*n*t.Size()]
		}
		took, err := best(ctx, left/time.Duration(len(all)-i), func() error { return k.run(dst[:n*k.out], operands) })
		if err != nil {
			return err
		}
		found := rate(n*width, took)
		r.Kernels = append(r.Kernels, Kernel{k.name, found, found / r.Best(k.ceiling, "memory", "warm", 1), k.ceiling})
	}
	return nil
}

func candidates() (all []candidate) {
	for _, name := range []string{"summary", "moments", "extremes", "norms", "product"} {
		k, ok := kernels.LookupReduction(name)
		if !ok {
			continue
		}
		for _, t := range kernels.Types() {
			fold := k.NewRun(t)
			all = append(all, candidate{fmt.Sprintf("%s %s", name, t), "read", []kernels.Type{t}, 0, func(_ []byte, operands [3][]byte) error {
				_, err := fold(nil, operands[0], func(int) {})
				return err
			}})
		}
	}
	for _, name := range []string{"dot", "covariance"} {
		k, ok := kernels.LookupPairReduction(name)
		if !ok {
			continue
		}
		for _, t := range kernels.Types() {
			fold := k.NewFolder(t, t)
			partial := make([]byte, k.PartialSize())
			all = append(all, candidate{fmt.Sprintf("%s %s", name, t), "read", []kernels.Type{t, t}, 0, func(_ []byte, operands [3][]byte) error {
				fold.Reset()
				block := kernels.BlockLen * t.Size()
				for at := 0; at < len(operands[0]); at += block {
					end := min(at+block, len(operands[0]))
					fold.Block(operands[0][at:end], operands[1][at:end])
				}
				fold.Partial(partial)
				return nil
			}})
		}
	}
	for _, k := range kernels.ElementwiseKernels() {
		all = append(all, candidate{k.String(), "copy", k.In(), k.Out().Size(), func(dst []byte, o [3][]byte) error {
			k.Run(dst, o[0], o[1], o[2])
			return nil
		}})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return slices.Compare(a.types, b.types) })
	return all
}

// operandMemory has memory with ordinary numbers of a few types.
type operandMemory map[kernels.Type][]byte

func (m operandMemory) of(t kernels.Type) []byte {
	if m[t] != nil {
		return m[t]
	}
	if len(m) >= 3 { // more than any kernel has
		clear(m)
	}
	b := make([]byte, kernelBytes)
	const period = 64
	for i := range period {
		at := b[i*t.Size():]
		bits := uint64(1 + i%7)
		switch {
		case t.IsFloat():
			bits = t.FloatBits(0.25 + float64(i)/period/2)
		case t == kernels.Bool:
			bits = uint64(i % 2)
		}
		for j := range t.Size() {
			at[j] = byte(bits >> (8 * j))
		}
	}
	for done := period * t.Size(); done < len(b); done *= 2 {
		copy(b[done:], b[:done])
	}
	m[t] = b
	return b
}

// Group is the kernels of one name, over all types.
type Group struct {
	Name          string
	Ceiling       string
	Kernels       int
	Least, Median float64 // shares
	Most          float64
}

// Groups sums the kernels up by their names' first words, the slowest first.
func (r *Report) Groups() (groups []Group) {
	shares := map[string][]float64{}
	ceilings := map[string]string{}
	for _, k := range r.Kernels {
		name, _, _ := strings.Cut(k.Name, " ")
		shares[name] = append(shares[name], k.Share)
		ceilings[name] = k.Ceiling
	}
	for name, s := range shares {
		slices.Sort(s)
		groups = append(groups, Group{name, ceilings[name], len(s), s[0], s[len(s)/2], s[len(s)-1]})
	}
	slices.SortFunc(groups, func(a, b Group) int {
		if a.Median != b.Median && a.Median < b.Median {
			return -1
		} else if a.Median != b.Median {
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return groups
}
