package kernels

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// atTheEdge returns n bytes that end where the memory ends.
func atTheEdge(t *testing.T, n int) []byte {
	t.Helper()
	page := os.Getpagesize()
	size := (n + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	if err := unix.Mprotect(mem[size:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return mem[size-n : size]
}

const edge = 300 // elements

func TestElementwiseKernelsStayInsideTheirOperands(t *testing.T) {
	var guarded [maxOperands + 1][]byte
	for i := range guarded {
		guarded[i] = atTheEdge(t, edge*8)
	}
	onTiers(t, func(t *testing.T) {
		for _, k := range ElementwiseKernels() {
			operands := corpus(k.In(), 2*edge)
			for n := range edge + 1 {
				ends := make([][]byte, len(operands))
				for i, typ := range k.In() {
					ends[i] = guarded[i][edge*8-n*typ.Size():]
					copy(ends[i], operands[i][n*typ.Size():])
				}
				dst := guarded[maxOperands][edge*8-n*k.Out().Size():]
				a, b, c := three(ends)
				k.Run(dst, a, b, c) // a fault ends the test binary
			}
		}
	})
}

func TestFoldsStayInsideTheirBlock(t *testing.T) {
	guarded := atTheEdge(t, edge*8)
	onTiers(t, func(t *testing.T) {
		for _, r := range reductions {
			for _, typ := range Types() {
				folder := r.NewFolder(typ)
				elements := corpus([]Type{typ}, 2*edge)[0]
				for n := 1; n <= edge; n++ {
					block := guarded[edge*8-n*typ.Size():]
					copy(block, elements[n*typ.Size():])
					folder.Blocks(block)
				}
			}
		}
	})
}
