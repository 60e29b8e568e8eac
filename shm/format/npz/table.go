package npz

import (
	"io"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	why          = "the member is compressed"
	remedyStored = "write the file with numpy.savez instead of savez_compressed"
)

func init() {
	format.RegisterTable(format.TableFormat{
		Name: "npz", Magic: localMagic, Match: compressed, Why: why, Remedy: remedyStored, NoNulls: true, Open: Open,
	})
}

// compressed reports whether an archive has a .npy file that is compressed.
func compressed(r io.ReaderAt, size int64) bool {
	members, err := readMembers(r, size)
	return err == nil && slices.ContainsFunc(members, func(m member) bool {
		return m.method == deflated && strings.HasSuffix(m.name, ".npy")
	})
}

// table is an archive with compressed members, of which all are decoded.
type table struct {
	r       io.ReaderAt
	columns []format.Column
	holders []holder
}

// holder is where a column is.
type holder struct {
	member  *member
	offset  int64 // of the first element in what the member holds
	swapped bool
}

// Open describes the arrays of an archive with compressed members.
func Open(r io.ReaderAt, size int64, _ string, _ format.TableOptions) (format.Table, error) {
	t := &table{r: r}
	arrays, err := describe(r, size, func(m *member, r io.ReaderAt) ([]format.Array, error) {
		arrays, err := m.contents(r)
		for _, a := range arrays {
			t.holders = append(t.holders, holder{m, a.Offset, a.Swapped})
		}
		if err != nil {
			t.holders = append(t.holders, holder{})
		}
		return arrays, err
	})
	if err != nil {
		return nil, err
	}
	for _, a := range arrays {
		c := format.Column{Array: a}
		switch {
		case a.Access != format.Mapped:
			c.Err = &format.Error{Format: "npz", Offset: a.Offset, What: a.Note, Remedy: a.Remedy}
		case a.Strides != nil:
			c.Err = &format.Error{Format: "npz", Offset: a.Offset, What: "it is a field of records, which are not decoded", Remedy: remedyStored}
		}
		c.Offset, c.Swapped = 0, false
		t.columns = append(t.columns, c)
	}
	return t, nil
}

// Columns describes the arrays.
func (t *table) Columns() []format.Column { return t.columns }

// Close does nothing: nothing is held.
func (t *table) Close() error { return nil }

// Decode returns a decoder of arrays.
func (t *table) Decode(columns []int) (format.Decoder, error) {
	d := &decoder{}
	for _, i := range columns {
		d.members = append(d.members, newReader(t.r, &t.holders[i], &t.columns[i].Array))
	}
	return d, nil
}
