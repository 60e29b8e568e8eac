package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// align is where the data begin, a multiple of the largest element.
const align = 8

// Header returns the header of a file with tensors of those names, types and
// shapes, and the arrays with their offsets set. The elements of all follow right
// behind it, in C order. The largest types come first, so that each tensor is
// aligned to its elements, those of one size by their names.
func Header(arrays []format.Array, metadata map[string]string) ([]byte, []format.Array, error) {
	placed := slices.Clone(arrays)
	slices.SortStableFunc(placed, func(a, b format.Array) int {
		return cmp.Or(cmp.Compare(b.Type.Size(), a.Type.Size()), cmp.Compare(a.Name, b.Name))
	})
	var text bytes.Buffer
	text.WriteByte('{')
	if len(metadata) > 0 {
		if err := entry(&text, metadataKey, metadata); err != nil {
			return nil, nil, err
		}
	}
	seen := map[string]bool{metadataKey: true}
	next := int64(0)
	for i := range placed {
		a := &placed[i]
		switch {
		case seen[a.Name]:
			return nil, nil, fmt.Errorf("safetensors: tensor %q cannot be written: the name is taken", a.Name)
		case name(a.Type) == "":
			return nil, nil, fmt.Errorf("safetensors: tensor %q has no dtype that can be written", a.Name)
		case a.Fortran && len(a.Shape) > 1:
			return nil, nil, fmt.Errorf("safetensors: tensor %q is in Fortran order, which the format has not: write it in C order", a.Name)
		}
		seen[a.Name] = true
		a.Strides, a.Fortran, a.Swapped, a.Offset = nil, false, false, next
		if err := a.Check("safetensors", 1<<62); err != nil {
			return nil, nil, err
		}
		next += a.Size()
		err := entry(&text, a.Name, struct {
			DType   string   `json:"dtype"`
			Shape   []int64  `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{name(a.Type), append([]int64{}, a.Shape...), [2]int64{a.Offset, next}})
		if err != nil {
			return nil, nil, err
		}
	}
	text.WriteByte('}')
	for text.Len()%align != 0 {
		text.WriteByte(' ')
	}
	if text.Len() > mostHeader {
		return nil, nil, fmt.Errorf("safetensors: the header of %d tensors has %d bytes, more than %d", len(arrays), text.Len(), mostHeader)
	}
	header := binary.LittleEndian.AppendUint64(nil, uint64(text.Len()))
	header = append(header, text.Bytes()...)
	for i := range placed {
		placed[i].Offset += int64(len(header))
	}
	return header, placed, nil
}

// Draft returns a file of those tensors: see [Header].
func Draft(arrays []format.Array) (*format.Draft, error) {
	header, placed, err := Header(arrays, nil)
	if err != nil {
		return nil, err
	}
	d := &format.Draft{Fixed: []format.Patch{{Bytes: header}}, Size: int64(len(header))}
	for _, a := range arrays {
		at := slices.IndexFunc(placed, func(p format.Array) bool { return p.Name == a.Name })
		d.Arrays = append(d.Arrays, placed[at])
		d.Size += placed[at].Size()
	}
	return d, nil
}

// entry appends a key and its value.
func entry(text *bytes.Buffer, key string, value any) error {
	if text.Len() > 1 {
		text.WriteByte(',')
	}
	for i, v := range []any{key, value} {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if i == 1 {
			text.WriteByte(':')
		}
		text.Write(b)
	}
	return nil
}

// name returns the format's name of an element type.
func name(t kernels.Type) string {
	for name, typ := range types {
		if typ == t {
			return name
		}
	}
	return ""
}
