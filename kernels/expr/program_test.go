package expr

import (
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// program returns the bytes of the first pass.
func program(t *testing.T, text string) []byte {
	t.Helper()
	var inputs []Input
	for _, a := range sample() {
		inputs = append(inputs, a.Input)
	}
	plan, err := Compile(text, inputs, Options{})
	if err != nil {
		t.Fatal(err)
	}
	pass, err := plan.Start().Next()
	if err != nil {
		t.Fatal(err)
	}
	return pass.Program
}

// The picture in the package doc, byte by byte.
func TestProgramLiesAsItsPictureSays(t *testing.T) {
	const want = "GSX\x01" +
		"\x01\x00\x01\x00\x02\x00\x02\x00\x01\x00\x01\x00\x01\x00\x01\x00" + // counts
		"\x01" + // x
		"\x01\x00\x00\x00\x00\x00\x00\x08\x40" + // 3.0
		"\x01\x01\x01\x00\x08multiply" + "\x01\x01\x00\x00\x04sqrt" +
		"\x00\x00\x00\x80\x00\x00\x00\x40\xff\xff" + // register 0 = input 0 * constant 0
		"\x01\x00\x00\xc0\x00\x80\xff\xff\xff\xff" + // block 0 = sqrt(register 0)
		"\x09\x00\xc0\xff\xff" + // sum of block 0
		"\x00\xc0" // block 0
	if got := string(program(t, "sqrt(x*3), sum(sqrt(x*3))")); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestDecodeRefusesWhatIsNoProgram(t *testing.T) {
	good := program(t, "sqrt(x*3), sum(sqrt(x*3)), dot(x, y)")
	for n := range good {
		if _, err := Decode(good[:n]); err == nil {
			t.Errorf("%d bytes of %d were taken", n, len(good))
		}
	}
	if _, err := Decode(append(good[:len(good):len(good)], 0)); err == nil {
		t.Error("a byte too many was taken")
	}
	if _, err := Decode(make([]byte, MaxProgram+1)); err == nil {
		t.Error("too many bytes were taken")
	}
	kernel := func(name string, in ...kernels.Type) []*kernels.Elementwise {
		k, ok := kernels.LookupElementwise(name, in...)
		if !ok {
			t.Fatal(name)
		}
		return []*kernels.Elementwise{k}
	}
	f8, f4 := kernels.Float64, kernels.Float32
	in, reg, block := operand{inputOperand, 0}, operand{registerOperand, 0}, operand{blockOperand, 0}
	sqrt := kernel("sqrt", f8)
	less := kernel("less", f8, f8)
	constants := make([]constant, maxConstants+1)
	for _, c := range []struct {
		name string
		p    Program
		msg  string
	}{
		{"input of no type", Program{inputs: []kernels.Type{99}}, "input 0"},
		{"constant of no type", Program{constants: constants[:1]}, "constant 0"},
		{"many constants", Program{constants: constants}, "more than"},
		{"many registers", Program{registers: maxRegisters + 1}, "more than"},
		{"no kernel", Program{ops: []op{{0, reg, nil}}}, "kernel 0"},
		{"operand not there", Program{inputs: []kernels.Type{f8}, kernels: sqrt, registers: 1, ops: []op{{0, reg, []operand{reg}}}}, "operand 0 of sqrt"},
		{"operand of another type", Program{inputs: []kernels.Type{f4}, kernels: sqrt, registers: 1, ops: []op{{0, reg, []operand{in}}}}, "operand 0 of sqrt"},
		{"an operand too many", Program{inputs: []kernels.Type{f8}, kernels: sqrt, registers: 1, ops: []op{{0, reg, []operand{in, in}}}}, "too many"},
		{"no register", Program{inputs: []kernels.Type{f8}, kernels: sqrt, ops: []op{{0, reg, []operand{in}}}}, "no place"},
		{"no block", Program{inputs: []kernels.Type{f8}, kernels: sqrt, ops: []op{{0, block, []operand{in}}}}, "no place"},
		{"into an input", Program{inputs: []kernels.Type{f8}, kernels: sqrt, ops: []op{{0, in, []operand{in}}}}, "no place"},
		{"a block twice", Program{inputs: []kernels.Type{f8}, kernels: sqrt, blocks: 1, ops: []op{{0, block, []operand{in}}, {0, block, []operand{in}}}}, "no place"},
		{"narrow result over its operand", Program{inputs: []kernels.Type{f8}, kernels: append(kernel("sqrt", f8), less...), registers: 1,
			ops: []op{{0, reg, []operand{in}}, {1, reg, []operand{reg, in}}}}, "in the place of"},
		{"result in a register", Program{inputs: []kernels.Type{f8}, kernels: sqrt, registers: 1, ops: []op{{0, reg, []operand{in}}}, outs: []operand{reg}}, "result 0"},
		{"result that is not made", Program{blocks: 1, outs: []operand{block}}, "result 0"},
		{"reduction of no kind", Program{inputs: []kernels.Type{f8}, folds: []foldOp{{kind: foldSum + 1, x: in}}}, "kind"},
		{"reduction of nothing", Program{blocks: 1, folds: []foldOp{{kind: foldSummary, x: block}}}, "reduction 0"},
		{"pairs of one array", Program{inputs: []kernels.Type{f8}, folds: []foldOp{{kind: foldCovariance, x: in, y: block}}}, "reduction 0"},
	} {
		if _, err := Decode(c.p.encode()); err == nil || !strings.Contains(err.Error(), c.msg) {
			t.Errorf("%s: %v, want %q", c.name, err, c.msg)
		}
	}
	for _, edit := range [][2]string{{"GSX\x01", "GSX\x02"}, {"sqrt", "sqrd"}, {"\x01\x01\x00\x00\x04sqrt", "\x02\x01\x00\x00\x04sqrt"}} {
		if _, err := Decode([]byte(strings.Replace(string(good), edit[0], edit[1], 1))); err == nil {
			t.Errorf("%q for %q was taken", edit[1], edit[0])
		}
	}
}

func TestBlocksOfWrongLengthPanic(t *testing.T) {
	p, err := Decode(program(t, "x*3"))
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 80)
	for _, c := range []struct {
		n        int
		dst, src [][]byte
	}{
		{0, [][]byte{{}}, [][]byte{{}}}, {10, nil, [][]byte{b}}, {10, [][]byte{b}, nil}, {10, [][]byte{b}, [][]byte{b[1:]}}, {10, [][]byte{b[1:]}, [][]byte{b}},
		{kernels.BlockLen + 1, [][]byte{b}, [][]byte{b}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d elements of %d and %d blocks were taken", c.n, len(c.dst), len(c.src))
				}
			}()
			p.NewRunner().Block(c.n, c.dst, c.src)
		}()
	}
}
