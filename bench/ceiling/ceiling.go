// Package ceiling holds the simplest loops over memory that there are. What the
// best of them does is the most that any kernel can do on this machine. The
// loops are no kernels of ours: they compute nothing that anybody wants.
package ceiling

import (
	"encoding/binary"
	"math"
)

// Loop is one way to load or to copy memory.
type Loop struct {
	Name string
	// Load looks at every byte of src and returns something that depends on
	// all of them. Copy copies src to dst, which is as long.
	Load func(src []byte) uint64
	Copy func(dst, src []byte)
	// Chain does n steps, n > 0, each of which waits for the one before and takes
	// StepCycles cycles, with the units busy that vectors of this kind use: they
	// decide at what clock the core runs.
	Chain func(n int)
}

// StepCycles is what a dependent multiply-add takes on Intel's cores since
// Skylake and on AMD's since Zen (uops.info).
const StepCycles = 4

// Step is what lengths must be multiples of.
const Step = 256

// Loops returns those that this machine can run.
func Loops() []Loop {
	return append([]Loop{{"scalar", load, func(dst, src []byte) { copy(dst, src) }, chain}}, vectors()...)
}

var sink [4]float64

func chain(n int) {
	x, y, z, w := sink[0], sink[1], sink[2], sink[3]
	for range n {
		x, y, z, w = math.FMA(x, x, x), math.FMA(y, y, y), math.FMA(z, z, z), math.FMA(w, w, w)
	}
	sink = [4]float64{x, y, z, w}
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
