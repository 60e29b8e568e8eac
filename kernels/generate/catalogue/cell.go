package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

const (
	// lastCell is the last of a survey's cells, see kernels.Survey.
	lastCell = 2047
	// surveyTile is the bytes that a survey puts into cells at once. What follows them
	// comes while these are counted.
	surveyTile = 8192
)

// cell is the cell of a survey to which x*scale+shift belongs, cut off and to the
// nearest that there is; of NaN, cell 0.
func cell() *ir.Kernel {
	b := ir.New("cell", ir.Uint16, ir.Float64, ir.Float64, ir.Float64)
	x := b.In(0).FMA(b.In(1), b.In(2))
	x = x.Ne(x).Select(x.C(0), x)
	k := b.Done(resize(x.C(lastCell).Min(x.C(0).Max(x)).ToInt(ir.I32), ir.Int32, ir.Uint16))
	k.Ahead = surveyTile
	return k
}
