package worker

import (
	"os"
	"runtime/pprof"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// profile writes to a file what this process uses its CPUs for, or, if it cannot
// find out, why not.
func profile(m wire.Message, file *os.File) {
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		file.WriteString(err.Error())
		return
	}
	time.Sleep(time.Duration(m.Millis) * time.Millisecond)
	pprof.StopCPUProfile()
}
