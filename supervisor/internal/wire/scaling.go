package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/gangsaw/gangsaw/kernels"
)

// Layout of what elements stand for, behind a source: 8 bits of the type, of the aspect
// and of whether they are flipped, 32 bits of how many bit patterns are missing, factor,
// offset, and these.
const (
	scalingSize = 24
	maxMissing  = 1 << 10
)

func appendScaling(buf []byte, s *kernels.Scaling) []byte {
	le := binary.LittleEndian
	buf = append(buf, byte(s.Type), byte(s.Aspect), truth(s.Flip), 0)
	buf = le.AppendUint32(buf, uint32(len(s.Missing)))
	buf = le.AppendUint64(buf, math.Float64bits(s.Factor))
	buf = le.AppendUint64(buf, math.Float64bits(s.Offset))
	for _, bits := range s.Missing {
		buf = le.AppendUint64(buf, bits)
	}
	return buf
}

// decodeScaling reads what elements of a type stand for, and how many bytes it has.
func decodeScaling(b []byte, stored kernels.Type) (*kernels.Scaling, int, error) {
	le := binary.LittleEndian
	if len(b) < scalingSize {
		return nil, 0, errors.New("is cut short")
	}
	missing := le.Uint32(b[4:])
	if n := uint64(missing); n > maxMissing || uint64(len(b)) < scalingSize+8*n || b[2] > 1 || b[3] != 0 {
		return nil, 0, fmt.Errorf("has %d bit patterns that stand for no number", missing)
	}
	s := &kernels.Scaling{
		Stored: stored, Type: kernels.Type(b[0]), Aspect: kernels.Aspect(b[1]), Flip: b[2] != 0,
		Factor: math.Float64frombits(le.Uint64(b[8:])), Offset: math.Float64frombits(le.Uint64(b[16:])),
	}
	n := scalingSize
	for range missing {
		s.Missing = append(s.Missing, le.Uint64(b[n:]))
		n += 8
	}
	return s, n, s.Check()
}
