package arrowtest

import "unsafe"

// inside reports whether bytes lie in the memory from first to last.
func inside(b, first, last []byte) bool {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return at >= uintptr(unsafe.Pointer(unsafe.SliceData(first))) && at+uintptr(len(b)) <= uintptr(unsafe.Pointer(unsafe.SliceData(last)))+uintptr(len(last))
}
