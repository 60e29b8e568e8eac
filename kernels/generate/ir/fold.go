package ir

import (
	"fmt"
	"slices"
)

// Lanes is the number of virtual lanes of a block, kernels.Lanes.
const Lanes = 32

// Fold is a kernel that folds elements into states, for each of the virtual
// lanes on its own: element i goes to lane i mod Lanes. All lanes are 8 bytes
// wide.
type Fold struct {
	Kernel
	States []Type
	Params []Type // uniform operands
	// Start are the bits that each state begins with in every lane.
	Start []uint64
	// Update is the node of each state's new value.
	Update []int
	// Combine makes one of the states of two lanes, which is how lanes fold in
	// the end; nil where that is not done here. It is a fold without operands.
	Combine *Fold
}

// NewFold begins a fold over these operands.
func NewFold(name string, states, params []Type, in ...Elem) *FoldB {
	return &FoldB{B: New(name, 0, in...), fold: Fold{States: states, Params: params, Start: make([]uint64, len(states))}}
}

// NewCombine begins what makes one of the states of two lanes, State and Other.
func NewCombine(name string, states ...Type) *FoldB { return NewFold(name, states, nil) }

// FoldB builds a fold.
type FoldB struct {
	*B
	fold Fold
}

// State returns the present value of state i.
func (b *FoldB) State(i int) V {
	return b.node(Node{Op: State, Type: b.fold.States[i], Imm: uint64(i)})
}

// Other returns state i of the later one of two lanes.
func (b *FoldB) Other(i int) V {
	return b.node(Node{Op: Other, Type: b.fold.States[i], Imm: uint64(i)})
}

// Param returns uniform operand i.
func (b *FoldB) Param(i int) V {
	return b.node(Node{Op: Param, Type: b.fold.Params[i], Imm: uint64(i)})
}

// Start sets the bits that states begin with, which are 0 otherwise.
func (b *FoldB) Start(bits ...uint64) { copy(b.fold.Start, bits) }

// Combine sets how lanes fold in the end.
func (b *FoldB) Combine(c *Fold) {
	if !slices.Equal(c.States, b.fold.States) {
		panic(fmt.Sprintf("%s: states %v, %s combines %v", b.k.Name, b.fold.States, c.ID(), c.States))
	}
	b.fold.Combine = c
}

// Done ends the fold with the states' new values.
func (b *FoldB) Done(update ...V) *Fold {
	if len(update) != len(b.fold.States) {
		panic(fmt.Sprintf("%s: %d states, %d values", b.k.Name, len(b.fold.States), len(update)))
	}
	f := b.fold
	f.Kernel = b.k
	for i, v := range update {
		b.want(State, v, f.States[i])
		f.Update = append(f.Update, v.n)
	}
	f.prune(f.Update)
	return &f
}

// ID is the name that functions of the fold share.
func (f *Fold) ID() string {
	id := string(f.Name[0]-'a'+'A') + f.Name[1:]
	if len(f.In) == 0 {
		return "Combine" + id
	}
	return id + f.In[0].String()
}
