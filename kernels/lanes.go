package kernels

// Layout of a block, see the package doc. They are part of every result's
// definition and never change.
const (
	// BlockLen is the number of elements of a block.
	BlockLen = 4096
	// Lanes is the number of virtual lanes that share a block.
	Lanes = 32
)
