package supervisor

import "unsafe"

// offsetIn returns where in memory b, not empty, lies, and whether it does.
func offsetIn(memory, b []byte) (int, bool) {
	offset := uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(unsafe.Pointer(unsafe.SliceData(memory)))
	return int(offset), offset < uintptr(len(memory)) && uintptr(len(b)) <= uintptr(len(memory))-offset
}
