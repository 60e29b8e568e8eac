package kernels

// Fold folds one chunk after another, whose blocks may lie anywhere. It is not safe
// for concurrent use.
type Fold interface {
	// Reset begins a chunk.
	Reset()
	// Blocks folds the next blocks of the chunk, as [Folder] has it.
	Blocks(blocks []byte) error
	// Result returns the bytes of what the blocks make, valid until the next call.
	Result() []byte
}

// runOf returns what folds chunks whose blocks lie one after another, so many at a time.
func runOf(f Fold, t Type, blocks int) Run {
	bytes := blocks * BlockLen * t.Size()
	return func(_, data []byte, progress func(done int)) ([]byte, error) {
		f.Reset()
		for at := 0; at < len(data); {
			n := min(bytes, len(data)-at)
			if err := f.Blocks(data[at : at+n]); err != nil {
				return nil, err
			}
			at += n
			progress(at)
		}
		return f.Result(), nil
	}
}
