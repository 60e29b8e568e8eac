package expr

import "github.com/gangsaw/gangsaw/kernels"

// Table is the values of a reduction along axes: an array for later passes, in C's
// order and this machine's byte order.
type Table struct {
	Type  kernels.Type
	Shape []int
	Bytes []byte
}

func newTable(n *node) *Table {
	return &Table{Type: n.elem, Shape: n.shape, Bytes: make([]byte, length(n.shape)*n.elem.Size())}
}

// put sets a value.
func (t *Table) put(i int, c constant) {
	size := t.Type.Size()
	copy(t.Bytes[i*size:(i+1)*size], elementOfValue(c, t.Type).element())
}

// rowValues are the values of a reduction that a pass completes by itself, row by
// row, so that partials of many rows need not be kept.
type rowValues struct {
	of    *node
	folds []int // of the pass
	table *Table
	nan   uint64
}

// plan decides which values are made as soon as a row is complete, and of which folds
// the totals are kept.
func (m *Merger) plan() {
	if m.pass.Rows == 0 {
		return
	}
	place := map[*fold]int{}
	for i, f := range m.pass.folds {
		place[f] = i
	}
	for _, n := range m.run.plan.values {
		v := rowValues{of: n}
		for _, f := range m.run.foldsOf(n) {
			if i, ok := place[f]; ok {
				v.folds = append(v.folds, i)
			}
		}
		switch {
		case len(v.folds) == 0:
		case len(v.folds) == len(n.reduce.folds):
			v.table = newTable(n)
			m.values = append(m.values, v)
		default:
			for _, i := range v.folds {
				m.kept[i] = make([]any, m.pass.RowCount())
			}
		}
	}
}

// complete takes what all chunks of a row have come to.
func (m *Merger) complete(row int) {
	totals := make([]any, len(m.pass.folds))
	for i, f := range m.row(row).folds {
		totals[i] = f.total()
	}
	delete(m.rows, row)
	if m.pass.Rows == 0 {
		for i, f := range m.pass.folds {
			m.run.parts[f] = totals[i]
		}
		return
	}
	for i, kept := range m.kept {
		if kept != nil {
			kept[row] = totals[i]
		}
	}
	for i := range m.values {
		v := &m.values[i]
		parts := make([]any, len(v.folds))
		for i, f := range v.folds {
			parts[i] = totals[f]
		}
		res := v.of.reduce.finish(parts)
		if res.msg != "" {
			m.fail(row, v.of.at.errorf(res.remedy, "%s", res.msg))
			continue
		}
		v.nan += res.nan
		v.table.put(row, res.value)
	}
}

// fail notes that a row has no value. Of several rows the first is told of, whatever
// the order in which they come.
func (m *Merger) fail(row int, err *Error) {
	if m.err == nil || row < m.failed {
		m.err, m.failed = err, row
	}
}

// finish makes what the pass completes known to the run.
func (m *Merger) finish() {
	if m.chunks == 0 && len(m.pass.folds) > 0 { // rows of no elements
		for row := range int(m.pass.RowCount()) {
			m.complete(row)
		}
	}
	if m.pass.Rows == 0 || m.err != nil {
		return
	}
	for i, f := range m.pass.folds {
		if m.kept[i] != nil {
			m.run.rows[f] = m.kept[i]
		}
	}
	for _, v := range m.values {
		m.run.tables[v.of] = v.table
		m.run.note(v.of, v.nan)
	}
}

// table makes the values of a reduction whose folds belong to several passes, or to
// one of a single row.
func (r *Run) table(n *node) {
	t, nan := newTable(n), uint64(0)
	for row := range length(n.shape) {
		parts := make([]any, len(n.reduce.folds))
		for i, f := range r.foldsOf(n) {
			if f.rows == 0 {
				parts[i] = r.parts[f]
			} else {
				parts[i] = r.rows[f][row]
			}
		}
		res := n.reduce.finish(parts)
		if res.msg != "" {
			panic(n.at.errorf(res.remedy, "%s", res.msg))
		}
		nan += res.nan
		t.put(row, res.value)
	}
	r.tables[n] = t
	r.note(n, nan)
}
