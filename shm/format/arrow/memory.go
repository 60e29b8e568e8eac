package arrow

import (
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// bounded allocates no more than it may: what a compressed buffer says of its length
// is not trusted. It panics where it would, which is an error of the file.
type bounded struct {
	memory.GoAllocator
	mu   sync.Mutex
	left int64
}

func (b *bounded) take(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if int64(n) > b.left {
		panic(fmt.Sprintf("a record batch needs %d bytes more than the %d that it may have (--decode-memory)", n, b.left))
	}
	b.left -= int64(n)
}

func (b *bounded) Allocate(size int) []byte {
	b.take(size)
	return b.GoAllocator.Allocate(size)
}

func (b *bounded) Reallocate(size int, old []byte) []byte {
	b.take(size - len(old))
	return b.GoAllocator.Reallocate(size, old)
}

func (b *bounded) Free(old []byte) {
	b.take(-len(old))
	b.GoAllocator.Free(old)
}
