//go:build !linux

package doctor

import (
	"runtime"

	"github.com/gangsaw/gangsaw/kernels"
)

// Look tells what there is outside Linux.
func Look([]string) []Finding {
	return []Finding{
		{"system", runtime.GOOS, Note, "worker processes need Linux 5.10 or newer: here every pool is in process"},
		{Name: "instruction set", Value: kernels.CurrentTier().String(), Level: OK},
	}
}
