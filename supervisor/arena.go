package supervisor

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Arena is memory that this process writes and the pool's workers read: numbers
// that are made in it are computed on without a copy. It has the methods of
// Arrow's memory.Allocator, so that record batches can be built in it. Its methods
// may be called from any goroutine.
type Arena struct {
	file   *File // what workers map
	output bool  // workers may write to it
	memory []byte
	free   func() error

	mu   sync.Mutex
	gaps []span      // what is not allocated, in order
	used map[int]int // sizes by offset
}

// arenaFormat is the format of a file that is none.
const arenaFormat = "arena"

// span is a region of an arena.
type span struct{ offset, size int }

// arenaAlign is what allocations are multiples of, and aligned to: a cache line,
// as Arrow has it.
const arenaAlign = 64

// ArenaOption is an option of [Pool.Arena].
type ArenaOption func(*Arena)

// Output lets workers write to the arena, which is what [Pool.Apply] needs of the one
// that its results go to. A worker that goes mad can spoil what is in it.
func Output() ArenaOption { return func(a *Arena) { a.output = true } }

// Arena makes an arena of that many bytes, rounded up to whole cache lines. They
// are reserved at once: too little memory is an error now. Close it before the
// pool.
func (p *Pool) Arena(size int, opts ...ArenaOption) (*Arena, error) {
	if size < 1 {
		return nil, fmt.Errorf("an arena of %d bytes: make it 1 at least", size)
	}
	size = rounded(size)
	a := &Arena{gaps: []span{{0, size}}, used: map[int]int{}}
	for _, opt := range opts {
		opt(a)
	}
	mapping, memory, free, err := newArenaMemory(size, a.output, p.InProcess())
	if err != nil {
		return nil, err
	}
	a.file, a.memory, a.free = &File{pool: p, mapping: mapping, format: arenaFormat}, memory, free
	if a.file.number, err = p.engine.Attach(mapping); err != nil {
		return nil, errors.Join(err, mapping.Close(), free())
	}
	return a, nil
}

func rounded(size int) int { return (size + arenaAlign - 1) / arenaAlign * arenaAlign }

// ArenaFullError reports an allocation for which an arena has no room.
type ArenaFullError struct {
	Want, Largest int // bytes: of the allocation, and that there is room for
	Size          int // of the arena
}

func (e *ArenaFullError) Error() string {
	return fmt.Sprintf("an arena of %d bytes has no room for %d: the largest gap has %d bytes; free something, or make it larger", e.Size, e.Want, e.Largest)
}

// allocate returns size bytes, zeroed.
func (a *Arena) allocate(size int) ([]byte, error) {
	if size < 0 {
		panic(fmt.Sprintf("supervisor: an allocation of %d bytes", size))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	need, largest := max(arenaAlign, rounded(min(size, len(a.memory)+1))), 0
	for i, gap := range a.gaps {
		if gap.size < need {
			largest = max(largest, gap.size)
			continue
		}
		if a.gaps[i] = (span{gap.offset + need, gap.size - need}); gap.size == need {
			a.gaps = slices.Delete(a.gaps, i, i+1)
		}
		a.used[gap.offset] = need
		b := a.memory[gap.offset : gap.offset+size : gap.offset+need]
		clear(b)
		return b, nil
	}
	return nil, &ArenaFullError{size, largest, len(a.memory)}
}

// Allocate returns size bytes, zeroed. It panics with an [*ArenaFullError] if
// there is no room, as Arrow expects; see [Alloc] for one that does not.
func (a *Arena) Allocate(size int) []byte {
	b, err := a.allocate(size)
	if err != nil {
		panic(err)
	}
	return b
}

// Reallocate returns size bytes that begin as b does, and frees b unless that has
// room for them. It panics as Allocate does.
func (a *Arena) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) && size > 0 {
		if grown := b[:size]; size > len(b) {
			clear(grown[len(b):])
		}
		return b[:size]
	}
	to := a.Allocate(size)
	copy(to, b)
	a.Free(b)
	return to
}

// Free gives bytes back, which Allocate, Reallocate or [Alloc] returned and no
// task uses any more. It panics with what is none of these.
func (a *Arena) Free(b []byte) {
	if cap(b) == 0 {
		return
	}
	offset, ok := offsetIn(a.memory, b[:cap(b)])
	a.mu.Lock()
	defer a.mu.Unlock()
	size, allocated := a.used[offset]
	if !ok || !allocated {
		panic("supervisor: freed memory is none that this arena has allocated")
	}
	delete(a.used, offset)
	i, _ := slices.BinarySearchFunc(a.gaps, offset, func(s span, offset int) int { return s.offset - offset })
	a.gaps = slices.Insert(a.gaps, i, span{offset, size})
	for _, left := range []int{i, i - 1} {
		if left >= 0 && left+1 < len(a.gaps) && a.gaps[left].offset+a.gaps[left].size == a.gaps[left+1].offset {
			a.gaps[left].size += a.gaps[left+1].size
			a.gaps = slices.Delete(a.gaps, left+1, left+2)
		}
	}
}

// Alloc returns n elements of an arena, all zero, or an [*ArenaFullError].
func Alloc[T kernels.Element](a *Arena, n int) ([]T, error) {
	size := kernels.TypeFor[T]().Size()
	if n < 0 || n > math.MaxInt/size {
		panic(fmt.Sprintf("supervisor: an allocation of %d elements", n))
	}
	b, err := a.allocate(n * size)
	if err != nil {
		return nil, err
	}
	return shm.View[T](b)
}

// ArrayOf returns elements that lie in an arena, under a name, as an array that
// the pool's workers can compute on. Nobody may write to them while they do.
func ArrayOf[T kernels.Element](a *Arena, name string, xs []T) (*Array, error) {
	return a.Array(name, kernels.TypeFor[T](), shm.Bytes(xs))
}

// Array is [ArrayOf] for bytes, such as those of a column of a record batch.
func (a *Arena) Array(name string, t kernels.Type, b []byte) (*Array, error) {
	if !t.Valid() || len(b)%t.Size() != 0 {
		return nil, fmt.Errorf("%d bytes are no whole number of elements of type %v", len(b), t)
	}
	offset, ok := 0, true
	if len(b) > 0 {
		offset, ok = offsetIn(a.memory, b)
	}
	if !ok {
		return nil, errors.New("the elements do not lie in the arena: allocate them by Alloc or by its methods")
	}
	return &Array{Array: format.Array{Name: name, Type: t, Shape: []int64{int64(len(b) / t.Size())}, Offset: int64(offset)}, file: a.file}, nil
}

// Close frees the arena, which no task may be using. Its memory is gone.
func (a *Arena) Close() error { return errors.Join(a.file.Close(), a.free()) }
