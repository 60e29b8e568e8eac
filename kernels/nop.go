package kernels

import "errors"

// Nop is the reduction that looks at no element and has an empty partial: what
// it costs is the cost of handing out chunks.
var Nop = register(&Reduction{
	name: "nop",
	newFolder: func(t Type) any {
		switch t {
		case Float64:
			return nopFolder[float64]{}
		case Float32:
			return nopFolder[float32]{}
		case Int8:
			return nopFolder[int8]{}
		case Int16:
			return nopFolder[int16]{}
		case Int32:
			return nopFolder[int32]{}
		case Int64:
			return nopFolder[int64]{}
		case Uint8:
			return nopFolder[uint8]{}
		case Uint16:
			return nopFolder[uint16]{}
		case Uint32:
			return nopFolder[uint32]{}
		case Uint64:
			return nopFolder[uint64]{}
		}
		panic("kernels: no folder for " + t.String())
	},
	newMerger: func(Type) Merger { return nopMerger{} },
})

type nopFolder[T Number] struct{}

func (nopFolder[T]) Reset()         {}
func (nopFolder[T]) Block([]T)      {}
func (nopFolder[T]) Partial([]byte) {}

type nopMerger struct{}

func (nopMerger) Add(_ uint64, partial []byte) error {
	if len(partial) != 0 {
		return errors.New("partial of nop is not empty")
	}
	return nil
}
