package ceiling

import (
	"bytes"
	"testing"
)

func TestLoopsLoadAndCopyEveryByte(t *testing.T) {
	for _, l := range Loops() {
		src, dst := make([]byte, 5*Step), make([]byte, 5*Step)
		if x := l.Load(src); x != 0 {
			t.Errorf("%s: load of zeros gives %#x", l.Name, x)
		}
		for i := range src {
			clear(src)
			src[i] = 0x80
			// A vector's first word alone comes back.
			if x := l.Load(src); i%64 < 8 && x>>(8*(i%8)) != 0x80 {
				t.Errorf("%s: byte %d was not loaded: %#x", l.Name, i, x)
			}
			src[i] = byte(i)
		}
		for i := range src {
			src[i] = byte(i * 7)
		}
		if l.Copy(dst, src); !bytes.Equal(dst, src) {
			t.Errorf("%s: copy differs", l.Name)
		}
	}
}
