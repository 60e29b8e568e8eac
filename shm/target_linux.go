package shm

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// remote are file systems on which stores to a mapping do not outlive their
// process in order, or not at all.
var remote = map[int64]string{
	unix.NFS_SUPER_MAGIC:  "NFS",
	unix.SMB_SUPER_MAGIC:  "SMB",
	unix.SMB2_SUPER_MAGIC: "SMB",
	0xff534d42:            "CIFS",
	unix.FUSE_SUPER_MAGIC: "FUSE",
	unix.V9FS_MAGIC:       "9p",
	unix.CEPH_SUPER_MAGIC: "Ceph",
	unix.AFS_SUPER_MAGIC:  "AFS",
}

// CheckLocal refuses a file whose file system may not keep what a process stored
// in a mapping before it died.
func CheckLocal(file *os.File) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &st); err != nil {
		return err
	}
	if name, ok := remote[int64(uint32(st.Type))]; ok {
		return fmt.Errorf("lies on %s, where no change in place is safe: use a local disk", name)
	}
	return nil
}

// Reserve makes sure that the region of a target lies on the disk, so that a disk
// that is full is an error now and no fault later.
func (m *Mapping) Reserve(offset, length int64) error {
	fd := int(m.file.Fd())
	hole, err := unix.Seek(fd, offset, unix.SEEK_HOLE)
	if err == nil && hole >= offset+length {
		return nil
	}
	// It does not become longer, if it was truncated meanwhile.
	err = unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, offset, length)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil // a fault is an error of its chunk
	}
	if err != nil {
		return fmt.Errorf("%s: reserving %d bytes where the file has holes: %w", m.Path(), length, err)
	}
	return nil
}

// Populate makes the pages of a region of a mapping writable at once, which is
// many times as fast as page by page. An error tells that this cannot be done,
// since the disk is full, say. On a kernel that does not know how (before 5.14) it
// does nothing.
func Populate(mem []byte, offset, length uint64) error {
	if length == 0 {
		return nil
	}
	first := offset &^ uint64(os.Getpagesize()-1)
	region, err := Slice(mem, first, offset-first+length)
	if err != nil {
		return err
	}
	err = unix.Madvise(region, unix.MADV_POPULATE_WRITE)
	if err == unix.EINVAL {
		return nil
	}
	return err
}
