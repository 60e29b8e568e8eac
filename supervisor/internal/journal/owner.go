package journal

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/shm"
)

// fileNumber returns what tells a file from all others of the machine.
func fileNumber(f *os.File) (device, number uint64, err error) {
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	return uint64(st.Dev), st.Ino, err
}

// ownerCheck refuses a journal that somebody else may have put there: what it says
// is written to the data.
func ownerCheck(info fs.FileInfo, target *shm.Mapping) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() || st.Uid == 0 {
		return nil
	}
	if file, err := target.File().Stat(); err == nil {
		if owner, ok := file.Sys().(*syscall.Stat_t); ok && owner.Uid == st.Uid {
			return nil
		}
	}
	return fmt.Errorf("it belongs to user %d", st.Uid)
}
