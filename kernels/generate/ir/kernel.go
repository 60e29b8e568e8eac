package ir

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kernel is one elementwise kernel: out[i] = f(in0[i], in1[i], ...).
type Kernel struct {
	Name  string // of the function, in lower case as users write it
	In    []Elem
	Out   Elem
	Nodes []Node // in an order in which operands come first
	// Result is the node to store.
	Result int
	// Bail is the mask of lanes that the straight line does not serve, or -1.
	// Slow names the Go function that serves them.
	Bail int
	Slow string
	// Plain names the portable loop of a kernel that is written by hand and has
	// no description: neither nodes nor assembly.
	Plain string
	// Unroll is how many vectors a turn of the loop takes where there are
	// registers enough, if more than one: steps of one fill the waits of another.
	Unroll int
	// Ahead, if not 0, is how many bytes ahead operand 0 is asked for.
	Ahead int
}

// Node is one value.
type Node struct {
	Op   Op
	Type Type
	Args [3]int // nodes; -1 where there is none
	Imm  uint64
	// Table is of Lookup: the entries' bits.
	Table *Table
}

// Table is a constant array that kernels share.
type Table struct {
	Name    string
	Entries []uint64
}

// Tables returns the tables that kernels use, each once, in order of use.
func Tables(kernels []*Kernel) []*Table {
	var all []*Table
	for _, k := range kernels {
		for _, n := range k.Nodes {
			if n.Table != nil && !slices.Contains(all, n.Table) {
				all = append(all, n.Table)
			}
		}
	}
	return all
}

// ID is the name that functions of the kernel share: AddFloat64,
// LogicalAndBool.
func (k *Kernel) ID() string {
	id := ""
	for _, word := range strings.Split(k.Name, "_") {
		id += string(word[0]-'a'+'A') + word[1:]
	}
	var last Elem
	for _, e := range append(append([]Elem{}, k.In...), k.Out) {
		if e != last {
			id += e.String()
		}
		last = e
	}
	return id
}

// Width returns the bytes of a lane: that of the widest value.
func (k *Kernel) Width() int {
	w := 1
	for _, n := range k.Nodes {
		w = max(w, n.Type.Width())
	}
	return w
}

// B builds a kernel.
type B struct {
	k     Kernel
	nodes map[Node]int
}

// V is a value under construction.
type V struct {
	b *B
	n int
}

// New begins a kernel.
func New(name string, out Elem, in ...Elem) *B {
	return &B{k: Kernel{Name: name, In: in, Out: out, Bail: -1}, nodes: map[Node]int{}}
}

// Done ends the kernel with its result.
func (b *B) Done(result V) *Kernel {
	if got, want := result.Type(), b.k.Out.Lane(); got != want {
		panic(fmt.Sprintf("%s: result is %v, want %v", b.k.Name, got, want))
	}
	b.k.Result = result.n
	k := b.k
	roots := []int{k.Result}
	if k.Bail >= 0 {
		roots = append(roots, k.Bail)
	}
	k.prune(roots)
	k.Result = roots[0]
	if k.Bail >= 0 {
		k.Bail = roots[1]
	}
	return &k
}

// Bail leaves the lanes where m holds to the Go function slow.
func (b *B) Bail(m V, slow string) {
	if b.k.Bail >= 0 {
		panic(b.k.Name + " bails twice")
	}
	b.k.Bail, b.k.Slow = m.n, slow
}

// Unroll lets a turn of the loop take n vectors.
func (b *B) Unroll(n int) { b.k.Unroll = n }

// prune drops values that none of the roots needs, and renumbers the roots.
func (k *Kernel) prune(roots []int) {
	used := make([]bool, len(k.Nodes))
	for _, r := range roots {
		used[r] = true
	}
	for i := len(k.Nodes) - 1; i >= 0; i-- {
		if used[i] {
			for _, a := range k.Nodes[i].Args {
				if a >= 0 {
					used[a] = true
				}
			}
		}
	}
	at := make([]int, len(k.Nodes))
	var kept []Node
	for i, n := range k.Nodes {
		if !used[i] {
			continue
		}
		for j, a := range n.Args {
			if a >= 0 {
				n.Args[j] = at[a]
			}
		}
		at[i] = len(kept)
		kept = append(kept, n)
	}
	k.Nodes = kept
	for i, r := range roots {
		roots[i] = at[r]
	}
}

// node returns the value of n, the same for the same n.
func (b *B) node(n Node, args ...V) V {
	n.Args = [3]int{-1, -1, -1}
	for i, a := range args {
		if a.b != b {
			panic(b.k.Name + ": value of another kernel")
		}
		n.Args[i] = a.n
	}
	if isCommutative[n.Op] && n.Args[0] > n.Args[1] {
		n.Args[0], n.Args[1] = n.Args[1], n.Args[0]
	}
	if at, ok := b.nodes[n]; ok {
		return V{b, at}
	}
	b.k.Nodes = append(b.k.Nodes, n)
	b.nodes[n] = len(b.k.Nodes) - 1
	return V{b, len(b.k.Nodes) - 1}
}

// same makes a node of its first operand's type after checking the others.
func (b *B) same(op Op, args ...V) V {
	for _, a := range args[1:] {
		b.want(op, a, args[0].Type())
	}
	return b.node(Node{Op: op, Type: args[0].Type()}, args...)
}

func (b *B) want(op Op, v V, t Type) {
	if v.Type() != t {
		panic(fmt.Sprintf("%s: operation %d on %v, want %v", b.k.Name, op, v.Type(), t))
	}
}

// Type returns the type of v.
func (v V) Type() Type { return v.b.k.Nodes[v.n].Type }

// In returns operand i.
func (b *B) In(i int) V {
	return b.node(Node{Op: Load, Type: b.k.In[i].Lane(), Imm: uint64(i)})
}

// Float returns a constant of a float type.
func (b *B) Float(t Type, f float64) V {
	if t == F32 {
		return b.node(Node{Op: Const, Type: t, Imm: uint64(math.Float32bits(float32(f)))})
	}
	return b.node(Node{Op: Const, Type: F64, Imm: math.Float64bits(f)})
}

// Int returns a constant of an integer type.
func (b *B) Int(t Type, bits uint64) V {
	if w := 8 * t.Width(); w < 64 {
		bits &= 1<<w - 1
	}
	return b.node(Node{Op: Const, Type: t, Imm: bits})
}

// C returns a float constant of v's type.
func (v V) C(f float64) V { return v.b.Float(v.Type(), f) }

// Add and the like are the operations by their names.
func (v V) Add(w V) V     { return v.b.same(FAdd, v, w) }
func (v V) Sub(w V) V     { return v.b.same(FSub, v, w) }
func (v V) Mul(w V) V     { return v.b.same(FMul, v, w) }
func (v V) Div(w V) V     { return v.b.same(FDiv, v, w) }
func (v V) Sqrt() V       { return v.b.same(FSqrt, v) }
func (v V) FMA(b, c V) V  { return v.b.same(FMA, v, b, c) }
func (v V) FNMA(b, c V) V { return v.b.same(FNMA, v, b, c) }
func (v V) FMS(b, c V) V  { return v.b.same(FMS, v, b, c) }
func (v V) Min(w V) V     { return v.b.same(FMin, v, w) }
func (v V) Max(w V) V     { return v.b.same(FMax, v, w) }
func (v V) Floor() V      { return v.b.same(Floor, v) }
func (v V) Ceil() V       { return v.b.same(Ceil, v) }
func (v V) Trunc() V      { return v.b.same(Trunc, v) }
func (v V) Rint() V       { return v.b.same(Rint, v) }
func (v V) And(w V) V     { return v.b.same(And, v, w) }
func (v V) Or(w V) V      { return v.b.same(Or, v, w) }
func (v V) Xor(w V) V     { return v.b.same(Xor, v, w) }
func (v V) AndNot(w V) V  { return v.b.same(AndNot, v, w) }
func (v V) Shl(w V) V     { return v.b.same(Shl, v, w) }
func (v V) Shr(w V) V     { return v.b.same(Shr, v, w) }
func (v V) Sar(w V) V     { return v.b.same(Sar, v, w) }
func (v V) Swap() V       { return v.b.same(Swap, v) }
func (v V) IAdd(w V) V    { return v.b.same(IAdd, v, w) }
func (v V) ISub(w V) V    { return v.b.same(ISub, v, w) }
func (v V) IMul(w V) V    { return v.b.same(IMul, v, w) }

// SumBytes and the like compute with the parts of 64-bit lanes.
func (v V) SumBytes(w V) V  { return v.b.same(SumBytes, v, w) }
func (v V) DotWords(w V) V  { return v.b.same(DotWords, v, w) }
func (v V) MulWords(w V) V  { return v.b.same(MulWords, v, w) }
func (v V) LowBytes() V     { return v.b.same(LowBytes, v) }
func (v V) HighBytes() V    { return v.b.same(HighBytes, v) }
func (v V) AddHalves(w V) V { return v.b.same(AddHalves, v, w) }
func (v V) MinBytes(w V) V  { return v.b.same(MinBytes, v, w) }
func (v V) MaxBytes(w V) V  { return v.b.same(MaxBytes, v, w) }
func (v V) MinWords(w V) V  { return v.b.same(MinWords, v, w) }
func (v V) MaxWords(w V) V  { return v.b.same(MaxWords, v, w) }

func (v V) shift(op Op, n int) V {
	return v.b.node(Node{Op: op, Type: v.Type(), Imm: uint64(n)}, v)
}

// ShlI, ShrI and SarI shift by a constant.
func (v V) ShlI(n int) V { return v.shift(ShlI, n) }
func (v V) ShrI(n int) V { return v.shift(ShrI, n) }
func (v V) SarI(n int) V { return v.shift(SarI, n) }

func (v V) compare(op Op, w V) V {
	v.b.want(op, w, v.Type())
	return v.b.node(Node{Op: op, Type: M}, v, w)
}

// Eq and the like compare floats.
func (v V) Eq(w V) V { return v.compare(FEq, w) }
func (v V) Ne(w V) V { return v.compare(FNe, w) }
func (v V) Lt(w V) V { return v.compare(FLt, w) }
func (v V) Le(w V) V { return v.compare(FLe, w) }

// IEq and the like compare integers.
func (v V) IEq(w V) V { return v.compare(IEq, w) }
func (v V) ILt(w V) V { return v.compare(ILt, w) }
func (v V) ULt(w V) V { return v.compare(ULt, w) }

// Not and the like combine truth values.
func (v V) Not() V     { return v.b.same(MNot, v) }
func (v V) MAnd(w V) V { return v.b.same(MAnd, v, w) }
func (v V) MOr(w V) V  { return v.b.same(MOr, v, w) }
func (v V) MXor(w V) V { return v.b.same(MXor, v, w) }

// Select is yes where the mask v holds, else no.
func (v V) Select(yes, no V) V {
	v.b.want(Select, v, M)
	v.b.want(Select, no, yes.Type())
	return v.b.node(Node{Op: Select, Type: yes.Type()}, v, yes, no)
}

func (v V) change(op Op, t Type) V {
	return v.b.node(Node{Op: op, Type: t}, v)
}

// Bits returns the bits of a float, Float what float bits are.
func (v V) Bits() V { return v.change(ToBits, v.Type().Bits()) }

// AsFloat returns the float whose bits an integer has.
func (v V) AsFloat() V {
	return v.change(FromBits, map[Type]Type{I64: F64, I32: F32}[v.Type()])
}

// Widen and the like change between types.
func (v V) Widen() V          { return v.change(Widen, F64) }
func (v V) Narrow() V         { return v.change(Narrow, F32) }
func (v V) FromInt(t Type) V  { return v.change(FromInt, t) }
func (v V) FromUint(t Type) V { return v.change(FromUint, t) }
func (v V) ToInt(t Type) V    { return v.change(ToInt, t) }
func (v V) Ldexp(k V) V       { return v.b.same(Ldexp, v, k) }
func (v V) Sext(t Type) V     { return v.change(Sext, t) }
func (v V) Zext(t Type) V     { return v.change(Zext, t) }
func (v V) Cut(t Type) V      { return v.change(Cut, t) }

// Exponent and Significand take a positive finite float apart. normal tells that
// subnormal ones do not occur, which saves time with AVX2.
func (v V) Exponent(normal bool) V    { return v.part(Exponent, normal) }
func (v V) Significand(normal bool) V { return v.part(Significand, normal) }

func (v V) part(op Op, normal bool) V {
	n := Node{Op: op, Type: F64}
	if normal {
		n.Imm = 1
	}
	return v.b.node(n, v)
}

// At is the entry that the low bits of i name.
func (t *Table) At(i V) V {
	return i.b.node(Node{Op: Lookup, Type: F64, Table: t}, i)
}
