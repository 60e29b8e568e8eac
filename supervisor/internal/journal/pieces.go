package journal

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Pieces are where the elements of an array with one axis lie, one piece after another;
// nil where they lie together. A file may have thousands of them, so that a header has
// them in few bytes.
type Pieces []format.Piece

// MarshalJSON encodes the pieces as bytes: of each varints of how many bytes its offset is
// behind that of the one before, of its elements, and of the offset of its bitmap.
func (p Pieces) MarshalJSON() ([]byte, error) {
	var b []byte
	before := int64(0)
	for _, one := range p {
		b = binary.AppendVarint(b, one.Offset-before)
		b = binary.AppendUvarint(b, uint64(one.Len))
		b = binary.AppendUvarint(b, uint64(one.Valid))
		before = one.Offset
	}
	return json.Marshal(b)
}

// UnmarshalJSON decodes what MarshalJSON makes, and any other numbers.
func (p *Pieces) UnmarshalJSON(text []byte) error {
	var b []byte
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	*p = nil
	before := int64(0)
	for len(b) > 0 {
		by, n := binary.Varint(b)
		length, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 {
			return errPieces
		}
		valid, k := binary.Uvarint(b[n+m:])
		if k <= 0 {
			return errPieces
		}
		b, before = b[n+m+k:], before+by
		*p = append(*p, format.Piece{Offset: before, Len: int64(length), Valid: int64(valid)})
	}
	return nil
}

var errPieces = errors.New("the pieces of an array are cut short")

// check refuses pieces that are not those of an array in a file of so many bytes.
func (p Pieces) check(a format.Array, size int64) error {
	if len(a.Shape) != 1 || a.Offset != 0 || a.Strides != nil || a.Fortran {
		return fmt.Errorf("an array of the shape %s lies in pieces", a.ShapeString())
	}
	left := a.Shape[0]
	for i, one := range p {
		// No product overflows: the array is no larger than the file.
		if one.Len <= 0 || one.Len > left || one.Offset < 0 || one.Offset > size || one.Len*int64(a.Type.Size()) > size-one.Offset {
			return fmt.Errorf("piece %d of %d elements at byte %d", i, one.Len, one.Offset)
		}
		if one.Valid < 0 || one.Valid > size || one.Valid > 0 && (!a.Type.IsFloat() || (one.Len+7)/8 > size-one.Valid) {
			return fmt.Errorf("piece %d of type %v has a bitmap at byte %d", i, a.Type, one.Valid)
		}
		left -= one.Len
	}
	if left > 0 {
		return fmt.Errorf("%d elements lie in no piece", left)
	}
	return nil
}

// CheckApart refuses pieces that cannot be changed: elements lie among others, so that they
// would be changed twice, or among the bits that say which are null.
func (p Pieces) CheckApart(t kernels.Type) error {
	var all []extent
	for _, one := range p {
		all = append(all, extent{one.Offset, one.Offset + one.Len*int64(t.Size()), true})
		if one.Valid > 0 {
			all = append(all, extent{one.Valid, one.Valid + (one.Len+7)/8, false})
		}
	}
	slices.SortFunc(all, func(a, b extent) int { return cmp.Compare(a.from, b.from) })
	var elements, any int64 // ends of those before
	for _, e := range all {
		if e.from < elements || e.elements && e.from < any {
			return fmt.Errorf("the bytes from %d on belong to two of its pieces", e.from)
		}
		if any = max(any, e.to); e.elements {
			elements = e.to
		}
	}
	return nil
}

// extent is bytes of elements, or of a bitmap.
type extent struct {
	from, to int64
	elements bool
}

// extents returns where the elements of an array lie, in the order of the file.
func (p Pieces) extents(a format.Array) []extent {
	if p == nil {
		offset, size := a.Extent()
		return []extent{{int64(offset), int64(offset + size), true}}
	}
	all := make([]extent, len(p))
	for i, one := range p {
		all[i] = extent{one.Offset, one.Offset + one.Len*int64(a.Type.Size()), true}
	}
	slices.SortFunc(all, func(a, b extent) int { return cmp.Compare(a.from, b.from) })
	return all
}

// pieced finds the pieces of an array by how many bytes of its elements are before.
type pieced struct {
	pieces Pieces
	ends   []uint64 // bytes up to the end of each
}

// newPieced returns nil if there are no pieces.
func newPieced(p Pieces, t kernels.Type) *pieced {
	if p == nil {
		return nil
	}
	all := &pieced{pieces: p}
	end := uint64(0)
	for _, one := range p {
		end += uint64(one.Len) * uint64(t.Size())
		all.ends = append(all.ends, end)
	}
	return all
}

// each calls f with each part of so many bytes, of which first are before them, that lies
// in one piece: where it lies, and which of the bytes it has.
func (p *pieced) each(first, length uint64, f func(offset int64, from, to uint64) error) error {
	i := sort.Search(len(p.ends), func(k int) bool { return p.ends[k] > first })
	for from := uint64(0); from < length; i++ {
		begin := uint64(0)
		if i > 0 {
			begin = p.ends[i-1]
		}
		to := min(length, p.ends[i]-first)
		if err := f(p.pieces[i].Offset+int64(first+from-begin), from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}
