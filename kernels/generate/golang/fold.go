package golang

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// together is how many lanes a portable fold keeps in registers at once.
const together = 4

// Folds returns the source of a file with the loops of all folds.
func Folds(pkg string, folds []*ir.Fold) ([]byte, error) {
	var body bytes.Buffer
	for _, f := range folds {
		if len(f.In) == 0 {
			combine(&body, f)
		} else {
			fold(&body, f)
		}
	}
	return file(pkg, &body)
}

// combine writes what folds lanes: the first half with the second, until one is
// left.
func combine(out *bytes.Buffer, f *ir.Fold) {
	fmt.Fprintf(out, "// %[1]s folds the lanes of states into the first.\nfunc %[1]s(state []uint64) {\n", f.ID())
	fmt.Fprintf(out, "for half := %d; half > 0; half /= 2 {\nfor l := range half {\n", ir.Lanes/2)
	states(out, f, 0, "l")
	for s, t := range f.States {
		fmt.Fprintf(out, "o%d := %s\n", s, fromWord(t, fmt.Sprintf("state[l+half+%d]", s*ir.Lanes)))
	}
	update(out, f, 0, "l")
	write(out, f, 0, "l")
	out.WriteString("}\n}\n}\n\n")
}

func fold(out *bytes.Buffer, f *ir.Fold) {
	fmt.Fprintf(out, "// %s folds elements into states of %d lanes each, element i into lane i mod %d.\nfunc %s(state []uint64", f.ID(), ir.Lanes, ir.Lanes, f.ID())
	// All folds have one signature; what they do not use has no name.
	fmt.Fprintf(out, ", a []%s", f.In[0].GoType())
	if len(f.In) == 2 {
		fmt.Fprintf(out, ", b []%s", f.In[1].GoType())
	} else {
		out.WriteString(", _ []byte")
	}
	uniform := []string{"_", "_"}
	for _, n := range f.Nodes {
		if n.Op == ir.Param {
			uniform[n.Imm] = fmt.Sprintf("u%d", n.Imm)
		}
	}
	fmt.Fprintf(out, ", %s uint64) {\n", strings.Join(uniform, ", "))
	for i, t := range f.Params {
		if uniform[i] == "_" {
			continue
		}
		fmt.Fprintf(out, "p%d := %s\n", i, fromWord(t, fmt.Sprintf("u%d", i)))
	}
	fmt.Fprintf(out, "rows := len(a) / %d * %d\n", ir.Lanes, ir.Lanes)
	// A few lanes at a time, whose states stay in registers.
	fmt.Fprintf(out, "for l := 0; l < %d; l += %d {\n", ir.Lanes, together)
	for lane := range together {
		states(out, f, lane, "l")
	}
	fmt.Fprintf(out, "for i := l; i < rows; i += %d {\n", ir.Lanes)
	for i := range f.In {
		fmt.Fprintf(out, "%[1]s := %[1]s[i:i+%[2]d:i+%[2]d]\n", Operands[i], together)
	}
	for lane := range together {
		update(out, f, lane, fmt.Sprint(lane))
	}
	out.WriteString("}\n")
	for lane := range together {
		write(out, f, lane, "l")
	}
	fmt.Fprintf(out, "}\nfor l := range len(a) - rows {\ni := rows + l\n")
	states(out, f, 0, "l")
	update(out, f, 0, "i")
	write(out, f, 0, "l")
	out.WriteString("}\n}\n\n")
}

// states reads the states of lane index+lane into variables.
func states(out *bytes.Buffer, f *ir.Fold, lane int, index string) {
	for s, t := range f.States {
		fmt.Fprintf(out, "s%d_%d := %s\n", s, lane, fromWord(t, fmt.Sprintf("state[%s+%d]", index, s*ir.Lanes+lane)))
	}
}

// update folds one element into the variables of a lane.
func update(out *bytes.Buffer, f *ir.Fold, lane int, at string) {
	w := &writer{
		out: out, k: &f.Kernel,
		element: func(i int) string { return fmt.Sprintf("%s[%s]", Operands[i], at) },
		state:   func(i int) string { return fmt.Sprintf("s%d_%d", i, lane) },
	}
	out.WriteString("{\n")
	w.statements(0, len(f.Nodes))
	var to, from []string
	for s, n := range f.Update {
		if w.state(s) == w.ref(n) {
			continue
		}
		to, from = append(to, w.state(s)), append(from, w.ref(n))
	}
	fmt.Fprintf(out, "%s = %s\n}\n", strings.Join(to, ", "), strings.Join(from, ", "))
}

// write puts the variables of a lane back.
func write(out *bytes.Buffer, f *ir.Fold, lane int, index string) {
	for s, t := range f.States {
		fmt.Fprintf(out, "state[%s+%d] = %s\n", index, s*ir.Lanes+lane, toWord(t, fmt.Sprintf("s%d_%d", s, lane)))
	}
}

func fromWord(t ir.Type, word string) string {
	if t == ir.F64 {
		return "math.Float64frombits(" + word + ")"
	}
	return word
}

func toWord(t ir.Type, value string) string {
	if t == ir.F64 {
		return "math.Float64bits(" + value + ")"
	}
	return value
}
