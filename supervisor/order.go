package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// orders are the quantiles of one array that the expressions of a query need, found
// together before the first pass.
type orders struct {
	of     *Array // nil: what the first of the quantiles is of is computed
	places []int  // of the plan's quantiles
	qs     []float64
}

// order gathers the quantiles that the plan needs by array.
func (e *evaluation) order() {
	at := map[string]int{}
	for place, q := range e.plan.Quantiles() {
		x := e.lying(q)
		key := fmt.Sprint(q.Where, q.Text)
		if x != nil {
			key = fmt.Sprint(q.Of.Input, x.Offset, x.Len())
		}
		i, known := at[key]
		if !known {
			i = len(e.orders)
			at[key], e.orders = i, append(e.orders, orders{of: x})
		}
		o := &e.orders[i]
		o.places = append(o.places, place)
		if !slices.Contains(o.qs, q.Q) {
			o.qs = append(o.qs, q.Q)
		}
	}
}

// lying returns the array that a quantile is of, a slice perhaps, if it lies as surveys
// take it; otherwise nil.
func (e *evaluation) lying(q *expr.Quantile) *Array {
	if q.Of == nil {
		return nil
	}
	whole := e.arrays[q.Of.Input]
	if whole.file.pieces != nil {
		return lyingPieces(q, whole)
	}
	if x := partOf(*q.Of, whole, q.Shape); !x.Swapped && x.Strides == nil {
		return x
	}
	return nil
}

// lyingPieces does so for an array that lies in pieces.
func lyingPieces(q *expr.Quantile, whole *Array) *Array {
	axis := slices.Index(q.Of.Axes, 0)
	joined := partOf(*q.Of, whole, q.Shape)
	switch {
	case joined.Len() == 0:
		return joined
	case axis > 0 || joined.Strides != nil:
		return nil
	case axis < 0:
		c := whole.cutAt(q.Of.From[0])
		return partOf(c.within(*q.Of), c.piece.Array, q.Shape)
	}
	var pieces []piece
	for _, c := range cutsOf(whole.file.pieces, int64(q.Of.From[0]), int64(q.Of.Steps[0]), int64(q.Shape[0])) {
		shape := slices.Clone(q.Shape)
		shape[0] = int(c.count)
		pieces = append(pieces, piece{partOf(c.within(*q.Of), c.piece.Array, shape), c.piece.valid})
	}
	return newPieces(format.Array{Name: whole.Name, Type: whole.Type, Shape: joined.Shape}, pieces)
}

// partOf returns the array of a shape that an operand goes through in one piece.
func partOf(in expr.Operand, of *Array, shape []int) *Array {
	from := sourceOf(in, of)
	x := *of
	x.Offset, x.Shape = int64(from.Offset), make([]int64, len(shape))
	for i, n := range shape {
		x.Shape[i] = int64(n)
	}
	x.Lay(from.Strides)
	return &x
}

// quantiles tells the run the quantiles that it needs.
func (e *evaluation) quantiles(ctx context.Context) error {
	all := e.plan.Quantiles()
	found := make([]expr.QuantileValue, len(all))
	for _, o := range e.orders {
		search, err := e.search(ctx, o)
		if err != nil {
			return err
		}
		values := map[kernels.Method][]kernels.Value{}
		for _, place := range o.places {
			q := all[place]
			if values[q.Method] == nil {
				values[q.Method] = search.Values(q.Method)
			}
			found[place] = expr.QuantileValue{Value: values[q.Method][slices.Index(o.qs, q.Q)], NaN: search.NaN()}
		}
	}
	return e.run.Know(found)
}

// search finds quantiles of one array.
func (e *evaluation) search(ctx context.Context, o orders) (_ *kernels.Quantiles, err error) {
	if o.of != nil {
		return e.passes.quantiles(ctx, o.of, o.qs)
	}
	// What is computed is a query of its own, whose last pass surveys go over.
	first := e.plan.Quantiles()[o.places[0]]
	q := Query{Text: first.Text, Arrays: e.arrays, NullsAreNaN: e.query.NullsAreNaN}
	options := expr.Options{}
	if first.Where {
		q.Where = e.query.Where
		options = expr.Options{Pick: expr.PickElements, Order: expr.COrder} // one pass makes both
	}
	of, err := e.passes.compile(ctx, q, options)
	if err != nil {
		return nil, first.Within(err)
	}
	defer func() { err = errors.Join(err, of.close()) }()
	switch {
	case e.rounds != nil && first.Where:
		return nil, &ShardError{"a quantile under a condition is not shared among shards", "compute it in one run"}
	case e.rounds != nil && of.plan.Rows():
		return nil, errRowsOfShards
	}
	r, err := of.scan(ctx)
	if err != nil {
		return nil, first.Within(err)
	}
	return e.quantilesOf(ctx, r, o.qs)
}

// scan runs the passes of a query with one result but the last, and returns how surveys
// go over that.
func (e *evaluation) scan(ctx context.Context) (r scan, err error) {
	chunk := e.chunkLen(min(e.chunk, surveyChunk))
	if e.query.Where != "" {
		if r.places, err = e.pool.places(ctx, e.query, e, chunk); err != nil || r.places[len(r.places)-1] == 0 {
			r.typ = e.plan.Results()[0].Type
			return r, err
		}
	}
	pass, err := e.reduce(ctx)
	if err != nil {
		return r, err
	}
	job := e.picking(pass, chunk)
	r.array, r.plan, r.also, r.typ = e.primary(pass), job.Plan, job.Also, e.plan.Results()[0].Type
	if r.view, err = e.bind(pass, job.Plan, nil); err != nil || r.places == nil {
		return r, err
	}
	if e.picks, err = e.pool.sharePlaces(r.places); err != nil {
		return r, err
	}
	r.view.Pick = wire.Pick{Kind: wire.PickRead, Places: e.picks.number}
	return r, nil
}
