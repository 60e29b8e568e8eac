package worker

import "unsafe"

// faultOffset returns where inside data the fault behind a panic lies, and
// false if the panic is no fault or lies elsewhere.
func faultOffset(p any, data []byte) (uint64, bool) {
	fault, ok := p.(interface{ Addr() uintptr })
	if !ok {
		return 0, false
	}
	offset := fault.Addr() - uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	return uint64(offset), offset < uintptr(len(data))
}
