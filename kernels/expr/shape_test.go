package expr

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// The oracle of shapes evaluates random expressions place by place, by NumPy's
// definitions. Sums and means it computes exactly and rounds once.

// grid is an array, in C's order.
type grid struct {
	shape []int
	n     []float64
}

// places lists the places of a shape, the last axis fastest.
func places(shape []int) [][]int {
	all := [][]int{{}}
	for _, n := range shape {
		var longer [][]int
		for _, p := range all {
			for i := range n {
				longer = append(longer, append(slices.Clone(p), i))
			}
		}
		all = longer
	}
	return all
}

// at returns an element; axes that are not there, or of length 1, take any place.
func (g grid) at(place []int) float64 {
	place = place[len(place)-len(g.shape):]
	flat := 0
	for i, n := range g.shape {
		flat *= n
		if n > 1 {
			flat += place[i]
		}
	}
	return g.n[flat]
}

// spread applies an operator by NumPy's broadcasting.
func spread(a, b grid, f func(x, y float64) float64) (grid, error) {
	shape := make([]int, max(len(a.shape), len(b.shape)))
	for i := range shape {
		var lengths []int
		for _, g := range []grid{a, b} {
			if j := i - len(shape) + len(g.shape); j >= 0 && g.shape[j] != 1 {
				lengths = append(lengths, g.shape[j])
			}
		}
		shape[i] = 1
		if len(lengths) > 0 {
			shape[i] = lengths[0]
		}
		if len(lengths) == 2 && lengths[0] != lengths[1] {
			return grid{}, errRefused
		}
	}
	out := grid{shape: shape}
	for _, p := range places(shape) {
		out.n = append(out.n, f(a.at(p), b.at(p)))
	}
	return out, nil
}

// taken returns the indices that a range takes of an axis, as Python counts them.
func taken(start, stop, step *int, n int) (all []int) {
	by := 1
	if step != nil {
		by = *step
	}
	from, to := 0, n
	if by < 0 {
		from, to = n-1, -1
	}
	bound := func(given *int, otherwise int) int {
		switch {
		case given == nil:
			return otherwise
		case *given < 0:
			return *given + n
		}
		return *given
	}
	from, to = bound(start, from), bound(stop, to)
	if by > 0 && from < 0 {
		from = 0
	}
	if by < 0 && from > n-1 {
		from = n - 1
	}
	for i := from; i >= 0 && i < n && (by > 0 && i < to || by < 0 && i > to); i += by {
		all = append(all, i)
	}
	return all
}

type gridTerm struct {
	text string
	grid
	err error
}

// randomSlice puts brackets behind a term.
func randomSlice(r *rand.Rand, t gridTerm) gridTerm {
	var items []string
	var lists [][]int // indices of each axis
	var kept []int    // shape, -1: of the list in turn
	number := func() *int {
		if r.IntN(3) == 0 {
			return nil
		}
		i := r.IntN(11) - 5
		return &i
	}
	shown := func(i *int) string {
		if i == nil {
			return ""
		}
		return fmt.Sprint(*i)
	}
	dots := r.IntN(4) == 0
	named := r.IntN(len(t.shape) + 1)
	front := 0
	if dots {
		front = r.IntN(named + 1)
	}
	for axis := 0; axis < len(t.shape); {
		n := t.shape[axis]
		if dots && axis == front && len(t.shape)-named > 0 || !dots && axis >= named {
			if dots {
				items = append(items, "...")
			}
			for range len(t.shape) - named {
				lists, kept = append(lists, upTo(t.shape[axis])), append(kept, t.shape[axis])
				axis++
			}
			dots = false
			named = len(t.shape)
			continue
		}
		switch k := r.IntN(6); {
		case k == 0:
			items, kept = append(items, []string{"None", "newaxis"}[r.IntN(2)]), append(kept, 1)
			continue
		case k == 1 && n > 0:
			i := r.IntN(2*n) - n
			items, lists = append(items, fmt.Sprint(i)), append(lists, []int{(i + n) % n})
		default:
			start, stop, step := number(), number(), number()
			if step != nil && *step == 0 {
				step = nil
			}
			list := taken(start, stop, step, n)
			item := shown(start) + ":" + shown(stop)
			if step != nil || r.IntN(2) == 0 {
				item += ":" + shown(step)
			}
			items, lists, kept = append(items, item), append(lists, list), append(kept, len(list))
		}
		axis++
	}
	if len(items) == 0 {
		return t
	}
	lengths := make([]int, len(lists))
	for i, l := range lists {
		lengths[i] = len(l)
	}
	out := gridTerm{text: t.text + "[" + strings.Join(items, ", ") + "]", err: t.err, grid: grid{shape: kept}}
	for _, p := range places(lengths) {
		for i := range p {
			p[i] = lists[i][p[i]]
		}
		out.n = append(out.n, t.at(p))
	}
	return out
}

var gridReducers = map[string]func(x []float64) (float64, error){
	"sum":  func(x []float64) (float64, error) { return exactly(x, 1), nil },
	"mean": func(x []float64) (float64, error) { return exactly(x, len(x)), nil },
	"max": func(x []float64) (float64, error) {
		if len(x) == 0 {
			return 0, errRefused
		}
		return slices.Max(x), nil
	},
	"argmin": func(x []float64) (float64, error) {
		if len(x) == 0 {
			return 0, errRefused
		}
		least := slices.Min(x) // NaN if there is one
		return float64(slices.IndexFunc(x, func(v float64) bool { return v == least || v != v && least != least })), nil
	},
	"count_nonzero": func(x []float64) (n float64, _ error) {
		for _, v := range x {
			if v != 0 {
				n++
			}
		}
		return n, nil
	},
}

// exactly returns a sum over a number, rounded once.
func exactly(x []float64, over int) float64 {
	sum := new(big.Rat)
	for _, v := range x {
		if v != v {
			return v
		}
		sum.Add(sum, new(big.Rat).SetFloat64(v))
	}
	if over == 0 {
		return math.NaN()
	}
	f, _ := sum.Quo(sum, big.NewRat(int64(over), 1)).Float64()
	return f
}

// randomReduction reduces a term along some axes.
func randomReduction(r *rand.Rand, t gridTerm) gridTerm {
	names := []string{"sum", "mean", "max", "argmin", "count_nonzero"}
	name := names[r.IntN(len(names))]
	along := make([]bool, len(t.shape))
	var axes []string
	for _, i := range r.Perm(len(t.shape)) {
		if r.IntN(2) == 0 {
			along[i] = true
			axes = append(axes, fmt.Sprint(i-len(t.shape)*r.IntN(2)))
		}
	}
	if len(axes) == 0 {
		return t
	}
	out := gridTerm{text: "axis=(" + strings.Join(axes, ",") + ",)", err: t.err}
	if len(axes) == 1 && r.IntN(2) == 0 {
		out.text = "axis=" + axes[0]
	}
	keep := r.IntN(2) == 0
	if keep {
		out.text += ", keepdims=True"
	}
	out.text = name + "(" + t.text + ", " + out.text + ")"
	var outer, inner []int
	for i, n := range t.shape {
		switch {
		case along[i]:
			inner = append(inner, n)
			if keep {
				out.shape = append(out.shape, 1)
			}
		default:
			outer, out.shape = append(outer, n), append(out.shape, n)
		}
	}
	for _, p := range places(outer) {
		var row []float64
		for _, q := range places(inner) {
			var place []int
			o, i := 0, 0
			for axis := range t.shape {
				if along[axis] {
					place, i = append(place, q[i]), i+1
				} else {
					place, o = append(place, p[o]), o+1
				}
			}
			row = append(row, t.at(place))
		}
		v, err := gridReducers[name](row)
		out.n = append(out.n, v)
		out.err = errors.Join(out.err, err)
	}
	return out
}

func randomGridTerm(r *rand.Rand, leaves []gridTerm, depth int) gridTerm {
	if depth == 0 {
		return leaves[r.IntN(len(leaves))]
	}
	switch r.IntN(6) {
	case 0, 1:
		return randomSlice(r, randomGridTerm(r, leaves, depth-1))
	case 2, 3:
		return randomReduction(r, randomGridTerm(r, leaves, depth-1))
	}
	a, b := randomGridTerm(r, leaves, depth-1), randomGridTerm(r, leaves, depth-1)
	op := r.IntN(3)
	f := []func(x, y float64) float64{func(x, y float64) float64 { return x + y }, func(x, y float64) float64 { return x - y }, math.Max}[op]
	var made grid
	err := errors.Join(a.err, b.err)
	if err == nil {
		made, err = spread(a.grid, b.grid, f)
	}
	text := []string{"(%s + %s)", "(%s - %s)", "maximum(%s, %s)"}[op]
	return gridTerm{fmt.Sprintf(text, a.text, b.text), made, err}
}

func TestRandomShapesAreAsTheOracleSays(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 7))
	computed, refused := 0, 0
	for round := range rounds(6000) {
		var arrays []array
		var leaves []gridTerm
		lengths := []int{1, 1, 2, 3, 3, 3, 5, 0}
		for i, name := range []string{"a", "b", "c"} {
			g := grid{}
			for range r.IntN(4) {
				g.shape = append(g.shape, lengths[r.IntN(len(lengths)-min(1, r.IntN(9)))])
			}
			for range places(g.shape) {
				g.n = append(g.n, float64(r.IntN(9)-4))
			}
			fortran := r.IntN(2) == 0
			arrays = append(arrays, inMemory(name, []kernels.Type{kernels.Float64, kernels.Int64, kernels.Float64}[i], g, fortran))
			leaves = append(leaves, gridTerm{text: name, grid: g})
		}
		term := randomGridTerm(r, leaves, 1+r.IntN(3))
		name := fmt.Sprintf("seed %d, round %d: %s of %v", seed, round, term.text, []any{leaves[0].shape, leaves[1].shape, leaves[2].shape})
		got, _, err := compute(term.text, arrays, Options{Order: Order(r.IntN(3)), Apart: r.IntN(2) == 0}, how{chunk: 1, tile: 1 << r.IntN(13), reverse: r.IntN(2) == 0})
		if (err != nil) != (term.err != nil) {
			t.Fatalf("%s: %v, the oracle says %v", name, err, term.err)
		}
		if err != nil {
			refused++
			continue
		}
		computed++
		o := got[0]
		if !o.Array || !slices.Equal(o.Shape, term.shape) {
			t.Fatalf("%s has the shape %v, want %v", name, o.Shape, term.shape)
		}
		for _, p := range places(o.Shape) {
			bits := get(o.bytes, o.Type, offsetOf(o.Shape, p, o.Fortran))
			have := columnOf(ofBits("", o.Type, bits)).n[0]
			if v := have.f; have.i != nil && have.i.Int64() != int64(term.at(p)) || have.i == nil && v != term.at(p) && (v == v || term.at(p) == term.at(p)) {
				t.Fatalf("%s: at %v is %v, want %v", name, p, have, term.at(p))
			}
		}
	}
	if computed < rounds(2500) || refused < rounds(500) {
		t.Errorf("only %d expressions were computed and %d refused", computed, refused)
	}
}

// inMemory lays a grid out as an array.
func inMemory(name string, typ kernels.Type, g grid, fortran bool) array {
	a := array{Input{Name: name, Type: typ, Shape: append([]int{}, g.shape...), Fortran: fortran}, make([]byte, len(g.n)*typ.Size())}
	for _, p := range places(g.shape) {
		bits := uint64(int64(g.at(p)))
		if typ.IsFloat() {
			bits = typ.FloatBits(g.at(p))
		}
		put(a.bytes, typ, offsetOf(g.shape, p, fortran), bits)
	}
	return a
}

// Along axes each row has the bits that it has alone, for any chunks and tiers.
func TestAlongAxesEachRowIsItsOwnArray(t *testing.T) {
	const rows = 2*kernels.BlockLen + 77
	r := rand.New(rand.NewPCG(5, 6))
	a := array{Input{Name: "x", Type: kernels.Float32, Shape: []int{2, rows, 3}}, make([]byte, 4*6*rows)}
	for i := range 6 * rows {
		v := float32(r.NormFloat64())
		if r.IntN(5000) == 0 {
			v = float32(math.NaN())
		}
		put(a.bytes, a.Type, i, uint64(math.Float32bits(v)))
	}
	defer kernels.UseTier(kernels.CurrentTier())
	names := []string{"sum", "mean", "prod", "min", "max", "var", "std", "argmin", "argmax", "nansum", "nanmean", "nanstd", "nanmin", "nanargmax", "any", "all", "count_nonzero", "count",
		"skew", "kurtosis", "norm"}
	var along, want []string
	for _, name := range names {
		along = append(along, name+"(x, axis=1)")
		var alone []string
		for i := range 6 {
			alone = append(alone, fmt.Sprintf("%s(x[%d, :, %d])", name, i/3, i%3))
		}
		got, _, err := compute(strings.Join(alone, ","), []array{a}, Options{}, usual)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range got {
			want = append(want, o.value.String())
		}
	}
	for _, tier := range []kernels.Tier{kernels.Scalar, kernels.AVX2, kernels.AVX512} {
		if kernels.UseTier(tier) != nil {
			continue
		}
		for _, h := range []how{{chunk: 1}, {chunk: 2, tile: 64, reverse: true}, {chunk: 4, tile: 1024}} {
			got, notes, err := compute(strings.Join(along, ","), []array{a}, Options{}, h)
			if err != nil {
				t.Fatal(err)
			}
			if len(notes) == 0 || notes[0].NaN == 0 {
				t.Errorf("NaN are not noted: %v", notes)
			}
			for k, o := range got {
				for i := range 6 {
					w := want[6*k+i]
					if o.Type == kernels.Float32 {
						full := 0.
						fmt.Sscan(w, &full)
						w = kernels.FormatFloat(float64(float32(full)))
					}
					have := elementConstant(strong(o.Type), o.bytes[i*o.Type.Size():(i+1)*o.Type.Size()])
					if s := shownConstant(have); s != w {
						t.Errorf("%v, %+v: %s, row %d is %s, alone %s", tier, h, along[k], i, s, w)
					}
				}
			}
		}
	}
}

// shownConstant returns an element as a scalar's value is shown.
func shownConstant(c constant) string {
	switch {
	case c.isBool():
		return map[bool]string{false: "False", true: "True"}[c.bits != 0]
	case c.isFloat():
		for c.elem != kernels.Float64 {
			c = widened(c)
		}
		return kernels.FormatFloat(math.Float64frombits(c.bits))
	}
	return elementInteger(c).String()
}
