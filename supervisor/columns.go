package supervisor

import (
	"context"
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// DescribeColumns returns the moments of each column of an array of two dimensions, in
// one pass over all of them. They have the bits of the moments of the column by itself.
func (p *Pool) DescribeColumns(ctx context.Context, x *Array) (all []kernels.Moments, err error) {
	if err := p.readable(ctx, x); err != nil {
		return nil, err
	}
	if x.file.decoding != nil {
		return nil, &DecodedError{x.file.Path(), x.Name, "and has no columns of its own, being one of those of its file: describe it as a whole (without --per-column)"}
	}
	if len(x.Shape) != 2 {
		return nil, fmt.Errorf("%s: array %q has the shape %s: only an array of two dimensions has columns", x.file.Path(), x.Name, x.ShapeString())
	}
	columns := make([]*kernels.Tree[kernels.Moments], x.Shape[1])
	for i := range columns {
		columns[i] = kernels.NewMomentsTree()
	}
	switch {
	case x.Len() == 0:
	case x.plain() != nil:
		err = p.scatteredColumns(ctx, x, columns)
	case x.Fortran:
		err = p.contiguousColumns(ctx, x, columns)
	default:
		err = p.stridedColumns(ctx, x, columns)
	}
	if err != nil {
		return nil, err
	}
	none := kernels.DescribeMoments.NewMerger(x.ValueType()).(*kernels.TreeMerger[kernels.Moments]).Total()
	for _, tree := range columns {
		m, ok := tree.Root()
		if !ok {
			m = none
		}
		all = append(all, m)
	}
	return all, nil
}

// contiguousColumns takes one column after another, which are arrays of their own.
func (p *Pool) contiguousColumns(ctx context.Context, x *Array, columns []*kernels.Tree[kernels.Moments]) error {
	for i := range columns {
		column := *x
		column.Shape = x.Shape[:1]
		column.Offset += int64(i) * x.Shape[0] * int64(x.Type.Size())
		ps := p.passes()
		s, _, err := ps.survey(ctx, ps.surveying(&column), &kernels.Survey{Moments: true}, 0)
		if err != nil {
			return err
		}
		m, _ := s.merger.Root()
		columns[i].Add(0, m)
	}
	return nil
}

// stridedColumns takes all columns block of rows by block of rows.
func (p *Pool) stridedColumns(ctx context.Context, x *Array, columns []*kernels.Tree[kernels.Moments]) (err error) {
	spec := &kernels.Survey{Columns: len(columns)}
	code, err := p.newCode(spec.Encode())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, code.close()) }()
	plan := partition.Columns(x.Array)
	groups := uint64(kernels.ColumnGroups(len(columns)))
	return p.engine.Run(ctx, engine.Job{
		Program: wire.Program{Type: x.Type, Survey: &wire.Survey{Code: *code.program, Kept: wire.NoMapping}},
		Plan:    plan,
		Mapping: x.file.mapping,
		Number:  x.file.number,
		Accept: func(chunk uint64, b []byte) error {
			found, err := spec.DecodeColumns(x.Type, chunk, plan.ColumnRows(chunk), b)
			for i, m := range found {
				columns[chunk%groups*kernels.ColumnGroup+uint64(i)].Add(chunk/groups, m)
			}
			return err
		},
	})
}

// scatteredColumns takes columns whose elements workers have to gather.
func (p *Pool) scatteredColumns(ctx context.Context, x *Array, columns []*kernels.Tree[kernels.Moments]) error {
	r, size := p.columns(x), kernels.DescribeMoments.PartialSize()
	found := make([]*kernels.TreeMerger[kernels.Moments], len(columns))
	for i := range found {
		found[i] = kernels.DescribeMoments.NewMerger(x.ValueType()).(*kernels.TreeMerger[kernels.Moments])
	}
	err := p.read(ctx, r, engine.Job{
		Program: wire.Program{Kernel: kernels.DescribeMoments.Name(), Type: x.ValueType()},
		Accept: func(chunk uint64, b []byte) error {
			first := chunk / r.plan.PerRow() * r.plan.Tile()
			n := min(r.plan.Tile(), uint64(len(columns))-first)
			if uint64(len(b)) != n*uint64(size) {
				return fmt.Errorf("moments of %d columns in %d bytes", n, len(b))
			}
			for i := range n {
				if err := found[first+i].Add(chunk%r.plan.PerRow(), b[int(i)*size:][:size]); err != nil {
					return err
				}
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	for i, m := range found {
		columns[i].Add(0, m.Total())
	}
	return nil
}
