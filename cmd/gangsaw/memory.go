package main

import (
	"os"
	"strconv"
	"strings"
)

// availableMemory returns how many bytes of memory the system can give without
// swapping, as Linux tells it; 0 if nobody knows.
func availableMemory() uint64 {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(info)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemAvailable:" {
			kib, _ := strconv.ParseUint(fields[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}
