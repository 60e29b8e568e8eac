package ring

import (
	"testing"
	"unsafe"
)

func TestLayoutIsPinned(t *testing.T) {
	var h header
	var s slot
	for name, c := range map[string][2]uintptr{
		"header":                 {unsafe.Sizeof(h), 128},
		"workers.marks":          {unsafe.Offsetof(h.workers.marks), 0},
		"workers.rings":          {unsafe.Offsetof(h.workers.rings), 8},
		"supervisor":             {unsafe.Offsetof(h.supervisor), 64},
		"slot":                   {unsafe.Sizeof(s), 64},
		"word":                   {unsafe.Offsetof(s.word), 0},
		"descriptor":             {unsafe.Offsetof(s.descriptor), 8},
		"descriptor.Program":     {unsafe.Offsetof(s.descriptor.Program), 0},
		"descriptor.Mapping":     {unsafe.Offsetof(s.descriptor.Mapping), 4},
		"descriptor.Task":        {unsafe.Offsetof(s.descriptor.Task), 8},
		"descriptor.Chunk":       {unsafe.Offsetof(s.descriptor.Chunk), 16},
		"descriptor.Offset":      {unsafe.Offsetof(s.descriptor.Offset), 24},
		"descriptor.Count":       {unsafe.Offsetof(s.descriptor.Count), 32},
		"descriptor.Attempt":     {unsafe.Offsetof(s.descriptor.Attempt), 40},
		"descriptor.Bell":        {unsafe.Offsetof(s.descriptor.Bell), 44},
		"Size(1)":                {uintptr(Size(1)), 192},
		"Size(64)":               {uintptr(Size(64)), 128 + 64*64},
		"word of (1, 2, DONE)":   {uintptr(MakeWord(1, 2, Done)), 1<<32 | 2<<4 | 3},
		"word of (1, 2, DOOMED)": {uintptr(MakeWord(1, 2, Doomed)), 1<<32 | 2<<4 | 4},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d, want %d", name, c[0], c[1])
		}
	}
}
