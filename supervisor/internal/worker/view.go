package worker

import (
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// view is an array that is folded or surveyed, but does not lie as kernels take it, or
// nowhere.
type view struct {
	source
	typ     kernels.Type
	src     [][]byte // the bytes that the elements of a chunk lie among
	binding *wire.Binding
	made    *stream      // what a program makes, nil: what lies in a mapping
	fold    kernels.Fold // nil: it is surveyed
	payload []byte       // of all rows of a chunk
}

// prepareView makes ready a program that has a view.
func (w *Worker) prepareView(p wire.Program) (*view, error) {
	code, err := w.codeAt(p.View)
	if err != nil {
		return nil, err
	}
	b, err := wire.DecodeBinding(code)
	if err != nil {
		return nil, err
	}
	if len(b.Program) > 0 {
		return newComputed(b, p)
	}
	if len(b.Inputs) != 1 || len(b.Outputs) > 0 || b.InPlace != nil || b.Pick.Kind != wire.PickNone || b.Chunk == 0 || b.Chunk%kernels.BlockLen != 0 {
		return nil, fmt.Errorf("a view of %d inputs, %d outputs and a program of %d bytes, in chunks of %d elements", len(b.Inputs), len(b.Outputs), len(b.Program), b.Chunk)
	}
	v := &view{binding: b, typ: b.Inputs[0].Values()}
	if v.source, err = newSource(b, b.Inputs[0]); err != nil {
		return nil, err
	}
	size := uint64(0)
	switch r, ok := kernels.LookupReduction(p.Kernel); {
	case v.typ != p.Type:
		return nil, fmt.Errorf("a view of %v for a program of %v", v.typ, p.Type)
	case p.Survey != nil && b.Rows > 0:
		return nil, errors.New("a survey of rows")
	case p.Survey != nil:
	case ok:
		v.fold, size = r.NewFold(p.Type), uint64(r.PartialSize())
	default:
		r, ok := kernels.LookupRoutine(p.Kernel)
		if !ok {
			return nil, fmt.Errorf("no kernel is named %q", p.Kernel)
		}
		if r.Type() != p.Type {
			return nil, fmt.Errorf("kernel %q takes %v, not %v", p.Kernel, r.Type(), p.Type)
		}
		size = kernels.MaxPartial
		if v.fold, err = r.PrepareFold([]byte(p.Params)); err != nil {
			return nil, err
		}
	}
	if b.Tile > wire.MaxLong/max(1, size) {
		return nil, fmt.Errorf("a view in tiles of %d rows, with partials of %d bytes", b.Tile, size)
	}
	return v, nil
}

// look folds or surveys a chunk of a view and returns what comes out, row by row.
func (w *Worker) look(d ring.Descriptor, p *program) ([]byte, error) {
	v := p.view
	x, err := extentOf(v.binding, d.Chunk)
	if err != nil {
		return nil, err
	}
	if d.Count != x.rows*uint64(x.count) {
		return nil, fmt.Errorf("descriptor of %d elements of a chunk of %d rows of %d", d.Count, x.rows, x.count)
	}
	if v.made != nil {
		return w.surveyComputed(d.Chunk, x, p)
	}
	if v.src, err = v.attend(w.readable, x, v.src[:0]); err != nil {
		return nil, err
	}
	if p.survey == nil {
		return guardAll(func() ([]byte, error) { return v.chunk(x, w.progress) }, v.src...)
	}
	room, err := w.room(p.survey)
	if err != nil {
		return nil, err
	}
	block := func(at, k int) []byte { return v.take(x.row, x.first+uint64(at), k) }
	return guardAll(func() ([]byte, error) {
		return p.survey.surveyor.Blocks(d.Chunk, x.count, block, w.progress, room)
	}, v.src...)
}

// chunk folds a chunk, row by row.
func (v *view) chunk(x extent, progress func(done int)) ([]byte, error) {
	size := v.typ.Size()
	v.payload = v.payload[:0]
	for row := range x.rows {
		v.fold.Reset()
		for at := 0; at < x.count; {
			k := min(kernels.BlockLen, x.count-at)
			if err := v.fold.Blocks(v.take(x.row+row, x.first+uint64(at), k)); err != nil {
				return nil, err
			}
			at += k
			progress((int(row)*x.count + at) * size)
		}
		v.payload = append(v.payload, v.fold.Result()...)
	}
	return v.payload, nil
}
