package ir

import "fmt"

// Lanes is the number of virtual lanes of a block, kernels.Lanes.
const Lanes = 32

// Fold is a kernel that folds elements into states, for each of the virtual
// lanes on its own: element i goes to lane i mod Lanes. All lanes are 8 bytes
// wide.
type Fold struct {
	Kernel
	States []Type
	Params []Type // uniform operands
	// Update is the node of each state's new value.
	Update []int
	// Prefetch tells that the fold is the first to look at a block: it asks for
	// what comes some way ahead, so that memory does not rest between blocks.
	Prefetch bool
}

// NewFold begins a fold over these operands.
func NewFold(name string, states, params []Type, in ...Elem) *FoldB {
	return &FoldB{B: New(name, 0, in...), states: states, params: params}
}

// FoldB builds a fold.
type FoldB struct {
	*B
	states, params []Type
	prefetch       bool
}

// State returns the present value of state i.
func (b *FoldB) State(i int) V {
	return b.node(Node{Op: State, Type: b.states[i], Imm: uint64(i)})
}

// Param returns uniform operand i.
func (b *FoldB) Param(i int) V {
	return b.node(Node{Op: Param, Type: b.params[i], Imm: uint64(i)})
}

// Prefetch notes that the fold is the first to look at a block.
func (b *FoldB) Prefetch() { b.prefetch = true }

// Done ends the fold with the states' new values.
func (b *FoldB) Done(update ...V) *Fold {
	if len(update) != len(b.states) {
		panic(fmt.Sprintf("%s: %d states, %d values", b.k.Name, len(b.states), len(update)))
	}
	f := &Fold{Kernel: b.k, States: b.states, Params: b.params, Prefetch: b.prefetch}
	for i, v := range update {
		b.want(State, v, b.states[i])
		f.Update = append(f.Update, v.n)
	}
	f.prune(f.Update)
	return f
}

// ID is the name that functions of the fold share.
func (f *Fold) ID() string {
	id := string(f.Name[0]-'a'+'A') + f.Name[1:]
	return id + f.In[0].String()
}
