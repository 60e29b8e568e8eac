package kernels

import "sync"

// Layout tells how the elements of an array lie in memory.
type Layout struct {
	Type Type
	// Stride is how many bytes on the next element is: the type's size where
	// they are contiguous, less than 0 where they lie from the end to the start,
	// 0 where one serves for all.
	Stride int
	// Swapped tells that the byte order is not this machine's.
	Swapped bool
}

// Contiguous reports whether the elements are as kernels take them, so that
// there is nothing to load.
func (l Layout) Contiguous() bool { return l.Stride == l.Type.Size() && !l.swaps() }

func (l Layout) swaps() bool { return l.Swapped && l.Type.Size() > 1 }

// swaps are the kernels that turn the bytes of elements around, by their size.
var swaps = sync.OnceValue(func() *[9]*Elementwise {
	var all [9]*Elementwise
	for _, t := range []Type{Uint16, Uint32, Uint64} {
		all[t.Size()], _ = LookupElementwise("byteswap", t)
	}
	return &all
})

// Load decodes elements into dst, contiguous and in this machine's byte order:
// as many as dst holds. Element i is at mem[at+i*Stride].
func (l Layout) Load(dst, mem []byte, at int) {
	size := l.Type.Size()
	switch {
	case l.Stride != size:
		for i := 0; i < len(dst); i += size {
			copyElement(dst[i:i+size], mem[at:])
			at += l.Stride
		}
		if l.swaps() {
			swaps()[size].Run(dst, dst, nil, nil)
		}
	case l.swaps():
		swaps()[size].Run(dst, mem[at:at+len(dst)], nil, nil)
	default:
		copy(dst, mem[at:at+len(dst)])
	}
}

// Store encodes the elements of src, which are as Load leaves them. Element i
// goes to mem[at+i*Stride]; with a stride of 0 the last one stays. If the byte
// order is the other one, src may be left in that order.
func (l Layout) Store(mem []byte, at int, src []byte) {
	size := l.Type.Size()
	switch {
	case l.Stride != size:
		if l.swaps() {
			swaps()[size].Run(src, src, nil, nil)
		}
		for i := 0; i < len(src); i += size {
			copyElement(mem[at:at+size], src[i:])
			at += l.Stride
		}
	case l.swaps():
		swaps()[size].Run(mem[at:at+len(src)], src, nil, nil)
	default:
		copy(mem[at:at+len(src)], src)
	}
}

// copyElement copies an element of len(dst) bytes, by one move.
func copyElement(dst, src []byte) {
	switch len(dst) {
	case 1:
		dst[0] = src[0]
	case 2:
		*(*[2]byte)(dst) = [2]byte(src)
	case 4:
		*(*[4]byte)(dst) = [4]byte(src)
	default:
		*(*[8]byte)(dst) = [8]byte(src)
	}
}
