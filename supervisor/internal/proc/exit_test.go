package proc

import (
	"errors"
	"syscall"
	"testing"
)

func TestExitSaysHowAProcessEnded(t *testing.T) {
	for want, exit := range map[string]Exit{
		"exited with status 0":       {},
		"exited with status 7":       {Code: 7},
		"killed by SIGKILL (killed)": {Signal: syscall.SIGKILL},
		"killed by the kernel because memory ran out (SIGKILL): raise the memory limit or use fewer workers": {Signal: syscall.SIGKILL, OutOfMemory: true},
		"could not be started: no such program": {Err: errors.New("no such program")},
	} {
		if got := exit.String(); got != want {
			t.Errorf("%#v: %q, want %q", exit, got, want)
		}
	}
}
