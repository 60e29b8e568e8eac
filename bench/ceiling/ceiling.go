// Package ceiling holds the simplest loops over memory that there are. What the
// best of them does is the most that any kernel can do on this machine. The
// loops are no kernels of ours: they compute nothing that anybody wants.
package ceiling

import "encoding/binary"

// Loop is one way to load or to copy memory.
type Loop struct {
	Name string
	// Load looks at every byte of src and returns something that depends on
	// all of them. Copy copies src to dst, which is as long.
	Load func(src []byte) uint64
	Copy func(dst, src []byte)
}

// Step is what lengths must be multiples of.
const Step = 256

// Loops returns those that this machine can run.
func Loops() []Loop {
	return append([]Loop{{"scalar", load, func(dst, src []byte) { copy(dst, src) }}}, vectors()...)
}

func load(src []byte) uint64 {
	var x0, x1, x2, x3 uint64
	for i := 0; i+32 <= len(src); i += 32 {
		p := src[i : i+32 : i+32]
		x0 |= binary.LittleEndian.Uint64(p[0:])
		x1 |= binary.LittleEndian.Uint64(p[8:])
		x2 |= binary.LittleEndian.Uint64(p[16:])
		x3 |= binary.LittleEndian.Uint64(p[24:])
	}
	return x0 | x1 | x2 | x3
}
