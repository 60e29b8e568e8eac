package kernels

import (
	"encoding/binary"
	"math"
)

// words reads or writes the words of an encoded partial, little-endian, one
// after another.
type words struct{ bytes []byte }

func (w *words) put(v uint64) {
	binary.LittleEndian.PutUint64(w.bytes, v)
	w.bytes = w.bytes[8:]
}

func (w *words) putFloat(f float64) { w.put(math.Float64bits(f)) }

func (w *words) putDouble(d double) {
	w.putFloat(d.hi)
	w.putFloat(d.lo)
}

func (w *words) get() uint64 {
	v := binary.LittleEndian.Uint64(w.bytes)
	w.bytes = w.bytes[8:]
	return v
}

func (w *words) getFloat() float64 { return math.Float64frombits(w.get()) }

func (w *words) getDouble() double {
	hi := w.getFloat()
	return double{hi, w.getFloat()}
}

// maxCount bounds how many elements a partial may count.
const maxCount = 1 << 60
