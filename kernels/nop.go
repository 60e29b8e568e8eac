package kernels

import "errors"

// Nop is the reduction that looks at no element and has an empty partial: what
// it costs is the cost of handing out chunks.
var Nop = register(&Reduction{
	name:      "nop",
	newFolder: func(Type) Folder { return nopFolder{} },
	newMerger: func(Type) Merger { return nopMerger{} },
})

type nopFolder struct{}

func (nopFolder) Reset()         {}
func (nopFolder) Blocks([]byte)  {}
func (nopFolder) Partial([]byte) {}

type nopMerger struct{}

func (nopMerger) Add(_ uint64, partial []byte) error {
	if len(partial) != 0 {
		return errors.New("partial of nop is not empty")
	}
	return nil
}
