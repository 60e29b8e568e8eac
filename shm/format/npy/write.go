package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// align is where NumPy lets the elements begin.
const align = 64

// Header returns the header of a .npy file for elements of a's type, shape and
// order, version 1.0 where it fits. The elements follow right behind it; a's
// name and offset do not matter. It refuses types that the format has not.
func Header(a format.Array) ([]byte, error) {
	if a.Type == kernels.BFloat16 {
		return nil, errors.New("npy has no bfloat16: use float16 or float32, or a raw file")
	}
	order, fortran := "<", "False"
	if a.Type.Size() == 1 {
		order = "|"
	}
	if a.Fortran {
		fortran = "True"
	}
	dict := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': %s, 'shape': %s, }", order, a.Type.Code(), fortran, a.ShapeString())
	version, lengthBytes := byte(1), 2
	if len(magic)+4+len(dict)+align > 1<<16-1 {
		version, lengthBytes = 2, 4
	}
	before := len(magic) + 2 + lengthBytes
	total := (before + len(dict) + 1 + align - 1) / align * align
	out := make([]byte, 0, total)
	out = append(out, magic...)
	out = append(out, version, 0)
	if version == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(total-before))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(total-before))
	}
	out = append(out, dict...)
	out = append(out, bytes.Repeat([]byte{' '}, total-len(out)-1)...)
	return append(out, '\n'), nil
}
