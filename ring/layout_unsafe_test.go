package ring

import (
	"testing"
	"unsafe"
)

func TestLayoutIsPinned(t *testing.T) {
	var h header
	var s slot
	for name, c := range map[string][2]uintptr{
		"header":               {unsafe.Sizeof(h), 192},
		"published":            {unsafe.Offsetof(h.published), 0},
		"supervisorIdle":       {unsafe.Offsetof(h.supervisorIdle), 4},
		"completed":            {unsafe.Offsetof(h.completed), 64},
		"workersIdle":          {unsafe.Offsetof(h.workersIdle), 68},
		"claimHint":            {unsafe.Offsetof(h.claimHint), 128},
		"slot":                 {unsafe.Sizeof(s), 64},
		"word":                 {unsafe.Offsetof(s.word), 0},
		"descriptor":           {unsafe.Offsetof(s.descriptor), 8},
		"descriptor.Program":   {unsafe.Offsetof(s.descriptor.Program), 0},
		"descriptor.Mapping":   {unsafe.Offsetof(s.descriptor.Mapping), 4},
		"descriptor.Task":      {unsafe.Offsetof(s.descriptor.Task), 8},
		"descriptor.Chunk":     {unsafe.Offsetof(s.descriptor.Chunk), 16},
		"descriptor.Offset":    {unsafe.Offsetof(s.descriptor.Offset), 24},
		"descriptor.Count":     {unsafe.Offsetof(s.descriptor.Count), 32},
		"descriptor.Attempt":   {unsafe.Offsetof(s.descriptor.Attempt), 40},
		"Size(1)":              {uintptr(Size(1)), 256},
		"Size(64)":             {uintptr(Size(64)), 192 + 64*64},
		"word of (1, 2, DONE)": {uintptr(MakeWord(1, 2, Done)), 1<<32 | 2<<4 | 3},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d, want %d", name, c[0], c[1])
		}
	}
}
