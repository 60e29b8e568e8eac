package ring

import "fmt"

// State is the state of a slot.
type State uint8

// The states of a slot. Zeroed memory is a ring of free slots.
const (
	Free State = iota
	Ready
	Claimed
	Done
	Doomed
)

func (s State) String() string {
	switch s {
	case Free:
		return "FREE"
	case Ready:
		return "READY"
	case Claimed:
		return "CLAIMED"
	case Done:
		return "DONE"
	case Doomed:
		return "DOOMED"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Word is the word of a slot: who may do what with it, see the package doc.
type Word uint64

// MaxIncarnation is the largest incarnation that a word has room for.
const MaxIncarnation = 1<<28 - 1

// MakeWord packs a word.
func MakeWord(generation, incarnation uint32, s State) Word {
	return Word(generation)<<32 | Word(incarnation&MaxIncarnation)<<4 | Word(s&0xf)
}

// Generation returns the number of the slot's publication; it wraps around.
func (w Word) Generation() uint32 { return uint32(w >> 32) }

// Incarnation returns the owner of a CLAIMED, DOOMED or DONE slot.
func (w Word) Incarnation() uint32 { return uint32(w>>4) & MaxIncarnation }

// State returns the state.
func (w Word) State() State { return State(w & 0xf) }

func (w Word) String() string {
	return fmt.Sprintf("%v(generation %d, incarnation %d)", w.State(), w.Generation(), w.Incarnation())
}

// Descriptor says what is to be done to one chunk. All offsets are relative:
// to the segment for the program, to the mapping for the data.
type Descriptor struct {
	Program uint32 // offset of the program in the segment
	Mapping uint32 // number of the mapping
	Task    uint64 // number of the task, unique in the pool's life
	Chunk   uint64 // number of the chunk in its array
	Offset  uint64 // of the chunk's first byte in the mapping
	Count   uint64 // elements
	Attempt uint32 // how often the chunk was handed out before
	Bell    uint32 // not 0: the supervisor wants to be woken when it is done
}
