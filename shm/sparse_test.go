package shm

import (
	"bytes"
	"testing"
)

func TestSparseMemoryTakesRoomOnlyWhereItIsReserved(t *testing.T) {
	const size = 1 << 40
	s, err := NewSparse("columns", size)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const at, n = size / 2, 1 << 16
	if err := s.Reserve(at, n); err != nil {
		t.Fatal(err)
	}
	text := bytes.Repeat([]byte("saw"), n/3)
	copy(s.Bytes()[at:], text)
	if got := s.Mapping().Bytes()[at:][:len(text)]; !bytes.Equal(got, text) {
		t.Error("the mapping does not show what was written")
	}
	if s.Mapping().Writable() || s.Mapping().Path() != "columns" || s.Mapping().Changed() != nil {
		t.Errorf("%q, writable %v, %v", s.Mapping().Path(), s.Mapping().Writable(), s.Mapping().Changed())
	}
	if err := s.Release(at, n); err != nil {
		t.Fatal(err)
	}
	if got := s.Mapping().Bytes()[at:][:n]; !bytes.Equal(got, make([]byte, n)) {
		t.Error("what was given back is not zero")
	}
	if err := s.Release(0, size); err != nil {
		t.Fatal(err)
	}
}
