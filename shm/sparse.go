package shm

// Sparse is memory of a fixed size that takes room only where it is reserved. This
// process writes to it, and others read it through its mapping.
type Sparse struct {
	bytes   []byte
	mapping *Mapping
	reserve func(offset, length int64) error
	release func(offset, length int64) error
	close   func() error
}

// Bytes returns the memory. What is not reserved is zero, and writing to it can
// raise SIGBUS.
func (s *Sparse) Bytes() []byte { return s.bytes }

// Mapping returns what others map, read-only.
func (s *Sparse) Mapping() *Mapping { return s.mapping }

// Reserve gives a region memory of its own: too little is an error now.
func (s *Sparse) Reserve(offset, length int64) error { return s.reserve(offset, length) }

// Release gives the memory of a region back, which is zero then.
func (s *Sparse) Release(offset, length int64) error { return s.release(offset, length) }

// Close frees the memory, which nobody may be using.
func (s *Sparse) Close() error { return s.close() }
