package kernels

import (
	"fmt"
	"slices"
	"strings"
)

// Elementwise is a kernel that computes each element of its result from the
// elements at the same place of one to three operands.
type Elementwise struct {
	name string
	in   []Type
	out  Type
	run  run
}

// maxOperands is the most operands that an elementwise kernel has.
const maxOperands = 3

// run does a kernel on one tier; see Elementwise.Run.
type run [numTiers]func(dst, a, b, c []byte)

// row is a kernel's entry in the generated table, which is ordered by name.
type row struct {
	name string
	in   [maxOperands]Type // 0 behind the last
	out  Type
	bind func() run
}

func (r *row) operands() []Type {
	n := 0
	for n < maxOperands && r.in[n] != 0 {
		n++
	}
	return r.in[:n]
}

func (r *row) kernel() *Elementwise {
	return &Elementwise{name: r.name, in: slices.Clone(r.operands()), out: r.out, run: r.bind()}
}

// LookupElementwise returns the kernel of that name for operands of these
// types, and whether there is one.
func LookupElementwise(name string, in ...Type) (*Elementwise, bool) {
	for _, r := range rowsOf(name) {
		if slices.Equal(r.operands(), in) {
			return r.kernel(), true
		}
	}
	return nil, false
}

// rowsOf returns the rows of that name.
func rowsOf(name string) []row {
	byName := func(r row, name string) int { return strings.Compare(r.name, name) }
	from, _ := slices.BinarySearchFunc(elementwise[:], name, byName)
	to, _ := slices.BinarySearchFunc(elementwise[from:], name+"\x00", byName)
	return elementwise[from : from+to]
}

// LookupCast returns the kernel of that name, "cast" or "saturate", between two
// types, and whether there is one.
func LookupCast(name string, from, to Type) (*Elementwise, bool) {
	for _, r := range rowsOf(name) {
		if r.in[0] == from && r.out == to {
			return r.kernel(), true
		}
	}
	return nil, false
}

// ElementwiseKernels lists every elementwise kernel by name and types.
func ElementwiseKernels() []*Elementwise {
	all := make([]*Elementwise, len(elementwise))
	for i := range elementwise {
		all[i] = elementwise[i].kernel()
	}
	return all
}

// Name returns the kernel's name, NumPy's where it has the kernel.
func (k *Elementwise) Name() string { return k.name }

// In returns the operands' types.
func (k *Elementwise) In() []Type { return k.in }

// Out returns the result's type.
func (k *Elementwise) Out() Type { return k.out }

// String returns name and types, as in "less(float64, float64) bool".
func (k *Elementwise) String() string {
	in := make([]string, len(k.in))
	for i, t := range k.in {
		in[i] = t.String()
	}
	return fmt.Sprintf("%s(%s) %v", k.name, strings.Join(in, ", "), k.out)
}

// Run computes the elements of dst. Operands that the kernel does not have are
// nil. An operand holds as many elements as dst, or one, which serves for all;
// longer ones are cut off. Slices hold whole elements in this machine's byte
// order and may begin at any address. An operand may be dst itself; it must not
// overlap dst in any other way.
func (k *Elementwise) Run(dst, a, b, c []byte) { k.run[CurrentTier()](dst, a, b, c) }

// The types of assembly functions. They do whole vectors of n elements, step
// bytes of each operand forward for every one, and return how many elements
// they did.
type (
	asm1[R, A any]       = func(dst *R, a *A, aStep, n int) int
	asm2[R, A, B any]    = func(dst *R, a *A, b *B, aStep, bStep, n int) int
	asm3[R, A, B, C any] = func(dst *R, a *A, b *B, c *C, aStep, bStep, cStep, n int) int
)

// vectors are the assembly functions of a kernel.
type vectors[F any] struct {
	avx2, avx512           F
	avx2Lanes, avx512Lanes int
}
