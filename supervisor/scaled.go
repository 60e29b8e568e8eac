package supervisor

import (
	"context"
	"fmt"
	"sync"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// scaled is what the elements of an array stand for where its file says that this is
// not what is stored. Elements may stand for no number: they are nulls, with NaN in
// their place, so that integers become float64, but only where there are some. That
// takes a pass, which comes before the first that computes anything.
type scaled struct {
	by *format.Scaling

	mu    sync.Mutex
	known bool
	nulls int64
	as    *kernels.Scaling // nil: the elements stand for themselves
}

// ScaledError reports what cannot be done with an array whose file says that its
// numbers are not those stored.
type ScaledError struct {
	File, Array string
	What        string
}

func (e *ScaledError) Error() string {
	return fmt.Sprintf("%s: array %q: %s: take the stored numbers as they are by --stored (supervisor.Stored)", e.File, e.Array, e.What)
}

// newScaled returns what an array's elements stand for, nil if for themselves.
func newScaled(a format.Array) *scaled {
	s := a.Scale
	if s == nil || a.Access != format.Mapped {
		return nil
	}
	all := &scaled{by: s, known: len(s.Missing) == 0}
	all.as = all.of(a, s.Type)
	return all
}

// of returns how elements are loaded as numbers of a type.
func (s *scaled) of(a format.Array, t kernels.Type) *kernels.Scaling {
	k := &kernels.Scaling{Stored: a.Type, Type: t, Factor: s.by.Factor, Offset: s.by.Offset, Flip: s.by.Flip, Missing: s.by.Missing}
	if k.Flip {
		k.Offset = 0
	}
	return k
}

// rescaled returns what elements stand for by a scaling that a run in place began with.
func rescaled(as *kernels.Scaling) *scaled {
	if as == nil {
		return nil
	}
	return &scaled{known: true, as: as}
}

// scaling returns how the workers load the array's elements, nil if as they are stored.
func (x *Array) scaling() *kernels.Scaling {
	if x.scaled == nil {
		return nil
	}
	x.scaled.mu.Lock()
	defer x.scaled.mu.Unlock()
	return x.scaled.as
}

// ValueType returns the type of the array's numbers, which is that of its elements
// unless its file says that these stand for others. If some of them stand for none, it
// is that once something was computed.
func (x *Array) ValueType() kernels.Type {
	if as := x.scaling(); as != nil {
		return as.Type
	}
	return x.Type
}

// know finds out whether elements of the array stand for no number.
func (p *Pool) know(ctx context.Context, x *Array) error {
	s := x.scaled
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return nil
	}
	nulls, err := p.countOf(ctx, x, kernels.IsMissing)
	if err != nil {
		return err
	}
	as := s.of(x.Array, s.by.Type)
	switch {
	case nulls == 0:
		if as.Missing = nil; !as.Flip && as.Factor == 1 && as.Offset == 0 {
			as = nil
		}
	case !as.Type.IsFloat():
		rounded, err := p.countOf(ctx, x, kernels.IsRounded)
		if err != nil {
			return err
		}
		if rounded > 0 {
			return &ScaledError{x.file.Path(), x.Name, fmt.Sprintf("%d of its integers would be rounded to float64, as which it is read, since %d elements stand for no number", rounded, nulls)}
		}
		as.Type = kernels.Float64
	}
	s.nulls, s.as, s.known = nulls, as, true
	return nil
}

// countOf counts the elements of which an aspect holds.
func (p *Pool) countOf(ctx context.Context, x *Array, aspect kernels.Aspect) (int64, error) {
	if x.Len() == 0 {
		return 0, nil
	}
	as := x.scaled.of(x.Array, kernels.Bool)
	as.Aspect = aspect
	stored := *x
	stored.scaled = nil
	r := p.passes().scanAs(&stored, as)
	merger := kernels.CountTruth.NewMerger(kernels.Bool).(*kernels.TreeMerger[kernels.Truth])
	err := p.read(ctx, r, engine.Job{
		Program: wire.Program{Kernel: kernels.CountTruth.Name(), Type: kernels.Bool},
		Accept:  merger.Add,
	})
	total := merger.Total()
	return int64(total.CountNonzero()), err
}

// forget has the array's nulls counted again: it was changed.
func (x *Array) forget() {
	if s := x.scaled; s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.known = len(s.by.Missing) == 0
	}
}

// replaceable refuses an array, of which everything is known, that cannot be changed in
// place, since not all numbers could be stored.
func (x *Array) replaceable() error {
	s := x.scaled
	if s == nil {
		return nil
	}
	refuse := func(form string, args ...any) error {
		return &ScaledError{x.file.Path(), x.Name, "it cannot be changed in place, since " + fmt.Sprintf(form, args...)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.as != nil && !s.as.Flip && (s.as.Factor != 1 || s.as.Offset != 0):
		return refuse("not every result is one that stored numbers stand for (%v)", s.by)
	case len(s.by.Missing) > 0 && !s.by.Implied:
		return refuse("a result might be one of the numbers that stand for none (%v)", s.by)
	case s.nulls > 0:
		return refuse("%d of its elements stand for no number", s.nulls)
	}
	return nil
}
