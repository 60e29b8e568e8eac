package kernels

import (
	"bytes"
	"slices"
	"testing"
)

func TestLayoutsLoadAndStore(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for _, typ := range Types() {
			size := typ.Size()
			for _, n := range []int{0, 1, 2, 17, 100} {
				for _, stride := range []int{size, 2 * size, size + 3, -size, -2*size - 1, 0} {
					for _, swapped := range []bool{false, true} {
						l := Layout{typ, stride, swapped}
						const margin = 700
						at := margin
						if stride < 0 {
							at = margin - stride*n
						}
						mem := make([]byte, 2*margin+n*max(stride, -stride)+size)
						for i := range mem {
							mem[i] = byte(i*37 + i>>8)
						}
						var want []byte
						for i := range n {
							element := slices.Clone(mem[at+i*stride:][:size])
							if swapped {
								slices.Reverse(element)
							}
							want = append(want, element...)
						}
						got := make([]byte, n*size)
						l.Load(got, mem, at)
						if !bytes.Equal(got, want) {
							t.Fatalf("%+v, %d elements: loaded % x, want % x", l, n, got, want)
						}
						if l.Contiguous() != (stride == size && (!swapped || size == 1)) {
							t.Errorf("%+v: contiguous %v", l, l.Contiguous())
						}
						// What was loaded, stored, changes nothing; what differs
						// changes those bytes alone.
						before := slices.Clone(mem)
						l.Store(mem, at, slices.Clone(got))
						if !bytes.Equal(mem, before) {
							t.Fatalf("%+v, %d elements: stored other bytes", l, n)
						}
						for i := range got {
							got[i] ^= 0xff
						}
						l.Store(mem, at, got)
						for i := range n {
							for b := range size {
								before[at+i*stride+b] = ^want[i*size+b]
								if swapped {
									before[at+i*stride+b] = ^want[i*size+size-1-b]
								}
							}
						}
						if !bytes.Equal(mem, before) {
							t.Fatalf("%+v, %d elements: stored wrongly", l, n)
						}
					}
				}
			}
		}
	})
}
