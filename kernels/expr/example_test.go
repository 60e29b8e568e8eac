package expr_test

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
)

// bytesOf returns elements as they lie in memory.
func bytesOf(xs ...float64) (b []byte) {
	for _, x := range xs {
		b = binary.NativeEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}

// Two passes: the first finds mean and standard deviation, the second computes
// the array. A pool runs the blocks of a pass in its workers, many at a time.
func Example() {
	x := bytesOf(1, 2, 3, 4)
	plan, err := expr.Compile("(x-mean(x))/std(x), max(x)", []expr.Input{{Name: "x", Type: kernels.Float64, Shape: []int{4}}}, expr.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	out := make([]byte, len(x))
	run := plan.Start()
	for pass, err := run.Next(); pass != nil || err != nil; pass, err = run.Next() {
		if err != nil {
			fmt.Println(err)
			return
		}
		merger := run.NewMerger(pass, 1)

		// In a worker, for each chunk:
		program, err := expr.Decode(pass.Program)
		if err != nil {
			fmt.Println(err)
			return
		}
		runner := program.NewRunner()
		runner.Reset()
		var dst [][]byte
		if len(pass.Outputs) > 0 {
			dst = [][]byte{out}
		}
		runner.Block(4, dst, [][]byte{x})
		partial := make([]byte, program.PartialSize())
		runner.Partial(partial)

		// And back again:
		if err := merger.Add(0, 0, partial); err != nil {
			fmt.Println(err)
			return
		}
		if err := run.Finish(merger); err != nil {
			fmt.Println(err)
			return
		}
	}
	for i := range 4 {
		fmt.Println(math.Float64frombits(binary.NativeEndian.Uint64(out[8*i:])))
	}
	fmt.Println(run.Value(1))
	// Output:
	// -1.3416407864998738
	// -0.4472135954999579
	// 0.4472135954999579
	// 1.3416407864998738
	// 4 <nil>
}

func ExampleError() {
	_, err := expr.Compile("x + mena(x)", []expr.Input{{Name: "x", Type: kernels.Float64, Shape: []int{4}}}, expr.Options{})
	fmt.Println(err)
	// Output:
	// no function has the name "mena", at column 5
	//   x + mena(x)
	//       ^^^^
	// did you mean mean?
}

func ExamplePlan_Results() {
	inputs := []expr.Input{{Name: "f", Type: kernels.Float32, Shape: []int{10}}, {Name: "i", Type: kernels.Int8, Shape: []int{10}}}
	plan, err := expr.Compile("f*0.5, i*0.5, i+1, mean(i)", inputs, expr.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range plan.Results() {
		fmt.Println(r.Expr, r.Type, r.Array)
	}
	// Output:
	// f*0.5 float32 true
	// i*0.5 float64 true
	// i+1 int8 true
	// mean(i) float64 false
}
